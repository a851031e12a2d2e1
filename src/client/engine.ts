import type { FieldValue } from '../protocol/field.ts';
import type { RefusalClass } from '../protocol/messages.ts';
import type { FaultShape } from '../shared/fault.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import type { JournalEntry } from './journal.ts';
import type { Notice } from './notices.ts';
import type { EntryOutcome, RecordRef } from './outcomes.ts';
import type { SyncReason } from './explain.ts';
import type { DraftAnswer, DraftInfo, DraftRequest } from './draft.ts';
import type { Query } from './query.ts';
import type { SignOutOptions, Unsent, WipeOptions } from './sign-out.ts';
import type { ExportedEntry, Fix, Resolution, ResolutionOutcome, ResolutionReceipt, SyncError, UndoReceipt } from './sync-error.ts';
import type { Change } from './transaction.ts';

export type { JournalEntry, JournalMember, JournalReason } from './journal.ts';
export type { Notice, NoticeBase, NoticeSubject, OverwrittenField } from './notices.ts';
export type { DraftInfo, DraftReceipt, DraftRecord } from './draft.ts';
export type { EntryOutcome, RecordRef } from './outcomes.ts';
export type { Change } from './transaction.ts';
export type { SyncReason } from './explain.ts';
export type { SignOutOptions, Unsent, WipeOptions } from './sign-out.ts';
export type {
  ExportedEntry,
  Fix,
  FixedMember,
  Resolution,
  ResolutionOutcome,
  ResolutionReceipt,
  SyncError,
  SyncErrorAction,
  SyncErrorDependant,
  SyncErrorField,
  SyncErrorMember,
  UndoReceipt,
} from './sync-error.ts';

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
  update(object: string, id: string, values: Readonly<Record<string, unknown>>, seen?: Readonly<Record<string, unknown>>): Promise<SaveReceipt>;
  /** Queues a delete. */
  remove(object: string, id: string): Promise<SaveReceipt>;
  /** Queues changes of one transaction group as one entry (rule A15). */
  save(changes: readonly Change[]): Promise<TransactionReceipt>;
  /** Works on drafts (rule A12). */
  draft(request: DraftRequest): Promise<DraftAnswer>;
  /** Calls with all open drafts now and after each change of them. */
  watchDrafts(listener: (drafts: readonly DraftInfo[]) => void): Promise<Unsubscribe>;
  /** Takes back a delete that was not sent yet. */
  restore(object: string, id: string): Promise<SaveReceipt>;
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
  /** Resolves a refused change in any of its ways. */
  resolve(syncError: number, action: Resolution, fix?: Fix): Promise<ResolutionReceipt>;
  /** Resolves several in one way, and answers for each what happened. */
  resolveAll(syncErrors: readonly number[] | 'all', action: Resolution): Promise<readonly ResolutionOutcome[]>;
  /** Hands out what waits and what was refused, as plain data; `all` with the drafts. */
  exportEntries(entries: readonly number[] | 'all'): Promise<readonly ExportedEntry[]>;
  /** Why a record is not in step with the server; nothing when it is. */
  explain(object: string, id: string): Promise<readonly SyncReason[]>;
  /** Closes the engine unless there is unsent work that the call says nothing of. */
  signOut(options: SignOutOptions): Promise<Unsent>;
  /** Closes the engine and removes everything of its store. */
  wipe(options: WipeOptions): Promise<void>;
  /** What left the queue without being saved online, of one entry or of all, for 30 days (rule C11). */
  readJournal(entry?: number): Promise<readonly JournalEntry[]>;
  /** What the user is to know, oldest first (rules A22, A23, A24, A27). */
  listNotices(): Promise<readonly Notice[]>;
  watchNotices(listener: (notices: readonly Notice[]) => void): Promise<Unsubscribe>;
  /** Notes that the user has read a notice; it is kept for 30 days more. */
  acknowledgeNotice(notice: number): Promise<void>;
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
}

