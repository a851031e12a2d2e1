import type { Layout } from '../../protocol/layout.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { utf8 } from '../../shared/bytes.ts';
import type { Fact, FactQuery } from './fact.ts';

/** Names one record of a tenant. */
export interface RecordKey {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1): 1 to 255 bytes of text, never with U+0000. */
  readonly id: string;
}

/** A record as the store keeps it. Deleted ones stay, so that versions never restart (rule C6). */
export interface StoredRecord extends RecordKey {
  /** The version of the record's last commit (rule C6). */
  readonly version: RecordVersion;
  /** Whether the record was deleted; its row and version stay. */
  readonly isDeleted: boolean;
  /** Hash of the layout that the row was written in. */
  readonly layout: string;
  /** The canonical row; of a deleted record the last one it had. */
  readonly row: Uint8Array;
  /** The id in the object's parent field. */
  readonly parentId: string | null;
  /** The server's own Record ID (rule A27), of objects that have one. */
  readonly recordId: string | null;
}

/** A record without its row: enough to find what belongs together, and what changed. */
export interface RecordOutline extends Pick<StoredRecord, 'object' | 'id' | 'version' | 'isDeleted' | 'parentId'> {
  /** How many bytes its row has. */
  readonly byteLength: number;
}

/** What to put in place of a record. */
export interface RecordWrite extends Omit<StoredRecord, 'layout'> {
  /** The layout that the row is written in; a store keeps it under its hash. */
  readonly layout: Layout;
}

/** The state of a user's feed. */
export interface FeedState {
  /** The id that the feed was opened with; it makes cursors of others recognisable. */
  readonly feed: string;
  /** The epoch of the tenant's history, see {@link StoreView.epoch}. */
  readonly epoch: number;
  /** The newest position; 0 before the first. */
  readonly head: number;
  /** The last position that was pruned; 0 when none was. It only moves up. */
  readonly floor: number;
}

/** One saved entry on a feed. It names records; their images are read when a device polls. */
export interface FeedRow {
  /** Counts up from 1 without holes, in the order of commits (rule A29). */
  readonly position: number;
  /** Server time of the save, in milliseconds since 1970. */
  readonly createdAt: number;
  /** The device's store that the save came from. */
  readonly store: string;
  /** Its upload number (rule C2). */
  readonly number: number;
  /** Every record of the save: those uploaded, their parents at all levels, and what triggers wrote (rule A30). */
  readonly records: readonly RecordKey[];
}

/** Names one upload (rule C2). */
export interface ReceiptKey {
  /** Whose upload it is. */
  readonly user: string;
  /** The device's store; upload numbers are unique within it. */
  readonly store: string;
  /** The upload number. */
  readonly number: number;
}

/** What was decided on an upload, with a hash of what was uploaded. */
export interface Receipt {
  /** Hash of what was uploaded: the same number with another hash means that the store was copied (rule C2). */
  readonly hash: string;
  /** Server time of the decision, in milliseconds since 1970. */
  readonly createdAt: number;
  /** The decision as the server wrote it: opaque to the store, given back byte for byte. */
  readonly result: Uint8Array;
}

/** All that the answer to a poll with nothing new depends on. */
export interface DeviceHead {
  /** The feed of the owner; `null` until it is opened. */
  readonly feed: FeedState | null;
  /** The user that the device's store is bound to; `null` until it is. */
  readonly owner: string | null;
  /** Whether there is a fact of the kind asked for with the store's identity as its key; `false` while the store is bound to nobody. */
  readonly hasFact: boolean;
}

/** Reads of one tenant, all from one snapshot. */
export interface StoreView {
  /** The epoch of the tenant's history; 1 at first, raised after a restore from a backup. */
  epoch(): Promise<number>;
  /** The records of these keys that were ever saved, deleted ones included. */
  getRecords(keys: readonly RecordKey[]): Promise<readonly StoredRecord[]>;
  /** Live records of an object with ids after `afterId`, in order of the ids' UTF-8 bytes. */
  scanRecords(object: string, afterId: string | null, limit: number): Promise<readonly StoredRecord[]>;
  /** Live records of an object whose parent field names `parentId`, in id order. */
  listChildren(object: string, parentId: string): Promise<readonly StoredRecord[]>;
  /** The outlines of the records of these keys that were ever saved, deleted ones included. */
  outlines(keys: readonly RecordKey[]): Promise<readonly RecordOutline[]>;
  /** The outlines of the live records of an object whose parent field names one of these, in id order: one look for many parents. */
  childOutlines(object: string, parentIds: readonly string[]): Promise<readonly RecordOutline[]>;
  /** The record that has this server Record ID. */
  findByRecordId(object: string, recordId: string): Promise<StoredRecord | null>;
  /** A layout that a row was written in. */
  getLayout(hash: string): Promise<Layout | null>;
  /** `null` until {@link StoreTransaction.openFeed}. */
  getFeed(user: string): Promise<FeedState | null>;
  /**
   * What there is to know of the devices with these stores, in their order: the look-up of many polls at once, in one statement however many there
   * are. `kind` is that of facts about stores.
   */
  readHeads(stores: readonly string[], kind: string): Promise<readonly DeviceHead[]>;
  /** The first position above the floor that was saved at `since` or later. */
  oldestFeedPosition(user: string, since: number): Promise<number | null>;
  /** Feed rows after a position, in order. */
  listFeed(user: string, after: number, limit: number): Promise<readonly FeedRow[]>;
  /** The user that a device's store is bound to. */
  storeOwner(store: string): Promise<string | null>;
  /** The receipt of an upload number; `null` while nothing is decided. */
  getReceipt(key: ReceiptKey): Promise<Receipt | null>;
  /** The fact of this kind and key. */
  getFact(kind: string, key: string): Promise<Fact | null>;
  /** The facts of this kind with any of these keys, in no order. */
  getFacts(kind: string, keys: readonly string[]): Promise<readonly Fact[]>;
  /** Facts of a kind, by time. */
  listFacts(kind: string, query: FactQuery): Promise<readonly Fact[]>;
}

