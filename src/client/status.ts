import type { FaultShape } from '../shared/fault.ts';
import type { QueueEntry } from './queue/queue-entry.ts';
import type { ParkedGroup } from './store/parked.ts';
import type { Key } from './store/record-key.ts';

/** The numbers behind the status widget (rules B8–B13). */
export interface SyncStatus {
  /** `overdue` comes with the admin's limit (rule B12). */
  readonly state: 'upToDate' | 'active' | 'pending' | 'overdue' | 'error';
  /** Entries that are not settled, the one in flight included. */
  readonly pending: number;
  /** Device time of the oldest pending save, milliseconds since 1970. */
  readonly oldestPendingAt: number | null;
  /** Refused changes that wait for the user; they are not counted as pending. */
  readonly syncErrors: number;
  /** Drafts that are neither saved nor discarded (rule A12). */
  readonly drafts: number;
  /** Notices that the user has not acknowledged; a badge, not a state. */
  readonly notices: number;
  /**
   * Groups of records, and records by themselves, of which a newer version waits: until whoever has it open leaves it, or until all of it is
   * here (rules A35, A36). What waits for pending changes does not count.
   */
  readonly parked: number;
  /** Device time since when the oldest of them waits, milliseconds since 1970; `null` while there is none. */
  readonly oldestParkedAt: number | null;
  /** Entries may be missing since the last download; a download closes the gap (rule A31). */
  readonly hasFeedGap: boolean;
  /** Server time of the last applied download; `null` before the first. */
  readonly lastDownloadAt: number | null;
  /** Whether the platform promised to keep the store; `false`: it may throw unsent work away when room gets short (rule A8). `null`: nobody can say. */
  readonly storagePersisted: boolean | null;
  /** What the host last said of the network; see `lastFault` for what requests found. */
  readonly isOnline: boolean;
  /** The server refused the token, or there is none: nothing is sent until `wake()` after a sign-in. */
  readonly needsAuth: boolean;
  /** The server takes nothing from this device any more: nothing is sent or asked for until the next start. What waits can be exported. */
  readonly revoked: boolean;
  /** The server no longer speaks this build's protocol: nothing is sent until the app is updated. */
  readonly upgradeRequired: boolean;
  /** Milliseconds until the next attempt after a failure; `null` when none is waited for. */
  readonly retryInMs: number | null;
  /** A running download. */
  readonly progress: DownloadProgress | null;
  /** What last went wrong on the way to the server; stays until the next success. */
  readonly lastFault: FaultShape | null;
}

/** How far a download is. */
export interface DownloadProgress {
  /** `uploading`: what waits goes up first. `downloading`: pages are staged. `applying`: page by page, and seen once all are; also where an opening ends what was begun. */
  readonly stage: 'uploading' | 'downloading' | 'applying';
  /** Records staged so far; a resumed download counts those of before. */
  readonly records: number;
  /** Bytes of their rows so far, as they lie in the server's messages. */
  readonly bytes: number;
}

/** Everything that the status is made of. */
export type StatusInput = Omit<SyncStatus, 'state'>;

/** Sums the status up; the first state that holds wins (rules B8–B13). It never says `upToDate` while anything is unsettled. */
export function summariseStatus(input: StatusInput): SyncStatus {
  return { ...input, state: stateOf(input) };
}

function stateOf({ pending, syncErrors, hasFeedGap, needsAuth, revoked, upgradeRequired, progress }: StatusInput): SyncStatus['state'] {
  if (progress !== null) return 'active';
  if (syncErrors > 0 || needsAuth || revoked || upgradeRequired) return 'error';
  return pending > 0 || hasFeedGap ? 'pending' : 'upToDate';
}

/** What is kept aside though nothing of the user's is in the way. */
export function countParked({ parked, isBusy }: { readonly parked: ReadonlyMap<Key, ParkedGroup>; isBusy(key: Key): boolean }): Pick<SyncStatus, 'parked' | 'oldestParkedAt'> {
  const waiting = [...parked.values()].filter(({ headers, members }) => ![...headers, ...members.keys()].some(isBusy));
  return { parked: waiting.length, oldestParkedAt: waiting.length === 0 ? null : Math.min(...waiting.map(({ since }) => since)) };
}

/** Device time of the oldest save that is not settled. */
export function oldestPending(entries: Iterable<QueueEntry>): number | null {
  for (const { state, savedAt } of entries) if (state !== 'failed') return savedAt;
  return null;
}
