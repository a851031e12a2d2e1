import { compareVersions } from '../../protocol/version.ts';
import type { FeedRow } from '../store/server-store.ts';
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
  /** It is one save that is more than a page. */
  readonly isTooLarge: boolean;
}

/** How many saves are looked around at first; then twice as many each time, so that little is read which does not fit. */
const FIRST_LOOK = 8;

/** Takes saves for one page: as many as fit with all that is around their records, and the first however large it is. */
export async function choosePage(around: Surroundings, rows: readonly FeedRow[], room: PageRoom): Promise<ChosenPage> {
  const items = new Map<string, Glimpse>();
  let bytes = 0, taken = 0, looked = 0;
  for (const row of rows) {
    if (taken > 0 && isMoreThan(room, row)) break;
    if (taken === looked) {
      looked = Math.max(FIRST_LOOK, looked * 2);
      const next = rows.slice(taken, looked), last = next.findIndex((other, index) => index > 0 && isMoreThan(room, other));
      await around.reach(next.slice(0, last < 0 ? next.length : last).flatMap(({ records }) => records));
    }
    const found = around.around(row.records);
    const fresh = [...found].filter(([key]) => !items.has(key));
    const more = fresh.reduce((sum, [, { byteLength }]) => sum + byteLength, 0);
    const fits = items.size + fresh.length <= room.limit && bytes + more <= room.bodyBytes;
    if (!fits && taken > 0) break;
    for (const [key, glimpse] of found) items.set(key, newerOf(items.get(key), glimpse));
    bytes += more;
    taken++;
    if (!fits) return { rows: [row], items, isTooLarge: true };
  }
  return { rows: rows.slice(0, taken), items, isTooLarge: false };
}

/** A save that comes alone, with the next poll: then is the time to look around in it. */
function isMoreThan({ limit }: PageRoom, { records }: FeedRow): boolean {
  return records.length > limit;
}

/** Of a record that the reader cannot see, one save may know the version and another not. */
function newerOf(held: Glimpse | undefined, found: Glimpse): Glimpse {
  return held === undefined || compareVersions(found.version, held.version) > 0 ? found : held;
}
