import { unwrap, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import { bytesEqual } from '../shared/bytes.ts';
import type { CopiedCommit } from './copy-commit.ts';
import type { RecordKey, StateRow, Storage } from './storage-adapter.ts';

// How rows lie in the database. A row that is saved alone is an entry of its own in `records`, the bytes as the value, the key beside it.
// Most rows lie in blocks: many in one entry, because the put is the price and not the bytes (docs/decisions/0019). Of one row,
// `records` is newer than `patches`, and that is newer than `blocks`.

/** The bytes of a patch: a row block of rows that were put, and one of rows that were removed. */
export type StoredPatch = readonly [put: ArrayBuffer, removed: ArrayBuffer];

/** @internal */
export interface StoreSchema extends DBSchema {
  /** `null`: the row is removed, though a block below may hold it. */
  records: { key: [object: string, id: string]; value: ArrayBuffer | null };
  /** By the last id in it, so that one `get` of a range finds where an id belongs. */
  patches: { key: [object: string, lastId: string]; value: StoredPatch };
  /** Row blocks, by the last id in them. */
  blocks: { key: [object: string, lastId: string]; value: ArrayBuffer };
  state: { key: string; value: ArrayBuffer };
}

export type StoreDatabase = IDBPDatabase<StoreSchema>;

/** Where record rows lie. */
export type RowStoreName = 'records' | 'patches' | 'blocks';

/** The newest first. */
export const ROW_STORES: RowStoreName[] = ['records', 'patches', 'blocks'];

/** A transaction that may write everything. */
export type Writing = IDBPTransaction<StoreSchema, (RowStoreName | 'state')[], 'readwrite'>;

/** Makes the object stores that a database lacks: all of a new one, those for blocks in one of an older version. Its rows stay where they are. */
export function createObjectStores(database: IDBDatabase): void {
  for (const name of [...ROW_STORES, 'state']) if (!database.objectStoreNames.contains(name)) database.createObjectStore(name);
}

/** Keys of an object, greater than `after` where it is given. An array sorts after every string, so `[object, []]` is the first key beyond the object. */
export function keysBehind(object: string, after: string | undefined): IDBKeyRange {
  return IDBKeyRange.bound(after === undefined ? [object] : [object, after], [object, []], true, true);
}

/** Keys of an object that are not less than an id: the first of a store of blocks is that of the block where the id belongs. */
export function keysFrom(object: string, id: string): IDBKeyRange {
  return IDBKeyRange.bound([object, id], [object, []], false, true);
}

export async function scanStateRows(database: StoreDatabase, { prefix, after, limit }: Parameters<Storage['scanState']>[0]): Promise<StateRow[]> {
  const range = keyRange(prefix, after);
  if (limit === 0 || range === null) return [];
  const { store, done } = database.transaction('state');
  const [keys, values] = await Promise.all([store.getAllKeys(range, most(limit)), store.getAll(range, most(limit)), done]);
  return keys.map((key, index) => ({ key, bytes: new Uint8Array(values[index]!) }));
}

/** What writes many rows at once; it is loaded when there are some. */
export type WriteMany = (transaction: Writing, commit: CopiedCommit) => Promise<void>;

/**
 * Writes a step in one transaction over all object stores, so that commits of all tabs happen one after the other. It is written when
 * the transaction is complete and not before: a full disk shows only then.
 */
export async function commitRows(database: StoreDatabase, commit: CopiedCommit, writeRecords: WriteMany): Promise<'done' | 'stale'> {
  const transaction = database.transaction([...ROW_STORES, 'state'], 'readwrite', { durability: commit.durability });
  return finish(transaction, writeIfExpected(transaction, commit, writeRecords));
}

/** Waits for the work of a transaction and for its end; work that failed takes the transaction back. */
export async function finish<T>(transaction: Writing, work: Promise<T>): Promise<T> {
  try {
    const [answer] = await Promise.all([work, transaction.done]);
    return answer;
  } catch (thrown) {
    abort(transaction);
    // When a transaction is aborted, its requests fail first, each with "AbortError"; the transaction knows the reason.
    throw unwrap(transaction).error ?? thrown;
  }
}

/** Issues reads and writes back to back: a transaction that waits for anything else commits itself with what it has. */
async function writeIfExpected(transaction: Writing, commit: CopiedCommit, writeRecords: WriteMany): Promise<'done' | 'stale'> {
  const state = transaction.objectStore('state');
  if (commit.expect.length > 0) {
    const held = await Promise.all(commit.expect.map(({ key }) => state.get(key)));
    if (!commit.expect.every(({ bytes }, index) => isSame(held[index], bytes))) return 'stale';
  }
  const writes = new Writes();
  for (const key of commit.removeState) writes.add(state.delete(key));
  for (const { key, bytes } of commit.putState) writes.add(state.put(bytes.buffer as ArrayBuffer, key));
  await Promise.all([writes.done(), writeRecords(transaction, commit)]);
  return 'done';
}

/** Writes each row as an entry of its own. */
export async function writeSingly(transaction: Writing, { putRecords, removeRecords }: RecordChanges): Promise<void> {
  const writes = new Writes();
  const records = transaction.objectStore('records');
  const put = new Set(putRecords.map(nameOf));
  for (const { object, id, bytes } of putRecords) writes.add(records.put(bytes.buffer as ArrayBuffer, [object, id]));
  await Promise.all(removeRecords.filter((key) => !put.has(nameOf(key))).map(async ({ object, id }) => {
    const below = await Promise.all((['patches', 'blocks'] as const).map((name) => transaction.objectStore(name).getKey(keysFrom(object, id))));
    writes.add(below.some((key) => key !== undefined) ? records.put(null, [object, id]) : records.delete([object, id]));
  }));
  await writes.done();
}

/** What a commit changes in records, row by row. */
export type RecordChanges = Pick<CopiedCommit, 'putRecords' | 'removeRecords'>;

function nameOf({ object, id }: RecordKey): string {
  return JSON.stringify([object, id]);
}

/** Requests that were issued and are not waited for one by one. */
export class Writes {
  readonly #writes: Promise<unknown>[] = [];

  add(write: Promise<unknown>): void {
    // If a later one cannot even be issued, nobody waits for this one any more.
    write.catch(() => {});
    this.#writes.push(write);
  }

  async done(): Promise<void> {
    await Promise.all(this.#writes);
  }
}

function isSame(held: ArrayBuffer | undefined, expected: Uint8Array | null): boolean {
  return held === undefined || expected === null ? held === undefined && expected === null : bytesEqual(new Uint8Array(held), expected);
}

function abort(transaction: Writing): void {
  try {
    transaction.abort();
  } catch {
    // It has ended by itself.
  }
}

/** Keys that begin with a prefix and are greater than `after`; `null` when there can be none. */
function keyRange(prefix: string, after: string | undefined): IDBKeyRange | null {
  const isAfter = after !== undefined && after >= prefix;
  const first = isAfter ? after : prefix;
  const end = endOfPrefix(prefix);
  if (end === undefined) return IDBKeyRange.lowerBound(first, isAfter);
  return first < end ? IDBKeyRange.bound(first, end, isAfter, true) : null;
}

/** The first key beyond all that begin with a prefix; `undefined` when there is none. */
function endOfPrefix(prefix: string): string | undefined {
  const kept = prefix.replace(/\uFFFF+$/, '');
  return kept === '' ? undefined : kept.slice(0, -1) + String.fromCharCode(kept.charCodeAt(kept.length - 1) + 1);
}

/** A limit as IndexedDB takes it: 32 bits, none for "all". */
export function most(limit: number): number | undefined {
  return limit < 0xffff_ffff ? limit : undefined;
}
