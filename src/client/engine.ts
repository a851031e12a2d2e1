import type { FieldValue } from '../protocol/field.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import type { JournalEntry } from './queue/journal.ts';
import type { Notice } from './answers/notices.ts';
import type { EntryOutcome, RecordRef } from './queue/outcomes.ts';
import type { SyncReason } from './inbox/explain.ts';
import type { DraftAnswer, DraftInfo, DraftRequest } from './drafts/draft.ts';
import type { HandleAnswer, HandleMode, HandleRequest, HandleView } from './handles/handle.ts';
import type { Query } from './read/query.ts';
import type { SignOutOptions, Unsent, WipeOptions } from './inbox/sign-out.ts';
import type { ExportedEntry, Fix, Resolution, ResolutionOutcome, ResolutionReceipt, SyncError, UndoReceipt } from './inbox/sync-error.ts';
import type { SyncEvent } from './sync-event.ts';
import type { SyncStatus } from './status.ts';
import type { Change } from './queue/transaction.ts';

/**
 * What the sync engine does, in calls that take and give plain data, so that the same engine answers in place or behind a worker. The
 * typed facade (`sync-client.ts`) is what hosts hold.
 */
export interface SyncEngine extends RecordCalls, PeopleCalls, ServerCalls {
  /** Resolves when the store is open; every other call waits for it. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Reading and changing records. */
export interface RecordCalls {
  /** Queues a create (rule A11); resolves when it is durable. `id` is the host's own id at birth. */
  create(object: string, values: Readonly<Record<string, unknown>>, id?: string): Promise<SaveReceipt>;
  /** Queues an edit of the given fields. `entry` is `null` when nothing really changed. */
  update(object: string, id: string, values: Readonly<Record<string, unknown>>, seen?: Readonly<Record<string, unknown>>): Promise<SaveReceipt>;
  /** Queues a delete. */
  remove(object: string, id: string): Promise<SaveReceipt>;
  /** Queues changes of one transaction group as one entry (rule A15). */
  save(changes: readonly Change[]): Promise<TransactionReceipt>;
  /** Works on drafts (rule A12). */
  draft(request: DraftRequest): Promise<DraftAnswer>;
  /** Calls with all open drafts now and after each change of them. */
  watchDrafts(listener: (drafts: readonly DraftInfo[]) => void): Promise<Unsubscribe>;
  /**
   * Opens a record (rule A36), and calls with what it shows now and after each change of that. To stop listening is to close it.
   */
  watchHandle(object: string, id: string, mode: HandleMode, listener: (view: HandleView) => void): Promise<Unsubscribe>;
  /** Works on open records, and reads what waits until they are closed. */
  handle(request: HandleRequest): Promise<HandleAnswer>;
  /** Takes back a delete that was not sent yet. */
  restore(object: string, id: string): Promise<SaveReceipt>;
  /** Reads one record by its id at birth or its Record ID; `null` when there is none. */
  get(object: string, id: string): Promise<RecordView | null>;
  /** Downloads one record with its group and merges it. `null` when it does not exist or may not be seen. */
  fetch(object: string, id: string): Promise<RecordView | null>;
  query(query: Query): Promise<readonly RecordView[]>;
  /** Calls with the answer now and after each change of it. */
  watchQuery(query: Query, listener: (records: readonly RecordView[]) => void): Promise<Unsubscribe>;
  watchRecord(object: string, id: string, listener: (record: RecordView | null) => void): Promise<Unsubscribe>;
  /** Waits until an entry is settled; at once when it is. */
  outcome(entry: number): Promise<EntryOutcome>;
}

/** What people see of their changes that did not simply arrive, what they decide, and how they leave. */
export interface PeopleCalls {
  listSyncErrors(): Promise<readonly SyncError[]>;
  watchSyncErrors(listener: (errors: readonly SyncError[]) => void): Promise<Unsubscribe>;
  /** Takes a refused change back, with all that depends on it; the record becomes what it is online (rule B13). */
  undo(syncError: number): Promise<UndoReceipt>;
  /** Resolves a refused change in any of its ways. */
  resolve(syncError: number, action: Resolution, fix?: Fix): Promise<ResolutionReceipt>;
  /** Resolves several in one way, and answers for each what happened. */
  resolveAll(syncErrors: readonly number[] | 'all', action: Resolution): Promise<readonly ResolutionOutcome[]>;
  /** Hands out what waits and what was refused, as plain data; `all` with the drafts. */
  exportEntries(entries: readonly number[] | 'all'): Promise<readonly ExportedEntry[]>;
  /** Why a record is not in step with the server; nothing when it is. */
  explain(object: string, id: string): Promise<readonly SyncReason[]>;
  /** What left the queue without being saved online, of one entry or of all, for 30 days (rule C11). */
  readJournal(entry?: number): Promise<readonly JournalEntry[]>;
  /** What the user is to know, oldest first (rules A22, A23, A24, A27). */
  listNotices(): Promise<readonly Notice[]>;
  watchNotices(listener: (notices: readonly Notice[]) => void): Promise<Unsubscribe>;
  /** Notes that the user has read a notice; it is kept for 30 days more. */
  acknowledgeNotice(notice: number): Promise<void>;
  /** Closes the engine unless there is unsent work that the call says nothing of. */
  signOut(options: SignOutOptions): Promise<Unsent>;
  /** Closes the engine and removes everything of its store. */
  wipe(options: WipeOptions): Promise<void>;
}

/** Where the device stands with the server, and what moves it on. */
export interface ServerCalls {
  status(): Promise<SyncStatus>;
  watchStatus(listener: (status: SyncStatus) => void): Promise<Unsubscribe>;
  watchEvents(listener: (event: SyncEvent) => void): Promise<Unsubscribe>;
  /** Downloads all that the user may see; staged, applied in one commit, resumed where it stopped. */
  download(): Promise<DownloadReceipt>;
  /** Polls the feed and sends what waits, now. */
  wake(): Promise<void>;
  /**
   * Sends what can be sent and reads the feed to its end; resolves with the status when both are done or cannot go on. For background
   * tasks that get a few seconds, and for tests.
   */
  exchange(): Promise<SyncStatus>;
  /** Asks again whether the platform promised to keep the store (rule A8), and shows it in the status. `null`: nobody can say. */
  checkStorage(): Promise<boolean | null>;
  /** What the host knows of network and visibility; a hint (rule A13) that pauses and resumes. */
  setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void>;
}

/** Whether the app may talk to the server at all. */
export interface Lifecycle {
  /** What the platform says of the network; a hint (rule A13). While it is `false` nothing is sent by itself. */
  readonly isOnline: boolean;
  /** Whether the app is seen; in the background nothing is sent or asked for by itself (rule A16). */
  readonly isForeground: boolean;
}

/** What a save answers once it is durable on this device. */
export interface SaveReceipt {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1), also where the call named it by its Record ID. */
  readonly id: string;
  /** Names the queue entry for `outcome`; `null` when the save changed nothing and nothing was queued. */
  readonly entry: number | null;
  /**
   * The fields of this save that others have changed online as well, as this device knows already: the server will say which counts (rule
   * A37). Left out where there are none.
   */
  readonly overlaps?: readonly string[];
}

/** What a transaction answers once it is durable on this device. */
export interface TransactionReceipt {
  /** Names the queue entry for `outcome`; `null` when nothing really changed. */
  readonly entry: number | null;
  /** The records of the changes, in their order, by their ids at birth; with `overlaps` as a {@link SaveReceipt} has them. */
  readonly records: readonly (RecordRef & Pick<SaveReceipt, 'overlaps'>)[];
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

/** What a download brought. */
export interface DownloadReceipt {
  /** Records downloaded, unchanged ones included. */
  readonly records: number;
  /** Records that left this device because the user may no longer see them, or they are gone. */
  readonly removed: number;
  /** Bytes of their rows, as they lay in the server's messages. */
  readonly bytes: number;
}
