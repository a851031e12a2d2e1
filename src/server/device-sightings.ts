import type { Clock } from '../shared/clock.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';
import { FACT_KINDS } from './fact-kinds.ts';
import type { Principal } from './principal.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { Fact } from './store/fact.ts';
import type { ServerStore, StoreTransaction } from './store/server-store.ts';

/** What a device said of its queue with a poll (rule A3). */
export interface ReportedPending {
  /** Saves that the server has not settled. */
  readonly count: number;
  /** How old the oldest of them was, in milliseconds, at the time of the report. */
  readonly oldestAgeMs: number;
  /** Server time of the report, in milliseconds since 1970. */
  readonly reportedAt: number;
}

/** When a device was heard of last, and what it said then. */
export interface Sighting {
  readonly store: string;
  readonly user: string;
  /** Server time, in milliseconds since 1970. */
  readonly lastSeenAt: number;
  readonly pending: ReportedPending | null;
}

/** Remembers when devices were heard of. */
export interface DeviceSightings {
  /** Notes a request of an admitted device; `pending` is the header of a poll, if it had one. What it returns, if anything, is to be waited for. */
  note(principal: Principal, store: string, pending: string | undefined): Promise<void> | undefined;
  /** Writes what is only in memory. */
  flush(tenant: string): Promise<void>;
  /** Writes what is only in memory, of all tenants. */
  flushAll(): Promise<void>;
}

export interface DeviceSightingsOptions {
  readonly store: ServerStore;
  readonly clock: Clock;
  readonly log: (event: ServerLogEvent) => void;
}

/** A sighting that is not written yet. It is changed in place: each poll changes one, and new ones in its stead would all outlive their youth. */
interface Unwritten {
  readonly store: string;
  user: string;
  lastSeenAt: number;
  /** What the header of the last report said; `null` while there was none. */
  report: string | null;
  reportedAt: number;
  /** Counts the changes. */
  changes: number;
}

const WRITE_INTERVAL_MS = 60_000;
/** Others wait while a transaction runs. */
const MOST_AT_ONCE = 200;

/**
 * Makes {@link DeviceSightings}. They are kept in memory and written for all devices of a tenant at once, once a minute at most: a poll
 * costs no write, and the end of the process costs a minute of them.
 */
export function createDeviceSightings({ store: serverStore, clock, log }: DeviceSightingsOptions): DeviceSightings {
  const unwritten = new Map<string, Map<string, Unwritten>>();
  const writtenAt = new Map<string, number>();
  const writing = new Map<string, Promise<void>>();

  /** One after another: whoever lists waits for what is being written. */
  function flush(tenant: string): Promise<void> {
    const turn = (writing.get(tenant) ?? Promise.resolve()).catch(() => {}).then(() => write(tenant));
    writing.set(tenant, turn);
    return turn;
  }

  async function write(tenant: string): Promise<void> {
    writtenAt.set(tenant, clock.monotonic());
    const devices = [...(unwritten.get(tenant)?.values() ?? [])].sort((left, right) => (left.store < right.store ? -1 : 1));
    for (let at = 0; at < devices.length; at += MOST_AT_ONCE) {
      const some = devices.slice(at, at + MOST_AT_ONCE);
      const changes = some.map((device) => device.changes), sightings = some.map(sightingOf);
      await serverStore.run(tenant, (transaction) => writeSightings(transaction, sightings));
      for (const [index, device] of some.entries()) if (device.changes === changes[index]) unwritten.get(tenant)!.delete(device.store);
    }
  }

  /** Nothing of a user's work hangs on it. */
  function failed(cause: unknown): void {
    log({ level: 'warning', event: 'devices:failed', message: 'when devices were seen could not be written', cause });
  }

  return {
    note({ tenant, user }, store, header) {
      const now = clock.now();
      let devices = unwritten.get(tenant);
      if (devices === undefined) unwritten.set(tenant, (devices = new Map()));
      let device = devices.get(store);
      if (device === undefined) devices.set(store, (device = { store, user, lastSeenAt: now, report: null, reportedAt: 0, changes: 0 }));
      device.user = user;
      device.lastSeenAt = now;
      device.changes++;
      if (header !== undefined && (header === device.report || REPORT.test(header))) {
        device.report = header;
        device.reportedAt = now;
      }
      const last = writtenAt.get(tenant);
      if (last !== undefined && clock.monotonic() - last < WRITE_INTERVAL_MS) return undefined;
      // Before the first await, so that one of many requests at once writes.
      writtenAt.set(tenant, clock.monotonic());
      return flush(tenant).catch(failed);
    },
    flush,
    async flushAll() {
      for (const tenant of [...unwritten.keys()]) {
        await flush(tenant).catch(failed);
      }
    },
  };
}

/** `COUNT.AGE`, the age in seconds; anything else is no report. */
const REPORT = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,9})$/;

function sightingOf({ store, user, lastSeenAt, report, reportedAt }: Unwritten): Sighting {
  const [count, age] = (report ?? '').split('.').map(Number);
  return { store, user, lastSeenAt, pending: report === null ? null : { count: count!, oldestAgeMs: age! * 1_000, reportedAt } };
}

async function writeSightings(transaction: StoreTransaction, sightings: readonly Sighting[]): Promise<void> {
  const stored = await transaction.getFacts(FACT_KINDS.device, sightings.map(({ store }) => store));
  const before = new Map(stored.map((fact) => [fact.key, fact]));
  await transaction.putFacts(
    sightings.flatMap(({ store, user, lastSeenAt, pending }): Fact[] => {
      const known = before.get(store);
      // Another server may have heard of it since; and not every request says what is pending.
      if (known !== undefined && known.createdAt > lastSeenAt) return [];
      const body = encodeEnvelope({ pending: pending ?? (known === undefined ? null : readSighting(known).pending) });
      return [{ kind: FACT_KINDS.device, key: store, user, createdAt: lastSeenAt, body }];
    }),
  );
}

/** Reads what {@link createDeviceSightings} wrote. */
export function readSighting({ key, user, createdAt, body }: Fact): Sighting {
  const { pending } = decodeEnvelope(body) as { readonly pending: ReportedPending | null };
  return { store: key, user, lastSeenAt: createdAt, pending };
}
