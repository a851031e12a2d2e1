import type { ProtocolLimits } from './limits.ts';
/**
 * The messages. Each body is one msgpack map ("envelope") with short text keys; records travel inside it as one `items` binary of
 * canonical msgpack (see items.ts), which refers to `layouts` by index. docs/PROTOCOL.md is the whole of it in words.
 */

/** A layout on the wire: `[object, [[field, type code], …]]`. */
export type WireLayout = readonly [object: string, fields: readonly (readonly [name: string, type: number])[]];

/** A place in a user's feed. `feed` is random per user, so a cursor of somebody else is recognised and refused. */
export interface FeedCursor {
  readonly feed: string;
  readonly epoch: number;
  /** The last position read; 0 before the first. */
  readonly position: number;
}

/** What every answer says of the server. */
export interface ServerStamp {
  /** Server time in milliseconds since 1970. */
  readonly time: number;
  readonly epoch: number;
  /** Newest position of this user's feed. */
  readonly head: number;
  /** When to poll next, in milliseconds; `null` leaves it to the device (rule A33). */
  readonly nextPollMs: number | null;
  /** Hash of the server's schema. */
  readonly schema: string;
}

/** Echoed by every answer, so that a stale or misrouted one is recognised. */
export interface AnswerHead {
  readonly protocol: number;
  readonly store: string;
  readonly attempt: string;
  readonly server: ServerStamp;
}

/** Paths below the server's base URL. */
export const PATHS = { hello: 'hello', upload: 'upload', void: 'void', feed: 'feed', snapshot: 'snapshot', record: 'record', hints: 'hints' } as const;

/** The content type of every body, in both directions. Anything else is not an answer of ours. */
export const CONTENT_TYPE = 'application/vnd.fieldtide+msgpack';

/** Request headers, and the answer headers that stand in for a body on a 204. */
export const HEADERS = {
  protocol: 'fieldtide-protocol',
  store: 'fieldtide-store',
  attempt: 'fieldtide-attempt',
  /** With polls: `COUNT.AGE`, the entries not yet settled and the age of the oldest in whole seconds (rule A3). */
  pending: 'fieldtide-pending',
  time: 'fieldtide-time',
  epoch: 'fieldtide-epoch',
  head: 'fieldtide-head',
  nextPoll: 'fieldtide-next-poll',
  schema: 'fieldtide-schema',
} as const;

/** `GET hello` → what the server accepts. */
export interface HelloAnswer extends AnswerHead {
  readonly protocols: readonly number[];
  readonly user: string;
  readonly limits: ProtocolLimits;
  /** There are hints to listen for, see `PATHS.hints`. */
  readonly hints: boolean;
}

/** Names one record. */
export interface WireRecord {
  readonly object: string;
  /** Its id at birth (rule C1). */
  readonly id: string;
}

/** The record that leads a transaction group, at the version that the user saw; 0, 0 when the entry creates it (rule A15). */
export interface WireHeader extends WireRecord {
  readonly epoch: number;
  readonly n: number;
}

/** One saved transaction on its way up. Its items are the next `members` changes of the message. */
export interface WireEntry {
  /** Upload number, unique within the store (rule C2). */
  readonly number: number;
  /** Device time of the save in milliseconds since 1970; a label. */
  readonly savedAt: number;
  readonly members: number;
  /** Who leads the groups of the members, in key order: none outside groups, two when a member moves from one group to another. */
  readonly headers: readonly WireHeader[];
  /** The entry is a copy of this record and its group, which was submitted elsewhere (rule A23): creates only, the header first. */
  readonly duplicateOf: WireRecord | null;
}

/** `POST upload`. */
export interface UploadRequest {
  readonly protocol: number;
  readonly store: string;
  readonly attempt: string;
  readonly schema: string;
  readonly layouts: readonly WireLayout[];
  readonly entries: readonly WireEntry[];
  readonly items: Uint8Array;
}

/** Why the server refused an entry (rule A26). */
export const REFUSAL_CLASSES = [
  'conflict',
  'validation',
  'permission',
  'locked',
  'edit-vs-delete',
  'delete-vs-edit',
  'missing-reference',
  'metadata',
  'duplicate-key',
  'too-large',
  'server-error',
  'fate-unknown',
] as const;