/** What a transaction answers once it is durable on this device. */
export interface TransactionReceipt {
  /** Names the queue entry for `outcome`; `null` when nothing really changed. */
  readonly entry: number | null;
  /** The records of the changes, in their order, by their ids at birth. */
  readonly records: readonly RecordRef[];
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
  /** Entries may be missing since the last download; a download closes the gap (rule A31). */
  readonly hasFeedGap: boolean;
  /** Server time of the last applied download; `null` before the first. */
  readonly lastDownloadAt: number | null;
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
  /** `uploading`: what waits goes up first. `downloading`: pages are staged. `applying`: all of them in one commit. */
  readonly stage: 'uploading' | 'downloading' | 'applying';
  /** Records staged so far; a resumed download counts those of before. */
  readonly records: number;
  /** Bytes of their rows so far, as they lie in the server's messages. */
  readonly bytes: number;
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

/** What the engine did, for hosts that log, badge or debug. Values never travel in events. */
export type SyncEvent =
  | {
      /** A save is durable and waits to be sent (rule A11). */
      readonly type: 'change:queued';
      /** The number of the queue entry. */
      readonly entry: number;
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** `create`, `update` or `remove`. */
      readonly op: string;
      /** The fields that go up; none for a delete. */
      readonly fields: readonly string[];
    }
  | {
      /** Nothing of an entry is left to send: a later save took it back before it was sent (rule C8). */
      readonly type: 'change:withdrawn';
      /** The number of the queue entry. */
      readonly entry: number;
    }
  | {
      /** A draft of an earlier run is there (rule A12). */
      readonly type: 'draft:found';
      /** Its id, for `drafts.open`. */
      readonly draft: string;
    }
  | {
      /** Something happened to a draft. */
      readonly type: 'draft:changed';
      /** Its id. */
      readonly draft: string;
      /** `opened` also where a second one joined it. */
      readonly change: 'opened' | 'edited' | 'saved' | 'discarded';
    }
  | {
      /** A request with entries is about to go out. */
      readonly type: 'upload:started';
      /** The numbers of the entries, in the order of saves. */
      readonly entries: readonly number[];
      /** Bytes of their changes. */
      readonly bytes: number;
    }
  | {
      /** The server saved a record of an entry; there is one such event for each. */
      readonly type: 'upload:accepted';
      /** The number of the queue entry. */
      readonly entry: number;
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** Fields in which the saved record differs from what the user saw: numbers, formulas, edits of others (rule A27). */
      readonly changedByServer: readonly string[];
    }
  | {
      /** The server refused an entry; a `sync-error:raised` follows. */
      readonly type: 'upload:refused';
      /** The number of the queue entry. */
      readonly entry: number;
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** Why it was refused (rule A26). */
      readonly reason: RefusalClass;
      /** The fields that caused it, where it has to do with fields. */
      readonly fields: readonly string[];
    }
  | {
      /** The server could not decide an entry; it is sent again later (rule A17). */
      readonly type: 'upload:deferred';
      /** The number of the queue entry. */
      readonly entry: number;
      /** How long the server asks to wait, in milliseconds. */
      readonly retryAfterMs: number;
      /** The server's sentence, for logs. */
      readonly reason: string;
    }
  | {
      /** There was no answer that counts: no network, a fault of the server, something in between that answers in its place. */
      readonly type: 'request:failed';
      /** What the request was for. */
      readonly purpose: 'upload' | 'feed' | 'snapshot' | 'record' | 'hello';
      /** What went wrong. */
      readonly fault: FaultShape;
      /** The least time until the next attempt, in milliseconds: back-off may add to it. `null` when there is none by itself. */
      readonly retryInMs: number | null;
    }
  | {
      /** A page of the feed came in, or the answer that there is nothing new. */
      readonly type: 'feed:polled';
      /** Saves on the page; 0 when there is nothing new. */
      readonly transactions: number;
      /** The newest position of the feed. */
      readonly head: number;
    }
  | {
      /** A record took what the feed says. */
      readonly type: 'feed:merged';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** The fields that changed; none where the record is new here or gone. */
      readonly fields: readonly string[];
      /** What the record is now; `hidden`: the user may not see it. */
      readonly state: 'live' | 'deleted' | 'hidden';
    }
  | {
      /** A record must not be merged into now; the newest row is kept until it may (rules A39, C7). */
      readonly type: 'feed:kept-aside';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** What is in the way: a change that waits, one that was refused, or a person who has it open. */
      readonly reason: 'pending' | 'in-error' | 'in-use';
    }
  | {
      /** A row of the feed was not needed (rule C6). */
      readonly type: 'feed:skipped';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** `stale`: this device has it or a newer one. `superseded`: the same page has a newer one. */
      readonly reason: 'stale' | 'superseded';
    }
  | {
      /** The feed no longer reaches back to where this device stopped: a download closes the gap (rule A31). */
      readonly type: 'feed:gap-found';
    }
  | {
      /** A download begins. */
      readonly type: 'download:started';
      /** Whether it goes on where one of the last 12 hours was cut off. */
      readonly isResumed: boolean;
    }
  | {
      /** All that was downloaded is in place, in one commit. */
      readonly type: 'download:applied';
      /** Records downloaded, unchanged ones included. */
      readonly records: number;
      /** Records that left this device. */
      readonly removed: number;
    }
  | {
      /** A refused change waits for the user. */
      readonly type: 'sync-error:raised';
      /** The number to give to `syncErrors.undo`. */
      readonly syncError: number;
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** Why it was refused (rule A26). */
      readonly reason: RefusalClass;
    }
  | {
      /** The user decided on a refused change (rule B13). */
      readonly type: 'sync-error:resolved';
      /** Its number. */
      readonly syncError: number;
      /** How: `undelete` is the undo of a refused delete. */
      readonly action: Resolution;
    }
  | {
      /** There is something that the user is to know. */
      readonly type: 'notice:raised';
      /** Its number. */
      readonly notice: number;
      /** What kind of notice it is. */
      readonly kind: Notice['kind'];
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
    }
  | {
      /** The user has read a notice. */
      readonly type: 'notice:acknowledged';
      /** Its number. */
      readonly notice: number;
    }
  | {
      /** WebAssembly failed and something else answers: rightly, but perhaps slower. */
      readonly type: 'core:replaced';
      /** What failed: a call, the memory it asked for, or the start. */
      readonly reason: 'trapped' | 'memory-refused' | 'wasm-unavailable';
      /** The build that answers; `twin` is the one in plain JavaScript. */
      readonly answeredBy: 'scalar' | 'simd' | 'debug' | 'twin';
      /** What the platform said. */
      readonly cause: string;
    }
  | {
      /** The state of the status is another one. */
      readonly type: 'status:changed';
      /** The state now; `client.status` has the numbers. */
      readonly state: SyncStatus['state'];
    };
