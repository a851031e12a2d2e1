import type { Clock } from '../../shared/clock.ts';
import { FACT_KINDS } from '../fact-kinds.ts';
import type { DeviceHead, ServerStore } from '../store/server-store.ts';
import type { Turnstile } from '../turnstile.ts';

/** Finds out what polls with nothing new are answered from. */
export interface FeedHeads {
  /** Looks up the device with a store, and its owner's feed, in a query that begins after this call: what was committed before it is seen. */
  look(tenant: string, store: string): Promise<DeviceHead>;
}

export interface FeedHeadsOptions {
  readonly store: Pick<ServerStore, 'read'>;
  /** What the queries wait at, so that uploads find connections too. */
  readonly turnstile: Turnstile;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** The least time between two queries of a tenant, from the end of one to the beginning of the next, in milliseconds; 0 for none. */
  readonly everyMs: number;
  /** The most that share a query. @defaultValue 1_000 */
  readonly mostAtOnce?: number;
}

interface Asker {
  /** The device's store. */
  readonly device: string;
  readonly resolve: (head: DeviceHead) => void;
  readonly reject: (fault: unknown) => void;
}

/** The polls of a tenant that wait for a query, and when the last one ended. */
interface Line {
  readonly askers: Asker[];
  lastAt: number;
  isServed: boolean;
}

const MOST_REMEMBERED = 10_000;

/**
 * Makes {@link FeedHeads}. A tenant has one query under way, and a few milliseconds pass between two of them; the polls that come meanwhile
 * share the next. So a poll by itself waits for nobody, and the more come the less each costs; there is no cache that could be out of date.
 */
export function createFeedHeads({ store, turnstile, clock, everyMs, mostAtOnce = 1_000 }: FeedHeadsOptions): FeedHeads {
  const lines = new Map<string, Line>();

  async function serve(tenant: string, line: Line): Promise<void> {
    line.isServed = true;
    while (line.askers.length > 0) {
      const restMs = line.lastAt + everyMs - clock.monotonic();
      if (restMs > 0) await new Promise<void>((resolve) => void clock.setTimer(restMs, resolve));
      await turnstile.run(() => serveSome(tenant, line));
    }
    line.isServed = false;
  }

  async function serveSome(tenant: string, line: Line): Promise<void> {
    const askers = line.askers.splice(0, mostAtOnce);
    try {
      const heads = await store.read(tenant, (view) => view.readHeads(askers.map(({ device }) => device), FACT_KINDS.revoked));
      for (let index = 0; index < askers.length; index++) askers[index]!.resolve(heads[index]!);
    } catch (fault) {
      for (const { reject } of askers) reject(fault);
    }
    line.lastAt = clock.monotonic();
  }

  function lineOf(tenant: string): Line {
    const found = lines.get(tenant);
    if (found !== undefined) return found;
    if (lines.size >= MOST_REMEMBERED) for (const [name, { isServed }] of lines) if (!isServed) lines.delete(name);
    const line: Line = { askers: [], lastAt: -Infinity, isServed: false };
    lines.set(tenant, line);
    return line;
  }

  return {
    look: (tenant, device) =>
      new Promise((resolve, reject) => {
        const line = lineOf(tenant);
        line.askers.push({ device, resolve, reject });
        if (!line.isServed) void serve(tenant, line);
      }),
  };
}
