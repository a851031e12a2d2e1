import type { FeedAnswer, FeedCursor, FeedPart, FeedTransaction } from '../../protocol/messages.ts';
import type { DeviceRegistry } from '../device-registry.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { FeedRow } from '../store/server-store.ts';
import { choosePage } from './choose-page.ts';
import { openRows, type FeedRows } from './feed-rows.ts';
import type { LargeSaves, SavePlace } from './large-saves.ts';
import { areAsChosen, listItems, readImages, type PageItems } from './page-items.ts';
import { choosePart, cutLargeSave, type PartQuery } from './part.ts';
import { isOwnCursor, planPoll } from './plan-poll.ts';
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
  /** The newest position of the feed, as of the page: parts of a large save are of the moment of the first. */
  readonly head: number;
  readonly page: Omit<FeedAnswer, 'protocol' | 'store' | 'attempt' | 'server'> | null;
}

/** What is read of a page, with the saves on it. */
interface ReadPage {
  readonly rows: readonly FeedRow[];
  /** The newest position of the feed at the moment that it shows. */
  readonly shownAt: number;
  readonly part: FeedPart | null;
  readonly items: PageItems;
}

/** Reads a page of the user's feed, all of it from one snapshot (rules A28, A29, A31). */
export async function pollFeed(parts: ServerParts, devices: DeviceRegistry, largeSaves: LargeSaves, { principal, store, cursor, part: asked, limit }: FeedPoll): Promise<PolledFeed> {
  return parts.store.read(principal.tenant, async (view) => {
    const feed = await devices.open(view, principal, store);
    const { epoch, head } = feed;
    // Most polls end here: whatever the feed still keeps, this device has read all of it.
    if (cursor !== null && isOwnCursor(cursor, feed) && cursor.position === head) return { epoch, head, page: null };
    const { tenant, user } = principal;
    const oldest = head === feed.floor ? null : await view.oldestFeedPosition(user, parts.clock.now() - parts.retentionMs);
    const { from: planned, gap: refused } = planPoll(cursor, { feed, oldest: parts.rules.oldestKept(oldest) });
    const place: SavePlace = { tenant, user, feed: feed.feed, epoch, after: planned, limit };

    async function readOn(): Promise<ReadPage | null> {
      const save = largeSaves.find(place, asked?.revision ?? null);
      if (save === null) return null;
      const { items: chosen, part } = choosePart(save, asked);
      const images = await readImages(parts, view, principal, chosen);
      // Of what was sent before, and of what is to come, it is the same state: the one in which it was looked at.
      if (!areAsChosen(images, chosen)) return null;
      return { rows: save.rows, shownAt: save.head, part, items: listItems(parts, principal, save.leaderOf, chosen, images) };
    }

    async function readAnew(rows: FeedRows): Promise<ReadPage> {
      const around = new Surroundings(parts, view, principal);
      const room = { limit, bodyBytes: parts.limits.bodyBytes };
      const page = await choosePage(around, rows, room, asked === null ? FIRST_LOOK : 1);
      const save = page.isTooLarge ? cutLargeSave(page, around, room, head) : null;
      if (save !== null && save.starts.length > 1 && rows.from === planned) largeSaves.keep(place, save);
      const { items: chosen, part } = save === null ? { items: [...page.items.values()], part: null } : choosePart(save, asked);
      const images = await readImages(parts, view, principal, chosen);
      return { rows: page.rows, shownAt: head, part, items: listItems(parts, principal, (glimpse) => around.leaderOf(glimpse), chosen, images) };
    }

    const found = planned === head ? null : await readOn();
    const feedRows = found === null ? await openRows(view, user, planned, head, asked === null ? FIRST_LOOK : 1) : null;
    const from = feedRows?.from ?? planned;
    const { rows, shownAt, part, items: { indexOf, ...items } } = found ?? (await readAnew(feedRows!));
    const gap = refused ?? parts.rules.gapBefore(from, planned);
    const transactions = rows.map(({ position, store: origin, number, records }): FeedTransaction => {
      return { position, store: origin, number, items: records.flatMap(indexOf) };
    });
    const isUnfinished = (part?.next ?? null) !== null;
    const last = isUnfinished ? from : (rows.at(-1)?.position ?? from);
    const at = (position: number): FeedCursor => ({ feed: feed.feed, epoch, position });
    return { epoch, head: shownAt, page: { from: at(from), next: at(last), more: last < head, gap, transactions, part, ...items } };
  });
}

/** How many saves are looked around at first; one where it is known to be large. */
const FIRST_LOOK = 8;
