import type { FieldValue } from '../protocol/field.ts';
import type { RefusalClass } from '../protocol/messages.ts';
import type { FaultShape } from '../shared/fault.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import type { Query } from './query.ts';

/**
 * What the sync engine does, in calls that take and give plain data, so that the same engine answers in place or behind a worker. The
 * typed facade (`sync-client.ts`) is what hosts hold.
 */
export interface SyncEngine {
  /** Resolves when the store is open; every other call waits for it. */
  readonly ready: Promise<void>;
  /** Queues a create (rule A11); resolves when it is durable. `id` is the host's own id at birth. */
  create(object: string, values: Readonly<Record<string, unknown>>, id?: string): Promise<SaveReceipt>;
  /** Queues an edit of the given fields. `entry` is `null` when nothing really changed. */
  update(object: string, id: string, values: Readonly<Record<string, unknown>>): Promise<SaveReceipt>;
  /** Queues a delete. */
  remove(object: string, id: string): Promise<SaveReceipt>;
  /** Reads one record by its id at birth or its Record ID; `null` when there is none. */
  get(object: string, id: string): Promise<RecordView | null>;
  query(query: Query): Promise<readonly RecordView[]>;
  /** Calls with the answer now and after each change of it. */
  watchQuery(query: Query, listener: (records: readonly RecordView[]) => void): Promise<Unsubscribe>;
  watchRecord(object: string, id: string, listener: (record: RecordView | null) => void): Promise<Unsubscribe>;
  /** Waits until an entry is settled; at once when it is. */
  outcome(entry: number): Promise<EntryOutcome>;
  status(): Promise<SyncStatus>;
  watchStatus(listener: (status: SyncStatus) => void): Promise<Unsubscribe>;
  listSyncErrors(): Promise<readonly SyncError[]>;
  watchSyncErrors(listener: (errors: readonly SyncError[]) => void): Promise<Unsubscribe>;
  /** Takes a refused change back, with all that depends on it; the record becomes what it is online (rule B13). */
  undo(syncError: number): Promise<UndoReceipt>;
  watchEvents(listener: (event: SyncEvent) => void): Promise<Unsubscribe>;
  /** Downloads all that the user may see; staged, applied in one commit, resumed where it stopped. */
  download(): Promise<DownloadReceipt>;
  /** Downloads one record with its group and merges it. `null` when it does not exist or may not be seen. */
  fetch(object: string, id: string): Promise<RecordView | null>;
  /** Polls the feed and sends what waits, now. */
  wake(): Promise<void>;
  /**
   * Sends what can be sent and reads the feed to its end; resolves with the status when both are done or cannot go on. For background
   * tasks that get a few seconds, and for tests.
   */
  exchange(): Promise<SyncStatus>;
  /** What the host knows of network and visibility; a hint (rule A13) that pauses and resumes. */
  setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void>;
  close(): Promise<void>;
}

/** Whether the app may talk to the server at all. */
export interface Lifecycle {
  readonly isOnline: boolean;
  readonly isForeground: boolean;
}

/** What a save answers once it is durable on this device. */
export interface SaveReceipt {
  readonly object: string;
  readonly id: string;
  /** Names the queue entry for `outcome`; `null` when the save changed nothing and nothing was queued. */
  readonly entry: number | null;
}

/** Where a record stands between device and server. */
export type RecordSyncState = 'synced' | 'waiting' | 'sending' | 'error';

/** A record as the user sees it: the last server row with the user's own changes on top. */
export interface RecordView {
  readonly object: string;
  readonly id: string;
  readonly values: Readonly<Record<string, FieldValue>>;
  readonly syncState: RecordSyncState;
}

/** How an entry ended, or that it has not. */
export type EntryOutcome =
  | { readonly kind: 'saved' }
  | { readonly kind: 'refused'; readonly syncError: number }
  | { readonly kind: 'undone' };

/** The numbers behind the status widget (rules B8–B13). */
export interface SyncStatus {
  /** `overdue` comes with the admin's limit (rule B12). */
  readonly state: 'upToDate' | 'active' | 'pending' | 'overdue' | 'error';
  /** Entries that are not settled, the one in flight included. */
  readonly pending: number;
  /** Device time of the oldest pending save, milliseconds since 1970. */
  readonly oldestPendingAt: number | null;
  readonly syncErrors: number;
  /** Entries may be missing since the last download; a download closes the gap (rule A31). */
  readonly hasFeedGap: boolean;
  /** Server time of the last applied download; `null` before the first. */
  readonly lastDownloadAt: number | null;
  readonly isOnline: boolean;
  readonly needsAuth: boolean;
  readonly upgradeRequired: boolean;
  /** Milliseconds until the next attempt after a failure; `null` when none is waited for. */
  readonly retryInMs: number | null;
  /** A running download. */
  readonly progress: DownloadProgress | null;
  /** What last went wrong on the way to the server; stays until the next success. */
  readonly lastFault: FaultShape | null;
}

