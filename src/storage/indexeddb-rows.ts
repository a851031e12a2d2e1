import { unwrap, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import { bytesEqual } from '../shared/bytes.ts';
import type { CopiedCommit } from './copy-commit.ts';
import type { RecordKey, RecordRow, StateRow, Storage } from './storage-adapter.ts';

// How rows lie in the database: each in an entry of its own, the bytes alone as the value, the key beside it.

/** @internal */
export interface StoreSchema extends DBSchema {
  records: { key: [object: string, id: string]; value: ArrayBuffer };
  state: { key: string; value: ArrayBuffer };
}

export type StoreDatabase = IDBPDatabase<StoreSchema>;

type StoreNames = ('records' | 'state')[];
type Writing = IDBPTransaction<StoreSchema, StoreNames, 'readwrite'>;

/** Prepares a new database. */
export function createObjectStores(database: IDBDatabase): void {
  database.createObjectStore('records');
  database.createObjectStore('state');
}

export async function readRecordRows(database: StoreDatabase, keys: readonly RecordKey[]): Promise<(Uint8Array | undefined)[]> {
  if (keys.length === 0) return [];
  const { store, done } = database.transaction('records');
  const [values] = await Promise.all([Promise.all(keys.map(({ object, id }) => store.get([object, id]))), done]);
  return values.map((value) => value && new Uint8Array(value));
}

export async function scanRecordRows(database: StoreDatabase, { object, after, limit }: Parameters<Storage['scanRecords']>[0]): Promise<RecordRow[]> {
  if (limit === 0) return [];
  // An array sorts after every string, so `[object, []]` is the first key beyond the object.
  const range = IDBKeyRange.bound(after === undefined ? [object] : [object, after], [object, []], true, true);
  const { store, done } = database.transaction('records');
  const [keys, values] = await Promise.all([store.getAllKeys(range, most(limit)), store.getAll(range, most(limit)), done]);
  return keys.map(([, id], index) => ({ object, id, bytes: new Uint8Array(values[index]!) }));
}

export async function scanStateRows(database: StoreDatabase, { prefix, after, limit }: Parameters<Storage['scanState']>[0]): Promise<StateRow[]> {
  const range = keyRange(prefix, after);
  if (limit === 0 || range === null) return [];
  const { store, done } = database.transaction('state');
  const [keys, values] = await Promise.all([store.getAllKeys(range, most(limit)), store.getAll(range, most(limit)), done]);
  return keys.map((key, index) => ({ key, bytes: new Uint8Array(values[index]!) }));
}

/**
 * Writes a step in one transaction over both object stores, so that commits of all tabs happen one after the other. It is written when
 * the transaction is complete and not before: a full disk shows only then.
 */
export async function commitRows(database: StoreDatabase, commit: CopiedCommit): Promise<'done' | 'stale'> {
  const transaction = database.transaction(['records', 'state'], 'readwrite', { durability: commit.durability });
  try {
    const [answer] = await Promise.all([writeIfExpected(transaction, commit), transaction.done]);
    return answer;
  } catch (thrown) {
    abort(transaction);
    // When a transaction is aborted, its requests fail first, each with "AbortError"; the transaction knows the reason.
    throw unwrap(transaction).error ?? thrown;
  }
}

/** Issues reads and writes back to back: a transaction that waits for anything else commits itself with what it has. */
async function writeIfExpected(transaction: Writing, commit: CopiedCommit): Promise<'done' | 'stale'> {
  const records = transaction.objectStore('records'), state = transaction.objectStore('state');
  if (commit.expect.length > 0) {
    const held = await Promise.all(commit.expect.map(({ key }) => state.get(key)));
    if (!commit.expect.every(({ bytes }, index) => isSame(held[index], bytes))) return 'stale';
  }
  const writes: Promise<unknown>[] = [];
  const issue = (write: Promise<unknown>) => {
    // If a later one cannot even be issued, nobody waits for this one any more.
    write.catch(() => {});
    writes.push(write);
  };
  for (const { object, id } of commit.removeRecords) issue(records.delete([object, id]));
  for (const key of commit.removeState) issue(state.delete(key));
  for (const { object, id, bytes } of commit.putRecords) issue(records.put(bytes.buffer as ArrayBuffer, [object, id]));
  for (const { key, bytes } of commit.putState) issue(state.put(bytes.buffer as ArrayBuffer, key));
  await Promise.all(writes);
  return 'done';
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
function most(limit: number): number | undefined {
  return limit < 0xffff_ffff ? limit : undefined;
}