/**
 * Why a change was refused (rule A26). Of the records: `conflict`, changed online meanwhile in the same field (rule A19);
 * `edit-vs-delete`, deleted online meanwhile; `delete-vs-edit`, edited online meanwhile; `missing-reference`, it names a record that does
 * not exist; `duplicate-key`, its id is taken. Of the schema and the host's hooks: `validation`, `permission`, and `metadata`, the server's
 * schema does not have the object or field. Of the sync itself: `too-large`; `server-error`, not decided 20 times over an hour (rule A17);
 * `fate-unknown`, the store was copied (rule C2). Of groups: `locked`, the header is submitted, and the user could know it, or the schema
 * says that edits from elsewhere are errors, or the entry touches a second group (rules A22–A24).
 *
 * @useDeclaredType
 */
export type RefusalClass = (typeof REFUSAL_CLASSES)[number];

/** A refusal as the server states it. */
export interface Refusal {
  /** What kind of refusal it is. */
  readonly class: RefusalClass;
  /** A host's own code from a hook, or the class again. */
  readonly code: string;
  /** What the user reads. */
  readonly message: string;
  /** Index of the member in its entry. */
  readonly member: number;
  /** Fields concerned: those in conflict, or the one that a validation names. */
  readonly fields: readonly string[];
  /** Index of the record's image online among the message's items; `null` when the user may not see one. */
  readonly online: number | null;
}

/**
 * What became of one entry. `committed` are the images as that entry committed them (for rebasing, rule C5), `current` the images as
 * they are now (for merging): indices into the message's items. On a first answer both are equal.
 */
export type EntryResult =
  | {
      readonly number: number;
      readonly outcome: 'saved';
      readonly committed: readonly number[];
      readonly current: readonly number[];
      /** Of members of override objects only. */
      readonly overwritten: readonly Overwritten[];
    }
  /** `keepCleanFields`: the fields of `refusal` were refused, all others saved. Of entries with a single update. */
  | { readonly number: number; readonly outcome: 'partlySaved'; readonly refusal: Refusal; readonly committed: readonly number[]; readonly current: readonly number[] }
  | { readonly number: number; readonly outcome: 'refused'; readonly refusal: Refusal; readonly current: readonly number[] }
  /** A header was submitted elsewhere; nothing was written, and nothing of this number ever will be (rule A24). `header` is an index. */
  | { readonly number: number; readonly outcome: 'discarded'; readonly header: number; readonly current: readonly number[] }
  /** Likewise; the device now sends the whole group as a copy, in an entry with `duplicateOf` (rule A23). */
  | { readonly number: number; readonly outcome: 'needsDuplicate'; readonly header: number; readonly current: readonly number[] }
  /** The device gave the number up before anything was decided; nothing of it ever will be (rule C2). */
  | { readonly number: number; readonly outcome: 'voided' }
  /** Nothing was decided and nothing written: a hook failed or ran out of time. Send it again. */
  | { readonly number: number; readonly outcome: 'tryLater'; readonly retryAfterMs: number; readonly message: string }
  /** This number was used with other bytes: the store was copied (rule C2). */
  | { readonly number: number; readonly outcome: 'copied' };

/** What a device's change of an override object replaced (rule A22). */
export interface Overwritten {
  /** Index of the member in its entry. */
  readonly member: number;
  /** Fields whose value online was neither what the user saw nor what the user wrote. */
  readonly fields: readonly string[];
  /** Index of the record's image as it was before, among the message's items. */
  readonly was: number;
}

/**
 * `POST void` → a result per number, in order, in the shape of an upload's answer: what was decided on it, or `voided` for good
 * (rule C2). For entries of unknown fate that the user takes back.
 */
export interface VoidRequest {
  readonly protocol: number;
  readonly store: string;
  readonly attempt: string;
  readonly numbers: readonly number[];
}

/** The answer to an upload: one result per entry, in order. */
export interface UploadAnswer extends AnswerHead {
  readonly layouts: readonly WireLayout[];
  readonly results: readonly EntryResult[];
  readonly items: Uint8Array;
}

/** One save on the feed (rule A29). */
export interface FeedTransaction {
  readonly position: number;
  /** The store and upload number it came from. */
  readonly store: string;
  readonly number: number;
  /** Indices into the page's items: every record of the save, masters included. */
  readonly items: readonly number[];
}

