import type { FeedAnswer, FeedCursor, FeedTransaction } from '../../protocol/messages.ts';
import type { DeviceRegistry } from '../device-registry.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { choosePage } from './choose-page.ts';
import { readItems } from './page-items.ts';
import { choosePart, type PartQuery } from './part.ts';
import { isOwnCursor, planPoll, readable } from './plan-poll.ts';
import { Surroundings } from './surroundings.ts';

/** A poll of one device. */
export interface FeedPoll {
  readonly principal: Principal;
  /** The device's store. */
  readonly store: string;
  readonly cursor: FeedCursor | null;
  /** Set when it has the parts before of the save that comes next. */
  readonly part: PartQuery | null;
  readonly limit: number;
}

/** What a poll found, before the head of the answer; `page` is `null` when nothing is new. */
export interface PolledFeed {
  readonly epoch: number;
  readonly head: number;
  readonly page: Omit<FeedAnswer, 'protocol' | 'store' | 'attempt' | 'server'> | null;
}

/** Reads a page of the user's feed, all of it from one snapshot (rules A28, A29, A31). */
export async function pollFeed(parts: ServerParts, devices: DeviceRegistry, { principal, store, cursor, part: asked, limit }: FeedPoll): Promise<PolledFeed> {
  return parts.store.read(principal.tenant, async (view) => {
    const feed = await devices.open(view, principal, store);
    const { epoch } = feed;
    // Most polls end here: whatever the feed still keeps, this device has read all of it.
    if (cursor !== null && isOwnCursor(cursor, feed) && cursor.position === feed.head) return { epoch, head: feed.head, page: null };
    const { user } = principal;
    const oldest = feed.head === feed.floor ? null : await view.oldestFeedPosition(user, parts.clock.now() - parts.retentionMs);
    const { from: planned, gap: refused, needsCursor } = planPoll(cursor, { feed, oldest: parts.rules.oldestKept(oldest) });
    const { from, rows: listed } = readable(planned, planned === feed.head ? [] : await view.listFeed(user, planned, limit));
    const gap = refused ?? (from > planned ? 'expired' : null);
    if (listed.length === 0 && !needsCursor) return { epoch, head: feed.head, page: null };

    const around = new Surroundings(parts, view, principal);
    const room = { limit, bodyBytes: parts.limits.bodyBytes };
    const { rows, items, isTooLarge } = await choosePage(around, listed, room);
    const chosen = isTooLarge ? choosePart(rows[0]!.position, items.values(), room, asked) : { items: [...items.values()], part: null };
    const { indexOf, ...page } = await readItems(parts, view, principal, around, chosen.items);
    const transactions = rows.map(({ position, store: origin, number, records }): FeedTransaction => {
      return { position, store: origin, number, items: records.flatMap(indexOf) };
    });
    const isUnfinished = (chosen.part?.next ?? null) !== null;
    const last = isUnfinished ? from : (rows.at(-1)?.position ?? from);
    const at = (position: number): FeedCursor => ({ feed: feed.feed, epoch, position });
    return { epoch, head: feed.head, page: { from: at(from), next: at(last), more: last < feed.head, gap, transactions, part: chosen.part, ...page } };
  });
}
