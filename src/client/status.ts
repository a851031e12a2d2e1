import type { FaultShape } from '../shared/fault.ts';
import type { DownloadProgress, SyncStatus } from './engine.ts';
import type { QueueEntry } from './queue-entry.ts';

/** Everything that the status is made of. */
export interface StatusInput {
  readonly pending: number;
  readonly syncErrors: number;
  readonly drafts: number;
  readonly notices: number;
  readonly oldestPendingAt: number | null;
  readonly hasFeedGap: boolean;
  readonly lastDownloadAt: number | null;
  readonly isOnline: boolean;
  readonly needsAuth: boolean;
  readonly revoked: boolean;
  readonly upgradeRequired: boolean;
  readonly retryInMs: number | null;
  readonly progress: DownloadProgress | null;
  readonly lastFault: FaultShape | null;
}

/** Sums the status up; the first state that holds wins (rules B8–B13). It never says `upToDate` while anything is unsettled. */
export function summariseStatus(input: StatusInput): SyncStatus {
  return { ...input, state: stateOf(input) };
}

function stateOf({ pending, syncErrors, hasFeedGap, needsAuth, revoked, upgradeRequired, progress }: StatusInput): SyncStatus['state'] {
  if (progress !== null) return 'active';
  if (syncErrors > 0 || needsAuth || revoked || upgradeRequired) return 'error';
  return pending > 0 || hasFeedGap ? 'pending' : 'upToDate';
}

/** Device time of the oldest save that is not settled. */
export function oldestPending(entries: Iterable<QueueEntry>): number | null {
  for (const { state, savedAt } of entries) if (state !== 'failed') return savedAt;
  return null;
}
