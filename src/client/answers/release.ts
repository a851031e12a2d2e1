import { NO_VERSION } from '../../protocol/version.ts';
import type { EngineContext } from '../engine-context.ts';
import type { FeedMoment } from '../store/feed-moment.ts';
import { namedIn } from '../store/parked.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import type { SyncEvent } from '../sync-event.ts';
import { readAround } from './around.ts';
import { gatherUnits } from './merge-units.ts';
import { Parking } from './parking.ts';
import { Settlement } from './settle.ts';

/** What a step releases. */
export interface ReleaseInput {
  /** What came in without a manifest, to be merged where it is safe and else kept aside. */
  readonly offered?: ReadonlyMap<Key, HeldImage>;
  /** How far the feed is to be read for the rest of the groups of some of it. */
  readonly until?: ReadonlyMap<Key, FeedMoment>;
  /** Records that the step itself puts out of use. */
  readonly outOfUse?: ReadonlySet<Key>;
}

/**
 * Merges what was kept aside for records that were left, with what could not be merged at former calls: where it fails, the next call tries
 * it again (rules A36, A38). Runs inside a step that has nothing else to write.
 */
export async function releaseLeft(context: EngineContext, keys: Iterable<Key> = []): Promise<void> {
  const { left } = context.store.inUse;
  for (const key of keys) left.add(key);
  if (left.size === 0) return;
  await releaseInStep(context, left);
  left.clear();
}

/**
 * Merges what was kept aside for records that are free now, group by group, where nothing is in the way any more (rules A35, A36, A38).
 * Runs inside a step that has nothing else to write.
 */
export async function releaseInStep(context: EngineContext, keys: Iterable<Key>): Promise<void> {
  const { store, rules, emit } = context;
  // Who only looks on leaves what waits as it is (rule A10).
  if (store.isReadOnly) return;
  const settlement = new Settlement(store, rules, new Map());
  for (const key of keys) settlement.freed.add(key);
  const events = await mergeFreed(context, settlement);
  if (settlement.step.parked.size === 0) return;
  await store.commit(settlement.step, 'relaxed');
  events.forEach(emit);
}

/**
 * Takes in what a step was offered, and what was kept aside for the records that it frees, before it is written. Answers what is to be told
 * once it is.
 */
export async function mergeFreed(context: EngineContext, settlement: Settlement, { offered = new Map<Key, HeldImage>(), until, outOfUse }: ReleaseInput = {}): Promise<SyncEvent[]> {
  const { places, rules } = context;
  const parking = new Parking(context, settlement, outOfUse);
  const { base, side } = settlement;
  const isNewer = (key: Key, { version }: HeldImage): boolean => rules.isNewer(version, versionOf(base(key)));
  // Most of an answer is of the saved records themselves, which have it already.
  const arrived = new Map([...offered].filter(([key, image]) => isNewer(key, image)));
  const keys = [...settlement.freed, ...arrived.keys()];
  if (arrived.size === 0 && !keys.some((key) => parking.of(key).length > 0)) return [];
  settlement.learn(await readAround(context, [...keys, ...[...settlement.step.parked.values()].flatMap((group) => (group === null ? [] : [...namedIn(group)]))], arrived));
  const images = new Map([...arrived].filter(([key, image]) => isNewer(key, image)));
  // What was kept aside already came with its group, or waits for it.
  const awaited = new Map([...(until ?? [])].filter(([key]) => rules.isNewer(images.get(key)?.version ?? NO_VERSION, versionOf(side(key)))));
  for (const unit of gatherUnits({ places, images, manifests: [], until: awaited, base, side, parkedOf: parking.of })) {
    for (const key of unit.arrived) parking.keepAside(key, images.get(key)!);
    if (unit.arrived.length > 0) parking.park(unit);
  }
  return parking.release(keys).flatMap(({ key, before, image, waited }) => (waited ? describeMerged(context, key, before, image) : []));
}

/** What is told of a merged record; nothing of one that was never here and is gone. */
export function describeMerged({ schema, store, records }: Pick<EngineContext, 'schema' | 'store' | 'records'>, key: Key, before: HeldImage | null, image: HeldImage): SyncEvent[] {
  const { object, id } = splitKey(key);
  if (before === null && image.state !== 'live') return [];
  // A newer build of the app saved it: it lies here until this one is updated.
  if (schema.objects[object] === undefined) return [{ type: 'feed:merged', object, id, fields: [], state: image.state }];
  return [{ type: 'feed:merged', object, id, fields: records.changedFields(object, store.rowOf(before, object), store.rowOf(image, object)), state: image.state }];
}
