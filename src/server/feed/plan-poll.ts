import type { FeedCursor, FeedGap } from '../../protocol/messages.ts';
import { keyText, type FeedRow, type FeedState, type RecordKey } from '../store/server-store.ts';

/** Where to read a feed from. */
export interface PollPlan {
  /** Read what is after this position. */
  readonly from: number;
  /** Why the cursor was not taken, so that entries may be missing before it; `null` when it was. */
  readonly gap: FeedGap | null;
  /** The device has no cursor of this feed yet, or lost its place: it is told one even when nothing is new. */
  readonly needsCursor: boolean;
}

/** What a poll is planned from. */
export interface PollState {
  readonly feed: FeedState;
  /** The first position that is still kept; `null` when none is. */
  readonly oldest: number | null;
}

/**
 * Decides where a device reads on (rule A31). A cursor of another feed or epoch, of the future, or from before what is kept is no
 * cursor: the device is told of the gap and reads from the oldest place there is.
 */
export function planPoll(cursor: FeedCursor | null, { feed, oldest }: PollState): PollPlan {
  const floor = oldest === null ? feed.head : oldest - 1;
  if (cursor === null) return { from: floor, gap: floor > 0 ? 'expired' : null, needsCursor: true };
  const gap = gapOf(cursor, feed, floor);
  return gap === null ? { from: cursor.position, gap, needsCursor: false } : { from: floor, gap, needsCursor: true };
}

function gapOf(cursor: FeedCursor, feed: FeedState, floor: number): FeedGap | null {
  if (cursor.feed !== feed.feed) return 'foreign';
  if (cursor.epoch !== feed.epoch) return 'restored';
  if (cursor.position > feed.head) return 'ahead';
  return cursor.position < floor ? 'expired' : null;
}

/** Says whether a cursor is of this feed and epoch. */
export function isOwnCursor(cursor: FeedCursor, { feed, epoch }: FeedState): boolean {
  return cursor.feed === feed && cursor.epoch === epoch;
}

/** Takes rows for one page: whole saves only, and as many as fit, each record counted once (a page has its newest image). */
export function cutPage(rows: readonly FeedRow[], limit: number): { readonly rows: readonly FeedRow[]; readonly keys: readonly RecordKey[] } {
  const keys = new Map<string, RecordKey>();
  let taken = 0;
  for (const row of rows) {
    const fresh = row.records.filter((record) => !keys.has(keyText(record)));
    if (taken > 0 && keys.size + fresh.length > limit) break;
    for (const record of fresh) keys.set(keyText(record), record);
    taken++;
  }
  return { rows: rows.slice(0, taken), keys: [...keys.values()] };
}

/** The rows, the first always among them, whose records together have at most so many bytes. */
export function cutBytes(rows: readonly FeedRow[], byteLengths: ReadonlyMap<string, number>, most: number): readonly FeedRow[] {
  const counted = new Set<string>();
  let bytes = 0;
  for (const [index, { records }] of rows.entries()) {
    for (const key of records.map(keyText)) {
      if (!counted.has(key)) bytes += byteLengths.get(key) ?? 0;
      counted.add(key);
    }
    if (bytes > most && index > 0) return rows.slice(0, index);
  }
  return rows;
}
