import { bytesToHex } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Random } from '../shared/random.ts';
import { FACT_KINDS } from './fact-kinds.ts';
import type { Principal } from './principal.ts';
import type { DeviceHead, FeedState, ServerStore, StoreView } from './store/server-store.ts';

/** Knows whose device each store is, and which may not sync any more. */
export interface DeviceRegistry {
  /**
   * Binds a device's store to the user at its first use, and makes the user's feed.
   *
   * @throws SyncFault `AUTH_REFUSED` when it is somebody else's.
   */
  admit(principal: Principal, store: string): Promise<void>;
  /**
   * The user's feed, in the snapshot of `view`: the first read of whatever answers an admitted device.
   *
   * @throws SyncFault `DEVICE_REVOKED`. It is asked each time: the store may have been revoked by another server of the same database.
   */
  open(view: StoreView, principal: Principal, store: string): Promise<FeedState>;
  /**
   * The user's feed, from what was looked up of a device; `null` when it has to be admitted first.
   *
   * @throws SyncFault `AUTH_REFUSED`, `DEVICE_REVOKED`
   */
  recognise(principal: Principal, head: DeviceHead): FeedState | null;
  /** The user's feed, for a device that was let in before. */
  feedOf(view: StoreView, principal: Principal): Promise<FeedState>;
}

const MOST_REMEMBERED = 50_000;

/** Makes a {@link DeviceRegistry}. A binding never changes, so those seen are remembered and a poll costs no write. */
export function createDeviceRegistry({ store: serverStore, random }: { readonly store: ServerStore; readonly random: Random }): DeviceRegistry {
  const admitted = new Set<string>();
  const keyOf = ({ tenant, user }: Principal, store: string): string => JSON.stringify([tenant, user, store]);

  const registry: DeviceRegistry = {
    async admit(principal, store) {
      const key = keyOf(principal, store);
      if (admitted.has(key)) return;
      const owner = await serverStore.run(principal.tenant, async (transaction) => {
        const found = await transaction.claimStore(store, principal.user);
        if (found === principal.user) await transaction.openFeed(principal.user, bytesToHex(random.bytes(12)));
        return found;
      });
      if (owner !== principal.user) throw refused();
      if (admitted.size >= MOST_REMEMBERED) admitted.clear();
      admitted.add(key);
    },
    async open(view, principal, store) {
      if ((await view.getFact(FACT_KINDS.revoked, store)) !== null) throw revoked();
      return registry.feedOf(view, principal);
    },
    recognise({ user }, { feed, owner, hasFact }) {
      if (owner !== null && owner !== user) throw refused();
      if (owner !== null && hasFact) throw revoked();
      return owner === null ? null : feed;
    },
    async feedOf(view, { user }) {
      const feed = await view.getFeed(user);
      if (feed !== null) return feed;
      // The database was replaced under this server: forget what was learnt from the old one.
      admitted.clear();
      throw new SyncFault('SERVER_BUSY', 'the feed is not open yet; try again');
    },
  };
  return registry;
}

function refused(): SyncFault {
  return new SyncFault('AUTH_REFUSED', 'this store cannot be used here');
}

function revoked(): SyncFault {
  return new SyncFault('DEVICE_REVOKED', 'this device may not sync any more');
}
