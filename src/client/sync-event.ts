import type { FeedGap, RefusalClass } from '../protocol/messages.ts';
import type { FaultShape } from '../shared/fault.ts';
import type { HandleMode } from './handles/handle.ts';
import type { Notice } from './answers/notices.ts';
import type { SyncStatus } from './status.ts';
import type { Resolution } from './inbox/sync-error.ts';

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
      /** Somebody has opened a record (rule A36), or closed it again. */
      readonly type: 'handle:opened' | 'handle:closed';
      /** Names the open record: one that is open twice has two. */
      readonly handle: number;
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** What it was opened for. */
      readonly mode: HandleMode;
    }
  | {
      /** A guard of the host failed, or took longer than 5 seconds: the save goes on without it (rule A37). */
      readonly type: 'guard:failed';
      /** The object's name in the schema. */
      readonly object: string;
      /** The record's id at birth (rule C1). */
      readonly id: string;
      /** What went wrong. */
      readonly fault: FaultShape;
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
      /** What is in the way: a change that waits, one that was refused, a person who has it open, or a member of its group that is not here. */
      readonly reason: 'pending' | 'in-error' | 'in-use' | 'incomplete';
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
      /** A part of a transaction that is larger than a page is here; nothing of it is merged before all of it is (rule A35). */
      readonly type: 'feed:part-staged';
      /** Counts the parts, from 0. */
      readonly place: number;
      /** How often the records have changed meanwhile, so that the device had to begin anew. */
      readonly restarts: number;
    }
  | {
      /** A transaction that came in parts is taken in, at once; its records are not told of one by one. */
      readonly type: 'feed:parts-applied';
      /** How many parts it had. */
      readonly parts: number;
      /** Records of it, those that were not needed included. */
      readonly records: number;
      /** Records that must not be merged into now (rules A34, A39). */
      readonly keptAside: number;
    }
  | {
      /** The feed no longer reaches back to where this device stopped: a download closes the gap (rule A31). */
      readonly type: 'feed:gap-found';
      /** Why the server did not take the cursor. */
      readonly reason: FeedGap;
    }
  | {
      /** A download begins. */
      readonly type: 'download:started';
      /** Whether it goes on where one of the last 12 hours was cut off. */
      readonly isResumed: boolean;
    }
  | {
      /** All that was downloaded is in place. */
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
      /** This tab has another part among the tabs of its profile (rule C10). */
      readonly type: 'tab:role-taken';
      /** `leader`: it has the store and works for all. `follower`: it asks the one that has. */
      readonly role: 'leader' | 'follower';
    }
  | {
      /** The state of the status is another one. */
      readonly type: 'status:changed';
      /** The state now; `client.status` has the numbers. */
      readonly state: SyncStatus['state'];
    };
