import { belongsTo } from '../answers/merge-units.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import type { EngineContext } from '../engine-context.ts';
import type { FeedMoment } from '../store/feed-moment.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { orderedKey, STATE, type StagedParts } from '../store/stored.ts';
import { decideParts } from './decide-parts.ts';
import { decide } from './page-plan.ts';
import { leaderOf, readPart, type StagedPart } from './staged-parts.ts';

/** Groups into which nothing of the parts is merged: one, or several between which records move. */
interface Blocked {
  readonly headers: Key[];
  /** What is in the way: bits of `ATTENTION`. */
  readonly flags: number;
}

/**
 * Takes in a transaction that came in parts, all of which are staged (rules A29, A34, A35). First it is decided for each group whether it is
 * merged, and that is written down; then part after part is applied in a commit of its own, so that no more than one is in memory. Nobody
 * reads in between: it is one step, and the next opening goes on with it before anything is read.
 *
 * @param moment - where the feed was when the last part was read
 */
export async function applyParts(context: EngineContext, moment: FeedMoment): Promise<void> {
  const { store, rules } = context;
  const { applying, outdated } = await decideParts(context, moment);
  const settlement = new Settlement(store, rules, new Map());
  const parking = new Parking(context, settlement);
  for (const group of outdated) parking.forgetManifest(group, moment);
  settlement.step.meta = { part: { ...store.meta.part!, applying } };
  await store.commit(settlement.step, 'strict');
  await finishParts(context);
}

/** Goes on with what {@link applyParts} began. */
export async function finishParts(context: EngineContext): Promise<void> {
  const { store, rules, emit } = context;
  const { place, cursor, applying } = store.meta.part!;
  const blocked = blockedBy(applying!);
  let records = 0, keptAside = 0;
  for (let index = 0; index <= place; index++) {
    const part = await readPart(context, index);
    // It was applied before the app was stopped.
    if (part === null) continue;
    const kept = await applyPart(context, part, index, blocked);
    records += part.images.keys.length;
    keptAside += kept;
  }
  const settlement = new Settlement(store, rules, new Map());
  for (const name of store.parked.keys()) settlement.freed.add(name);
  settlement.step.meta = { part: null, cursor: rules.cursorAfter({ from: cursor, next: cursor }) };
  const events = await mergeFreed(context, settlement);
  await store.commit(settlement.step, 'strict');
  emit({ type: 'feed:parts-applied', parts: place + 1, records, keptAside });
  events.forEach(emit);
}

/** The groups that stay together are one, under the header of each. */
function blockedBy(applying: NonNullable<StagedParts['applying']>): Map<Key, Blocked> {
  const byName = new Map<Key, Blocked>();
  return new Map(applying.map(([header, flags, name]) => {
    const set = byName.get(name) ?? { headers: [], flags };
    set.headers.push(header);
    byName.set(name, set);
    return [header, set] as const;
  }));
}

async function applyPart(context: EngineContext, part: StagedPart, place: number, blocked: ReadonlyMap<Key, Blocked>): Promise<number> {
  const { store, rules } = context;
  const { content, images, bases } = part;
  const flagsAt = (key: Key): number => blocked.get(leaderOf(context, part, key))?.flags ?? 0;
  const attention = images.keys.map((key) => ({ ...splitKey(key), flags: flagsAt(key) })).filter(({ flags }) => flags !== 0);
  const settlement = new Settlement(store, rules, bases);
  const { step } = settlement;
  const parking = new Parking(context, settlement);
  const kept = new Map<Blocked, Key[]>(), outside = new Set(content.outside);
  decide(context, images, bases, { attention, replace: 'newer' }).forEach((verdict, index) => {
    const key = images.keys[index]!, image = images.image(index);
    if (verdict === 'superseded') return;
    if (verdict === 'merge') step.putBase(key, image);
    else if (verdict !== 'stale') {
      const set = blocked.get(leaderOf(context, part, key))!;
      parking.keepAside(key, image);
      kept.set(set, [...(kept.get(set) ?? []), key]);
    }
    noteScope(settlement, key, image, outside.has(index) ? content.time : null);
  });
  for (const [{ headers: own }, arrived] of kept) {
    const before = new Set(own.flatMap((header) => parking.of(header).filter((group) => belongsTo(group, header))));
    const others = content.groups.flatMap((group) => (own.includes(keyOf(group.object, group.id)) ? group.others : []));
    const members = new Map([...[...before].flatMap((group) => [...group.members]), ...others.map(({ object, id, epoch, n }) => [keyOf(object, id), [epoch, n] as const] as const)]);
    parking.park({ headers: [...new Set([...own, ...[...before].flatMap(({ headers }) => headers)])].sort(), members, arrived });
  }
  step.removeState.push(orderedKey(STATE.part, place));
  step.isUntold = true;
  await store.commit(step, 'strict');
  return [...kept.values()].flat().length;
}
