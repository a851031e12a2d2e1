import type { Clock } from '../shared/clock.ts';
import { readSighting, type DeviceSightings, type ReportedPending } from './device-sightings.ts';
import { FACT_KINDS } from './fact-kinds.ts';
import { DEFAULT_TENANT } from './principal.ts';
import type { ServerStore } from './store/server-store.ts';

/** A device's store, as an administrator sees it. */
export interface KnownDevice {
  /** The identity of the store: one database on one device. A device that is set up anew has another. */
  readonly store: string;
  /** Whose it is. */
  readonly user: string;
  /** When it was heard of last, in milliseconds since 1970 by the server's clock; exact to a minute where several servers share a database. */
  readonly lastSeenAt: number;
  /** What it last said of saves that are not online yet; `null` when it never did. Only polls say it. */
  readonly pending: ReportedPending | null;
  /** When it was revoked, in milliseconds since 1970; `null` when it may sync. */
  readonly revokedAt: number | null;
}

/** Which devices to list. */
export interface DeviceQuery {
  /** @defaultValue 'default' */
  readonly tenant?: string;
  /** @defaultValue everybody's */
  readonly user?: string;
  /** The most to return. @defaultValue 1_000 */
  readonly limit?: number;
  /** Goes on behind this one: the last of the page before. @defaultValue from the one seen last */
  readonly after?: Pick<KnownDevice, 'store' | 'lastSeenAt'>;
}

/** Names a device's store. */
export interface DeviceScope {
  /** @defaultValue 'default' */
  readonly tenant?: string;
  /** The identity of the store, as {@link KnownDevice} has it. */
  readonly store: string;
}

/** The administrator's way to the devices (rule A3): who holds work that is not online, and who may sync. */
export interface DeviceDesk {
  /** Lists devices, the one seen last first. */
  list(query?: DeviceQuery): Promise<readonly KnownDevice[]>;
  /**
   * Keeps a device from syncing: from its next request on it is answered `DEVICE_REVOKED`, by every server on the same database. What it
   * holds stays on it. Resolves with `false` when no such store was ever used. An upload under way is finished.
   */
  revoke(scope: DeviceScope): Promise<boolean>;
  /** Lets a revoked device sync again. Resolves with `false` when it was not revoked. */
  restore(scope: DeviceScope): Promise<boolean>;
}

export interface DeviceDeskOptions {
  readonly store: ServerStore;
  readonly clock: Clock;
  readonly sightings: DeviceSightings;
}

/** Makes a {@link DeviceDesk}. */
export function createDeviceDesk({ store: serverStore, clock, sightings }: DeviceDeskOptions): DeviceDesk {
  return {
    async list({ tenant = DEFAULT_TENANT, user, limit = 1_000, after } = {}) {
      await sightings.flush(tenant);
      return serverStore.read(tenant, async (view) => {
        const ofUser = user === undefined ? {} : { user };
        const beyond = after === undefined ? {} : { beyond: { createdAt: after.lastSeenAt, key: after.store } };
        const seen = await view.listFacts(FACT_KINDS.device, { order: 'newest', limit, ...ofUser, ...beyond });
        const revoked = new Map((await view.listFacts(FACT_KINDS.revoked, { limit: Number.MAX_SAFE_INTEGER, ...ofUser })).map(({ key, createdAt }) => [key, createdAt]));
        return seen.map(readSighting).map((device) => ({ ...device, revokedAt: revoked.get(device.store) ?? null }));
      });
    },
    revoke: ({ tenant = DEFAULT_TENANT, store }) =>
      serverStore.run(tenant, async (transaction) => {
        const user = await transaction.storeOwner(store);
        if (user === null) return false;
        if ((await transaction.getFact(FACT_KINDS.revoked, store)) !== null) return true;
        await transaction.putFact({ kind: FACT_KINDS.revoked, key: store, user, createdAt: clock.now(), body: new Uint8Array() });
        return true;
      }),
    restore: ({ tenant = DEFAULT_TENANT, store }) =>
      serverStore.run(tenant, async (transaction) => {
        if ((await transaction.getFact(FACT_KINDS.revoked, store)) === null) return false;
        await transaction.removeFact(FACT_KINDS.revoked, store);
        return true;
      }),
  };
}
