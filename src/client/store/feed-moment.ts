import type { Meta } from './stored.ts';

/** A place in the feed of this device's user, as an answer names it. */
export interface FeedMoment {
  readonly epoch: number;
  readonly position: number;
}

/** The later of two places in the feed; one of another history of the server is the later one when it was heard of later. */
export function laterOf(before: FeedMoment | null, now: FeedMoment | null): FeedMoment | null {
  if (before === null || now === null) return before ?? now;
  return before.epoch === now.epoch && before.position > now.position ? before : now;
}

/** Whether what was read at a moment has all that the feed has up to a place. */
export function isFrom(moment: FeedMoment, until: FeedMoment | null): boolean {
  return laterOf(until, moment) === moment;
}

/** Whether the feed is read up to a place. Behind a gap it may have left out what was there. */
export function isReadTo(until: FeedMoment | null, { cursor, hasFeedGap }: Pick<Meta, 'cursor' | 'hasFeedGap'>): boolean {
  if (until === null) return true;
  return !hasFeedGap && cursor !== null && (cursor.epoch !== until.epoch || cursor.position >= until.position);
}
