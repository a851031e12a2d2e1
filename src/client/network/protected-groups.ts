import { mastersOf, readAround, headerOf } from '../answers/around.ts';
import type { EngineContext } from '../engine-context.ts';
import { laneKeysOf } from '../queue/queue-entry.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import { attentionAt } from './page-plan.ts';

/** Records, page by page. */
export type Pages = () => AsyncIterable<Iterable<readonly [Key, HeldImage]>>;

/** The groups into which nothing may be merged now. */
export interface ProtectedGroups {
  /** Who leads the group of each record that takes nothing now. */
  readonly headers: ReadonlyMap<Key, Key>;
  /** What is in the way, by header: bits of `ATTENTION`. */
  readonly flags: ReadonlyMap<Key, number>;
}

/**
 * Finds all records of groups of which something waits, was refused or is open: those on the device, and those that came in (rules A34, A39).
 * It takes no more memory than there are such records, however many came in.
 *
 * @param incoming - reads what came in from its beginning
 */
export async function findProtected(context: EngineContext, incoming: Pages): Promise<ProtectedGroups> {
  const { store, places } = context;
  const busy = new Set([...[...store.entries].flatMap(laneKeysOf), ...store.drafts.byRecord.keys(), ...store.inUse.keys]);
  const bases = await readAround(context, busy);
  const headers = new Map<Key, Key>(), flags = new Map<Key, number>();
  for (const key of busy) {
    const header = headerOf(places, key, (at) => bases.get(at) ?? store.side(at));
    headers.set(key, header).set(header, header);
    flags.set(header, (flags.get(header) ?? 0) | attentionAt(store, key));
  }
  const grouped = [...places].flatMap(([object, { parent }]) => (parent === null ? [] : [object]));
  // A record may come before the one above it: again, until nothing more is found.
  for (let known = -1; busy.size > 0 && known < headers.size; ) {
    known = headers.size;
    // A record and the one above it are of one group: of two, where what came in moves it from one to the other.
    const take = (records: Iterable<readonly [Key, HeldImage]>): void => {
      for (const [key, image] of records) {
        const parent = places.get(splitKey(key).object)?.parent ?? null;
        const above = parent === null ? undefined : mastersOf(places, key, image).find((master) => splitKey(master).object === parent.target);
        const header = above === undefined ? undefined : (headers.get(key) ?? headers.get(above));
        if (header === undefined) continue;
        if (!headers.has(key)) headers.set(key, header);
        if (!headers.has(above!)) headers.set(above!, header);
      }
    };
    for await (const page of incoming()) take(page);
    for (const object of grouped) for await (const page of store.scanBases(object)) take(page);
  }
  return { headers, flags };
}