/** Reads and writes of one tenant in one transaction: all or nothing, as if transactions ran one after another. */
export interface StoreTransaction extends StoreView {
  /** As {@link StoreView.getRecords}, and nobody else changes these records before this transaction ends. Locks in key order. */
  lockRecords(keys: readonly RecordKey[]): Promise<readonly StoredRecord[]>;
  /** Puts records in place; a layout that is new to the store is kept with them. */
  putRecords(writes: readonly RecordWrite[]): Promise<void>;
  /** Counts up from 1. */
  nextNumber(object: string, field: string): Promise<number>;
  /** Reserves an upload number for this transaction; returns the receipt when it has one. A second claim waits for the first. */
  claimReceipt(key: ReceiptKey): Promise<Receipt | null>;
  /** Keeps the decision on an upload whose number this transaction has claimed. */
  putReceipt(key: ReceiptKey, receipt: Receipt): Promise<void>;
  /** Binds a device's store to a user unless it is bound; returns whom it is bound to. */
  claimStore(store: string, user: string): Promise<string>;
  /** Makes a user's feed, named `feed`, unless there is one. */
  openFeed(user: string, feed: string): Promise<FeedState>;
  /** Appends to a user's feed and returns the position: dense, in the order of commits. Call it last, it holds up the user's other saves. */
  appendFeed(user: string, row: Omit<FeedRow, 'position'>): Promise<number>;
  /** Removes feed rows and receipts that are older, in milliseconds since 1970; floors of feeds only move up. */
  prune(before: { readonly feedBefore: number; readonly receiptsBefore: number }): Promise<void>;
  /** Puts a fact in place of the one of its kind and key. */
  putFact(fact: Fact): Promise<void>;
  /** As {@link StoreTransaction.putFact}, many at once; no kind and key is among them twice. */
  putFacts(facts: readonly Fact[]): Promise<void>;
  /** Removes a fact, if there is one. */
  removeFact(kind: string, key: string): Promise<void>;
  /** Removes the facts of a kind that are older than `before`, in milliseconds since 1970. */
  pruneFacts(kind: string, before: number): Promise<void>;
  /** Begins a new epoch, after a restore from a backup. */
  raiseEpoch(): Promise<number>;
}

/** What a store promises of an acknowledged commit. */
export type Durability =
  /** It is gone with the process. */
  | 'none'
  /** It survives the end of the process, not a loss of power. */
  | 'process-crash'
  | 'power-loss';

/**
 * Where the server keeps records, receipts and feeds. Each call names its tenant first, and no transaction touches two tenants. A
 * store passes `describeServerStore` of `fieldtide/testing`.
 *
 * Faults: `STORAGE_FAILED` when it cannot answer, `STORAGE_CLOSED` after `close`, `STORAGE_LOCKED` when another process holds it.
 */
export interface ServerStore {
  /** What this store found out about itself at its start. */
  durability(): Promise<Durability>;
  /** Runs `work` in one transaction; rolls back when it throws. `work` may run more than once. */
  run<T>(tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;
  /** Runs `work` on one snapshot. */
  read<T>(tenant: string, work: (view: StoreView) => Promise<T>): Promise<T>;
  /**
   * Of stores that keep feeds by days: makes room for the days to come, and drops those that were over `keptMs` before `now`, of all tenants
   * at once. Others have none of it: they remove what is over with {@link StoreTransaction.prune}.
   */
  turnDays?(now: number, keptMs: number): Promise<void>;
  /** Waits for transactions under way and lets go of everything; later calls fail with `STORAGE_CLOSED`. */
  close(): Promise<void>;
}

/** Orders ids by their UTF-8 bytes, which is by code point and not what `<` does. */
export function compareIds(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const a = left.charCodeAt(index), b = right.charCodeAt(index);
    if (a === b) continue;
    const isSurrogateA = (a & 0xf800) === 0xd800, isSurrogateB = (b & 0xf800) === 0xd800;
    return isSurrogateA === isSurrogateB ? a - b : isSurrogateA ? 1 : -1;
  }
  return left.length - right.length;
}

/** Orders keys by object, then id: the order in which records are locked. */
export function compareKeys(left: RecordKey, right: RecordKey): number {
  return (left.object === right.object ? 0 : compareIds(left.object, right.object)) || compareIds(left.id, right.id);
}

/** A key as one text, for maps. */
export function keyText({ object, id }: RecordKey): string {
  return `${object}\0${id}`;
}

const MOST_ID_BYTES = 255;

/** Says whether a text can be an id in a store: one that devices can read, and some engines cannot hold U+0000. */
export function isStorableId(id: string): boolean {
  return id !== '' && id.length <= MOST_ID_BYTES && !/[\0\p{Surrogate}]/u.test(id) && (id.length * 3 <= MOST_ID_BYTES || utf8(id).length <= MOST_ID_BYTES);
}