export interface DownloadProgress {
  readonly stage: 'uploading' | 'downloading' | 'applying';
  readonly records: number;
  readonly bytes: number;
}

/** Values of one field in a sync error: what the user saw, what the user wrote, what is online. */
export interface SyncErrorField {
  readonly field: string;
  readonly previous: FieldValue;
  readonly mine: FieldValue;
  readonly online: FieldValue;
  /** Why the change was refused: a value in conflict, or one that validation did not take. */
  readonly isCause: boolean;
}

/** A change that the server refused: data that waits for the user, durable like the change itself. */
export interface SyncError {
  readonly id: number;
  readonly class: RefusalClass;
  readonly code: string;
  /** The server's sentence for the user. */
  readonly message: string;
  readonly object: string;
  readonly recordId: string;
  readonly op: 'create' | 'update' | 'remove';
  readonly fields: readonly SyncErrorField[];
  readonly onlineState: 'live' | 'deleted' | 'hidden' | 'unknown';
  readonly savedAt: number;
  readonly refusedAt: number;
  /** Entries that wait behind it and would be undone with it. */
  readonly dependants: readonly number[];
  /** `undelete` is the undo of a refused delete. */
  readonly actions: readonly ('undo' | 'undelete')[];
}

export interface UndoReceipt {
  /** Every entry taken back, the refused one first. Their contents are in the journal. */
  readonly entries: readonly number[];
}

export interface DownloadReceipt {
  readonly records: number;
  readonly removed: number;
  readonly bytes: number;
}

/** What the engine did, for hosts that log, badge or debug. Values never travel in events. */
export type SyncEvent =
  | { readonly type: 'change:queued'; readonly entry: number; readonly object: string; readonly id: string; readonly op: string; readonly fields: readonly string[] }
  | { readonly type: 'upload:started'; readonly entries: readonly number[]; readonly bytes: number }
  | { readonly type: 'upload:accepted'; readonly entry: number; readonly object: string; readonly id: string; readonly changedByServer: readonly string[] }
  | { readonly type: 'upload:refused'; readonly entry: number; readonly object: string; readonly id: string; readonly reason: RefusalClass; readonly fields: readonly string[] }
  | { readonly type: 'upload:deferred'; readonly entry: number; readonly retryAfterMs: number; readonly reason: string }
  | { readonly type: 'request:failed'; readonly purpose: 'upload' | 'feed' | 'snapshot' | 'record' | 'hello'; readonly fault: FaultShape; readonly retryInMs: number | null }
  | { readonly type: 'feed:polled'; readonly transactions: number; readonly head: number }
  | { readonly type: 'feed:merged'; readonly object: string; readonly id: string; readonly fields: readonly string[]; readonly state: 'live' | 'deleted' | 'hidden' }
  | { readonly type: 'feed:kept-aside'; readonly object: string; readonly id: string; readonly reason: 'pending' | 'in-error' | 'in-use' }
  | { readonly type: 'feed:skipped'; readonly object: string; readonly id: string; readonly reason: 'stale' | 'superseded' }
  | { readonly type: 'feed:gap-found' }
  | { readonly type: 'download:started'; readonly isResumed: boolean }
  | { readonly type: 'download:applied'; readonly records: number; readonly removed: number }
  | { readonly type: 'sync-error:raised'; readonly syncError: number; readonly object: string; readonly id: string; readonly reason: RefusalClass }
  | { readonly type: 'sync-error:resolved'; readonly syncError: number; readonly action: 'undo' | 'undelete' }
  /** WebAssembly failed and something else answers: rightly, but perhaps slower. */
  | { readonly type: 'core:replaced'; readonly reason: 'trapped' | 'memory-refused' | 'wasm-unavailable'; readonly answeredBy: 'scalar' | 'simd' | 'debug' | 'twin'; readonly cause: string }
  | { readonly type: 'status:changed'; readonly state: SyncStatus['state'] };
