import { ATTENTION, type Verdict } from '../../core/core.ts';
import type { RecordAnswer } from '../../protocol/messages.ts';
import { noteScope } from '../answers/note-scope.ts';
import { Parking } from '../answers/parking.ts';
import { describeMerged, mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import type { NetworkContext } from '../engine-context.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { Meta } from '../store/stored.ts';
import type { SyncEvent } from '../sync-event.ts';
import { planPage } from './page-plan.ts';
import { badAnswer } from './server-link.ts';

/** A page as it is taken in: what the step changes, and what is told once it is written. */
export interface TakenPage {
  readonly settlement: Settlement;
  /** The records that were looked at one by one. */
  readonly keys: readonly Key[];
  /** How many images it had. */
  readonly count: number;
  readonly events: readonly SyncEvent[];
}

/**
 * Takes in records that the server sent with their groups: each group whole, or not at all (rules A34–A39). What its arrival frees of what
 * was kept aside goes along.
 *
 * @param moved - where the feed is read from after it
 */
export async function takePage(context: NetworkContext, page: Pick<RecordAnswer, 'layouts' | 'items' | 'groups' | 'outside' | 'server'>, moved: Partial<Pick<Meta, 'cursor' | 'hasFeedGap'>> = {}): Promise<TakenPage> {
  const { store, rules } = context;
  const plan = await planPage(context, page, { ...store.meta, ...moved });
  const { images, newest, verdicts, units } = plan;
  const settlement = new Settlement(store, rules, plan.bases);
  settlement.step.meta = moved;
  const parking = new Parking(context, settlement);
  const flagsAt = new Map(units.flatMap(({ arrived, flags }) => arrived.map((key) => [key, flags] as const)));
  const kept = new Set<Key>();
  const events = verdicts.flatMap((verdict, index): SyncEvent[] => {
    const key = images.keys[index]!, image = newest.get(key)!;
    const before = settlement.base(key);
    if (verdict === 'merge') {
      settlement.step.putBase(key, image);
      return describeMerged(context, key, before, image);
    }
    const { object, id } = splitKey(key);
    if (verdict === 'stale' || verdict === 'superseded') return [{ type: 'feed:skipped', object, id, reason: verdict }];
    parking.keepAside(key, image);
    kept.add(key);
    return [{ type: 'feed:kept-aside', object, id, reason: reasonOf(verdict, flagsAt.get(key) ?? 0) }];
  });
  for (const unit of units) if (unit.arrived.some((key) => kept.has(key)) || parking.isParked(unit)) parking.park(unit);
  if (page.outside.some((index) => index >= images.keys.length)) throw badAnswer('it points to a record that it does not hold');
  const outside = new Set(page.outside);
  images.keys.forEach((key, index) => noteScope(settlement, key, newest.get(key)!, outside.has(index) ? page.server.time : null));
  for (const key of images.keys) settlement.freed.add(key);
  if (moved.cursor) for (const [name, { until }] of store.parked) if (until !== null) settlement.freed.add(name);
  return { settlement, keys: images.keys, count: images.keys.length, events: [...events, ...(await mergeFreed(context, settlement))] };
}

function reasonOf(verdict: Exclude<Verdict, 'merge' | 'stale' | 'superseded'>, flags: number): Extract<SyncEvent, { type: 'feed:kept-aside' }>['reason'] {
  if (verdict === 'wait') return 'in-use';
  if (verdict === 'incomplete') return 'incomplete';
  return (flags & ATTENTION.inError) === 0 ? 'pending' : 'in-error';
}
