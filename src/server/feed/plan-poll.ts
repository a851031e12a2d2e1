import type { FeedCursor, FeedGap } from '../../protocol/messages.ts';
import type { FeedRow, FeedState } from '../store/server-store.ts';

/** Where to read a feed from. */
export interface PollPlan {
  /** Read what is after this position. */
  readonly from: number;
  /** Why the cursor was not taken, so that entries may be missing before it; `null` when it was. */
  readonly gap: FeedGap | null;
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
  if (cursor === null) return { from: floor, gap: floor > 0 ? 'expired' : null };
  const gap = gapOf(cursor, feed, floor);
  return { from: gap === null ? cursor.position : floor, gap };
}

function gapOf(cursor: FeedCursor, feed: FeedState, floor: number): FeedGap | null {
  if (cursor.feed !== feed.feed) return 'foreign';
  if (cursor.epoch !== feed.epoch) return 'restored';
  if (cursor.position > feed.head) return 'ahead';
  return cursor.position < floor ? 'expired' : null;
}

/**
 * The rows that follow on a position without a hole. Where days were dropped whose rows came between others, or last, by a clock that was
 * set back, the feed begins anew behind the hole.
 *
 * @param head - the newest position, which is behind `from`.
 */
export function readable(from: number, rows: readonly FeedRow[], head: number): { readonly from: number; readonly rows: readonly FeedRow[] } {
  const begin = rows.length === 0 ? head : rows[0]!.position - 1;
  const hole = rows.findIndex(({ position }, index) => position !== begin + index + 1);
  return { from: begin, rows: hole < 0 ? rows : rows.slice(0, hole) };
}

/** Says whether a cursor is of this feed and epoch. */
export function isOwnCursor(cursor: FeedCursor, { feed, epoch }: FeedState): boolean {
  return cursor.feed === feed && cursor.epoch === epoch;
}
