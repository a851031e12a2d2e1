import { compareVersions } from '../../protocol/version.ts';
import type { FeedRow } from '../store/server-store.ts';
import type { FeedRows } from './feed-rows.ts';
import type { Glimpse, Surroundings } from './surroundings.ts';

/** The most that a page has. */
export interface PageRoom {
  /** Records, those that come along with others included. */
  readonly limit: number;
  /** Bytes of their rows. */
  readonly bodyBytes: number;
}

/** What goes on a page. */
export interface ChosenPage {
  /** Whole saves, in order. */
  readonly rows: readonly FeedRow[];
  /** Their records with all that is around them, each once. */
  readonly items: ReadonlyMap<string, Glimpse>;
  /** It is one save that is more than a page, and those after it that add no record. */
  readonly isTooLarge: boolean;
}

/**
 * Takes saves for one page: as many as fit with all that is around their records, and the first however large it is. So many are looked
 * around at first as `look` says; then twice as many each time, so that little is read which does not fit.
 */
export async function choosePage(around: Surroundings, feed: FeedRows, room: PageRoom, look: number): Promise<ChosenPage> {
  const items = new Map<string, Glimpse>();
  const rows: FeedRow[] = [];
  let bytes = 0, isTooLarge = false;
  for (let most = look; rows.length < room.limit; most *= 2) {
    const next = await feed.next(Math.min(most, room.limit - rows.length));
    const alone = next.findIndex((row, index) => rows.length + index > 0 && isMoreThan(room, row));
    const near = alone < 0 ? next : next.slice(0, alone);
    await around.reach(near.flatMap(({ records }) => records));
    for (const row of near) {
      const found = around.around(row.records);
      const fresh = [...found].filter(([key]) => !items.has(key));
      const more = fresh.reduce((sum, [, { byteLength }]) => sum + byteLength, 0);
      const fits = items.size + fresh.length <= room.limit && bytes + more <= room.bodyBytes;
      // Who edits the lines of a large order one by one has all of it sent once, and not once for each line.
      if (rows.length > 0 && (isTooLarge ? fresh.length > 0 : !fits)) return { rows, items, isTooLarge };
      for (const [key, glimpse] of found) items.set(key, newerOf(items.get(key), glimpse));
      rows.push(row);
      bytes += more;
      isTooLarge ||= !fits;
    }
    if (near.length === 0 || near.length < next.length) break;
  }
  return { rows, items, isTooLarge };
}

/** A save that comes alone, with the next poll: then is the time to look around in it. */
function isMoreThan({ limit }: PageRoom, { records }: FeedRow): boolean {
  return records.length > limit;
}

/** Of a record that the reader cannot see, one save may know the version and another not. */
function newerOf(held: Glimpse | undefined, found: Glimpse): Glimpse {
  return held === undefined || compareVersions(found.version, held.version) > 0 ? found : held;
}
