import type { Clock } from '../shared/clock.ts';
import { FACT_KINDS, REFUSED_RETENTION_MS } from './fact-kinds.ts';
import type { ServerLogEvent } from './server-parts.ts';
import type { ServerStore } from './store/server-store.ts';

const INTERVAL_MS = 3_600_000;

/** Removes what is older than its retention, once an hour for each tenant that saves. */
export interface Pruner {
  /** Prunes when it is time; a failure is logged and comes up again the next hour. */
  pruneWhenDue(tenant: string): Promise<void>;
}

export interface PrunerOptions {
  readonly store: ServerStore;
  readonly clock: Clock;
  readonly retentionMs: number;
  readonly receiptRetentionMs: number;
  /** `Infinity` for ever. */
  readonly auditRetentionMs: number;
  readonly log: (event: ServerLogEvent) => void;
}

/** Makes a {@link Pruner}. It runs along with uploads rather than on a timer, so an idle server does nothing and nothing has to be stopped. */
export function createPruner({ store, clock, retentionMs, receiptRetentionMs, auditRetentionMs, log }: PrunerOptions): Pruner {
  const prunedAt = new Map<string, number>();
  let turnedAt: number | undefined;

  /** Once an hour, whoever saves. */
  async function turnDays(): Promise<void> {
    if (turnedAt !== undefined && clock.monotonic() - turnedAt < INTERVAL_MS) return;
    turnedAt = clock.monotonic();
    try {
      await store.turnDays?.(clock.now(), retentionMs);
    } catch (cause) {
      log({ level: 'warning', event: 'prune:failed', message: 'the days of the feeds could not be turned', cause });
    }
  }

  return {
    async pruneWhenDue(tenant) {
      const last = prunedAt.get(tenant);
      if (last !== undefined && clock.monotonic() - last < INTERVAL_MS) return;
      prunedAt.set(tenant, clock.monotonic());
      await turnDays();
      const now = clock.now();
      try {
        await store.run(tenant, async (transaction) => {
          await transaction.prune({ feedBefore: now - retentionMs, receiptsBefore: now - receiptRetentionMs });
          await transaction.pruneFacts(FACT_KINDS.refused, now - REFUSED_RETENTION_MS);
          // A record's newest is as old as the mark that leads to it: what is left is never out of reach.
          for (const kind of Number.isFinite(auditRetentionMs) ? [FACT_KINDS.audit, FACT_KINDS.auditHead] : []) await transaction.pruneFacts(kind, now - auditRetentionMs);
        });
      } catch (cause) {
        log({ level: 'warning', event: 'prune:failed', message: 'old feed rows, receipts, refused entries and overwritten values could not be removed', cause });
      }
    },
  };
}
