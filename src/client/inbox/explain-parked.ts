import { compareVersions } from '../../protocol/version.ts';
import { readAround } from '../answers/around.ts';
import { belongsTo, heldOf } from '../answers/merge-units.ts';
import type { EngineContext } from '../engine-context.ts';
import { isReadTo } from '../store/feed-moment.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import type { ParkedReason } from './explain.ts';

/** Why a newer image of a record is kept aside; `null` where there is none. Must run between two commits. */
export async function explainParked(context: EngineContext, key: Key): Promise<ParkedReason | null> {
  const { store } = context;
  if (store.side(key) === null) return null;
  const groups = store.parkedOf(key).filter((group) => belongsTo(group, key));
  const isBusy = groups.some(({ headers, members }) => [...headers, ...members.keys()].some((other) => store.isBusy(other)));
  if (isBusy || groups.length === 0) return { code: 'kept-aside' };
  const bases = await readAround(context, [key]);
  const base = (other: Key): HeldImage | null => bases.get(other) ?? null;
  const side = (other: Key): HeldImage | null => store.side(other);
  const missing = groups.flatMap(({ members, masters }) => [
    ...[...members].flatMap(([other, version]) => (compareVersions(heldOf(other, base, side), version) < 0 ? [other] : [])),
    ...masters,
  ]);
  return { code: 'newer-version-waits', because: missing.length > 0 || groups.some(({ until }) => !isReadTo(until, store.meta)) ? 'incomplete' : 'in-use', missing: [...new Set(missing)].map(splitKey) };
}