/**
 * A transaction group that a page touches: who belongs to it as this reader may see it now, in the page's own snapshot (rule A35). The
 * device merges it whole or not at all.
 */
export interface WireGroup {
  /** The record that leads the group. */
  readonly object: string;
  readonly id: string;
  /** Indices into the page's items: members, the header included, that the page has. */
  readonly members: readonly number[];
  /** Members that the page does not have; the device must hold each at this version or a newer one. */
  readonly others: readonly WireHeader[];
}

/** Why a cursor was not taken (rule A31). */
export const FEED_GAPS = [
  /** Entries after it are no longer kept. */
  'expired',
  /** It is of another feed: of another user, or of a store that was replaced. */
  'foreign',
  /** It lies beyond the newest entry. */
  'ahead',
  /** It is from before a restore of the server. */
  'restored',
] as const;

/**
 * Why the server did not take a device's place in the feed (rule A31): see `docs/PROTOCOL.md`.
 *
 * @useDeclaredType
 */
export type FeedGap = (typeof FEED_GAPS)[number];

/** One part of a transaction that is larger than a page: the parts are staged, and applied whole after the last (rules A29, A35). */
export interface FeedPart {
  /** Names the state that all parts are of. When it changes between two of them, the device begins anew with the first. */
  readonly revision: string;
  /** Counts the parts, from 0. */
  readonly place: number;
  /** The key to ask for the next part with; `null` with the last. */
  readonly next: SnapshotKey | null;
}

/**
 * `GET feed?cursor=feed.epoch.position&limit=` → a page, or 204 when there is nothing new. With `revision`, `object` and `id`, the part
 * after that key.
 */
export interface FeedAnswer extends AnswerHead {
  readonly layouts: readonly WireLayout[];
  readonly from: FeedCursor;
  readonly next: FeedCursor;
  /** There is more to read at once. */
  readonly more: boolean;
  /**
   * Why the cursor was not taken; `null` when it was. Entries may be missing before `from`, which is the oldest place that can be read.
   * The device notes a gap and goes on from there (rule A31).
   */
  readonly gap: FeedGap | null;
  readonly transactions: readonly FeedTransaction[];
  /** The groups that the items belong to. */
  readonly groups: readonly WireGroup[];
  /** Set when the page is part of a transaction, and of those that need no other records; `next` moves on with the last part only. */
  readonly part: FeedPart | null;
  /** Indices of the live items that a download leaves out: the feed does not check scopes (rule A32). */
  readonly outside: readonly number[];
  readonly items: Uint8Array;
}

/** Where a snapshot page ends: the last key read. */
export interface SnapshotKey {
  readonly object: string;
  readonly id: string;
}

/** `GET snapshot?object=&id=&limit=` → everything the user may see that is in scope, in key order. */
export interface SnapshotAnswer extends AnswerHead {
  readonly layouts: readonly WireLayout[];
  /** Where to read the feed from once the snapshot that *began* with this page is applied. */
  readonly cursor: FeedCursor;
  /** The key to ask the next page with; `null` on the last page. */
  readonly next: SnapshotKey | null;
  readonly items: Uint8Array;
}

/** `GET record?object=&id=` → a record with its group: parent, and children of group relations. */
export interface RecordAnswer extends AnswerHead {
  readonly layouts: readonly WireLayout[];
  /** The record's group, if it is in one and may be seen. */
  readonly groups: readonly WireGroup[];
  /** As in a page of the feed. */
  readonly outside: readonly number[];
  readonly items: Uint8Array;
}

/** The body of any answer with status 400 and up. */
export interface FaultAnswer {
  readonly protocol: number;
  readonly error: { readonly code: string; readonly message: string };
  readonly retryAfterMs?: number;
}

/** Writes a cursor as it stands in a query string. */
export function formatCursor(cursor: FeedCursor): string {
  return `${cursor.feed}.${cursor.epoch}.${cursor.position}`;
}

/** Reads a cursor from a query string; `null` when it is none. */
export function parseCursor(text: string): FeedCursor | null {
  const parts = /^([A-Za-z0-9-]{1,64})\.(\d{1,9})\.(\d{1,15})$/.exec(text);
  return parts === null ? null : { feed: parts[1]!, epoch: Number(parts[2]), position: Number(parts[3]) };
}
