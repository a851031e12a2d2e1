import { FACT_KINDS } from '../fact-kinds.ts';
import type { DeviceHead, DeviceKey, ServerStore } from '../store/server-store.ts';
import type { Turnstile } from '../turnstile.ts';

/** Finds out what polls with nothing new are answered from. */
export interface FeedHeads {
  /** Looks up a device and its user's feed, in a query that begins after this call: what was committed before it is seen. */
  look(tenant: string, device: DeviceKey): Promise<DeviceHead>;
}

export interface FeedHeadsOptions {
  readonly store: Pick<ServerStore, 'read'>;
  /** What the queries wait at, so that uploads find connections too. */
  readonly turnstile: Turnstile;
  /** The most that share a query. @defaultValue 1_000 */
  readonly mostAtOnce?: number;
}

interface Asker {
  readonly device: DeviceKey;
  readonly resolve: (head: DeviceHead) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Makes {@link FeedHeads}. A tenant has one query under way; the polls that come meanwhile share the next. So a poll by itself waits for
 * nobody, and the more come the less each costs: there is no time to wait for and no cache that could be out of date.
 */
export function createFeedHeads({ store, turnstile, mostAtOnce = 1_000 }: FeedHeadsOptions): FeedHeads {
  /** By tenant, while a query of it is under way or waits for its turn. */
  const lines = new Map<string, Asker[]>();

  async function serve(tenant: string, line: Asker[]): Promise<void> {
    while (line.length > 0) await turnstile.run(() => serveSome(tenant, line));
    lines.delete(tenant);
  }

  async function serveSome(tenant: string, line: Asker[]): Promise<void> {
    const askers = line.splice(0, mostAtOnce);
    try {
      const heads = await store.read(tenant, (view) => view.readHeads(askers.map(({ device }) => device), FACT_KINDS.revoked));
      for (const [index, { resolve }] of askers.entries()) resolve(heads[index]!);
    } catch (fault) {
      for (const { reject } of askers) reject(fault);
    }
  }

  return {
    look: (tenant, device) =>
      new Promise((resolve, reject) => {
        const asker = { device, resolve, reject };
        const line = lines.get(tenant);
        if (line !== undefined) return void line.push(asker);
        const begun = [asker];
        lines.set(tenant, begun);
        void serve(tenant, begun);
      }),
  };
}
