import type { Clock } from '../../shared/clock.ts';
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
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** The least time between the beginnings of two queries of a tenant, in milliseconds; 0 for none. */
  readonly everyMs: number;
  /** The most that share a query. @defaultValue 1_000 */
  readonly mostAtOnce?: number;
}

interface Asker {
  readonly device: DeviceKey;
  readonly resolve: (head: DeviceHead) => void;
  readonly reject: (fault: unknown) => void;
}

/** The polls of a tenant that wait for a query, and when the last one began. */
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
    line.lastAt = clock.monotonic();
    const askers = line.askers.splice(0, mostAtOnce);
    try {
      const heads = await store.read(tenant, (view) => view.readHeads(askers.map(({ device }) => device), FACT_KINDS.revoked));
      for (const [index, { resolve }] of askers.entries()) resolve(heads[index]!);
    } catch (fault) {
      for (const { reject } of askers) reject(fault);
    }
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
