import type { PackedRows } from '../core/row-block.ts';

/** Whose data a store holds. One store per (tenant, user): another user of the same device never sees it. */
export interface StoreOwner {
  /** Whose customer the user is; `''` where the host keeps no tenants apart. */
  readonly tenant: string;
  /** The `user` that the client was made with. */
  readonly user: string;
}

/** Names one record row. */
export interface RecordKey {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
}

/** One record row: the bytes are the SDK's, opaque to a generic adapter. */
export interface RecordRow extends RecordKey {
  /** What the adapter gives back byte for byte; an empty row is not the same as none. */
  readonly bytes: Uint8Array;
}

/** One row of SDK state: queue, cursor, layouts, staged pages. */
export interface StateRow {
  /** Text, unique within the store; scans ask for a prefix, in key order. */
  readonly key: string;
  /** What the adapter gives back byte for byte. */
  readonly bytes: Uint8Array;
}

/**
 * Everything that one step changes, all or nothing. A row that is both removed and put ends up put; of several puts of one row the last
 * stays. The adapter copies what it keeps: the caller may change its arrays as soon as the call has returned its promise.
 */
export interface Commit {
  /** State rows that must still hold exactly these bytes (`null`: must not exist), or nothing is written. */
  readonly expect?: readonly {
    /** The key of the state row. */
    readonly key: string;
    /** What it must hold; `null` when it must not exist. */
    readonly bytes: Uint8Array | null;
  }[];
  /** Record rows to write in place of those of the same key. */
  readonly putRecords?: readonly RecordRow[];
  /**
   * Record rows to write, packed, as if each were in `putRecords` and before those that are: of two for one row the one there stays. Only
   * sent to a storage that has `packed`.
   */
  readonly putPacked?: readonly PackedRows[];
  /** Record rows to remove; one that is not there is no fault. */
  readonly removeRecords?: readonly RecordKey[];
  /** State rows to write in place of those of the same key. */
  readonly putState?: readonly StateRow[];
  /** Keys of state rows to remove; one that is not there is no fault. */
  readonly removeState?: readonly string[];
  /**
   * `strict`: on disk before the promise resolves (the upload queue). `relaxed`: may be lost with the power, never torn (merges,
   * which can be downloaded again).
   */
  readonly durability: 'strict' | 'relaxed';
}

/** How much room there is, in bytes. */
export interface StorageEstimate {
  /** What is used of the quota, by everything that shares it. */
  readonly usedBytes: number;
  /** The most that the platform grants; a guess of the platform, not a promise. */
  readonly quotaBytes: number;
  /** The platform promised not to evict the store. */
  readonly isPersisted: boolean;
}

/** Reads of rows as row blocks, for a storage that keeps them so: nothing is made for each row. */
export interface PackedStorage {
  /**
   * Reads row blocks, disjoint and in id order, that together hold every row of the object whose id is asked for. They may hold other rows
   * of the object, as they are in the store.
   */
  readAround(asked: {
    /** The object's name in the schema. */
    readonly object: string;
    /** A row block whose ids are meant; its values do not count. */
    readonly ids: Uint8Array;
  }): Promise<readonly Uint8Array[]>;
  /**
   * Reads row blocks, disjoint and in id order, of exactly the rows with `after` < id <= `upTo`, up to and with the block with which
   * `limitBytes` is reached. Empty when no row is left.
   */
  scan(range: {
    /** The object's name in the schema. */
    readonly object: string;
    /** @defaultValue from the first row */
    readonly after?: string;
    /** @defaultValue to the last row */
    readonly upTo?: string;
    /** Ends the answer once its blocks have so many bytes together; one block comes in any case. */
    readonly limitBytes: number;
  }): Promise<readonly Uint8Array[]>;
}

/**
 * An open store. Strings compare by UTF-16 code units, as JavaScript's `<` does, in every order below. Calls take effect in the order in
 * which they were made. A `limit` is a whole number from 0 up, or `Infinity`. What a read hands out belongs to the caller.
 *
 * Faults: `STORAGE_FULL` when there is no room, `STORAGE_CLOSED` after `close`, `STORAGE_FAILED` with the cause for anything else.
 * After a fault of `commit` nothing of it was written.
 */
export interface Storage {
  /** Reads record rows; the answer has one place per key, `undefined` where there is none. */
  readRecords(keys: readonly RecordKey[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Reads up to `limit` record rows of an object with an id greater than `after`, in id order. */
  scanRecords(range: { readonly object: string; readonly after?: string; readonly limit: number }): Promise<readonly RecordRow[]>;
  /** Reads up to `limit` state rows whose key begins with `prefix` and is greater than `after`, in key order. */
  scanState(range: { readonly prefix: string; readonly after?: string; readonly limit: number }): Promise<readonly StateRow[]>;
  /** Writes a step atomically. `stale`: an expectation did not hold and nothing was written. */
  commit(commit: Commit): Promise<'done' | 'stale'>;
  /** Reads rows packed, and says that commits may carry `putPacked`; a storage without it is read and written row by row. */
  readonly packed?: PackedStorage;
  /** Releases the store; commits under way end first. Calling it twice does nothing. */
  close(): Promise<void>;
  /** Says how much room there is, where the platform can; leave it out where it cannot. */
  estimate?(): Promise<StorageEstimate>;
}

/** A built-in adapter as plain data: the worker makes its own from it, so that rows never cross the page's thread. */
export interface StorageDescriptor {
  /** Which built-in adapter it is. */
  readonly kind: 'indexeddb';
  /** The `name` that the adapter was made with. */
  readonly name: string;
}

/**
 * Where a host keeps the SDK's rows. A host can route record rows to tables of its own and keep the state rows in one key-value table
 * of the same database. Prove an adapter with `describeStorageAdapter` of `fieldtide/testing`.
 */
export interface StorageAdapter {
  /** Says how to make the same adapter elsewhere, where that can be said; an adapter without is called through the worker. */
  readonly descriptor?: StorageDescriptor;
  /**
   * Names what adapters in other tabs of the same origin share with this one: where two say the same, an owner's store is the same. Tabs
   * then share one client (rule C10); left out, the tab that opens a store last has it.
   */
  readonly sharedAs?: string;
  /** Opens, or creates, the store of an owner. */
  open(owner: StoreOwner): Promise<Storage>;
}
