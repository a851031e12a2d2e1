import type { DeviceRegistry } from '../device-registry.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { FeedState } from '../store/server-store.ts';
import type { Turnstile } from '../turnstile.ts';
import type { FeedHeads } from './heads.ts';
import type { LargeSaves } from './large-saves.ts';
import { isOwnCursor } from './plan-poll.ts';
import { pollFeed, type FeedPoll, type PolledFeed } from './poll-feed.ts';

export interface PollDesk {
  readonly parts: ServerParts;
  readonly devices: DeviceRegistry;
  readonly heads: FeedHeads;
  readonly largeSaves: LargeSaves;
  /** What pages wait at, so that uploads find connections too. */
  readonly turnstile: Turnstile;
}

/**
 * Answers a poll (rule A33). Most end with a look-up that they share with others: whatever the feed still keeps, the device has read all
 * of it. The others read a page.
 *
 * @throws SyncFault `AUTH_REFUSED`, `DEVICE_REVOKED`
 */
export async function answerPoll(desk: PollDesk, poll: FeedPoll): Promise<PolledFeed> {
  const { principal, store, cursor } = poll;
  const feed = await recogniseDevice(desk, principal, store);
  if (feed !== null && cursor !== null && isOwnCursor(cursor, feed) && cursor.position === feed.head) return { epoch: feed.epoch, head: feed.head, page: null };
  return desk.turnstile.run(() => pollFeed(desk.parts, desk.devices, desk.largeSaves, poll));
}

/** The feed of a device's user, in a look-up that is shared with others; `null` for a device that has only now been let in. */
export async function recogniseDevice({ devices, heads }: PollDesk, principal: Principal, store: string): Promise<FeedState | null> {
  const feed = devices.recognise(principal, await heads.look(principal.tenant, store));
  if (feed === null) await devices.admit(principal, store);
  return feed;
}
