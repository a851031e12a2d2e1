import type { IDBPTransaction } from 'idb';
import { countOf, idAt, valueAt } from '../core/row-block-layout.ts';
import { copyBytes } from '../shared/bytes.ts';
import { keysBehind, keysFrom, ROW_STORES, type RowStoreName, type StoreDatabase, type StoredPatch, type StoreSchema } from './indexeddb-rows.ts';
import type { RecordKey, RecordRow, Storage } from './storage-adapter.ts';

/** A transaction that reads record rows. */
export type Reading = IDBPTransaction<StoreSchema, RowStoreName[]>;

/** Runs reads in one transaction, so that what they find belongs together. */
export async function readIn<T>(database: StoreDatabase, read: (transaction: Reading) => Promise<T>): Promise<T> {
  const transaction = database.transaction(ROW_STORES);
  const [answer] = await Promise.all([read(transaction), transaction.done]);
  return answer;
}

/** Reads the rows of keys: the entry of its own first, then from the blocks where each would lie, every block once. */
export async function readRecordRows(database: StoreDatabase, keys: readonly RecordKey[]): Promise<(Uint8Array | undefined)[]> {
  if (keys.length === 0) return [];
  return readIn(database, async (transaction) => {
    const records = transaction.objectStore('records'), patches = transaction.objectStore('patches'), blocks = transaction.objectStore('blocks');
    const readPatch = eachOnce(async (place: [string, string]) => (await patches.get(place))!.map(asBytes));
    const readBlock = eachOnce(async (place: [string, string]) => asBytes((await blocks.get(place))!));
    return Promise.all(keys.map(async ({ object, id }) => {
      const belongs = keysFrom(object, id);
      const [single, patchPlace, blockPlace] = await Promise.all([records.get([object, id]), patches.getKey(belongs), blocks.getKey(belongs)]);
      if (single !== undefined) return single === null ? undefined : asBytes(single);
      const [patch, block] = await Promise.all([patchPlace && readPatch(patchPlace), blockPlace && readBlock(blockPlace)]);
      const patched = patch && valueOf(patch[0]!, id);
      if (patched !== undefined || (patch !== undefined && indexOf(patch[1]!, id) >= 0)) return patched;
      return block && valueOf(block, id);
    }));
  });
}

/** Reads rows in id order, part by part until there are enough. */
export async function scanRecordRows(database: StoreDatabase, { object, after, limit }: Parameters<Storage['scanRecords']>[0]): Promise<RecordRow[]> {
  const rows: RecordRow[] = [];
  if (limit === 0) return rows;
  return readIn(database, async (transaction) => {
    for await (const part of readParts(transaction, { object, after, rowsWanted: limit })) {
      for (const [id, bytes] of rowsOf(part)) rows.push({ object, id, bytes });
      if (rows.length >= limit) break;
    }
    return rows.slice(0, limit);
  });
}

/** Everything that says which rows there are with `after` < id <= `end`; it may say something of other rows too. */
export interface RowsPart {
  readonly singles: readonly (readonly [id: string, value: ArrayBuffer | null])[];
  readonly patches: readonly StoredPatch[];
  readonly blocks: readonly Uint8Array[];
  /** `undefined`: from the first row of the object. */
  readonly after: string | undefined;
  /** `undefined`: to the last row of the object. */
  readonly end: string | undefined;
}

// So many rows of usual size lie in a block at least; and a request brings a quarter of a megabyte: with more, Chromium is slower.
const ROWS_PER_BLOCK = 64, SINGLES_AT_ONCE = 1_000;

/** So many blocks in one request. */
export const BLOCKS_PER_REQUEST = 6;

/** Reads the first blocks of a range. */
export type ReadBlocks = (transaction: Reading, range: IDBKeyRange, most: number) => Promise<ArrayBuffer[]>;

/**
 * Reads what says which rows follow an id, part by part in id order. Nothing else may be waited for in between.
 *
 * @param most - blocks in a part. @defaultValue what one request brings
 * @param read - reads the blocks of a part. @defaultValue one request
 */
export async function* readParts(
  transaction: Reading,
  { object, after, rowsWanted }: { readonly object: string; readonly after: string | undefined; readonly rowsWanted: number },
  most: number = BLOCKS_PER_REQUEST,
  read: ReadBlocks = (reading, range, count) => reading.objectStore('blocks').getAll(range, count),
): AsyncGenerator<RowsPart> {
  const records = transaction.objectStore('records'), patches = transaction.objectStore('patches');
  const atOnce = Math.min(Math.ceil(rowsWanted / ROWS_PER_BLOCK) + 1, most);
  const readBlocks = (last: string | undefined) => read(transaction, keysBehind(object, last), atOnce);
  let reading = readBlocks(after);
  for (let last = after; ; ) {
    const blocks = (await reading).map(asBytes);
    let end = blocks.length < atOnce ? undefined : lastIdOf(blocks.at(-1)!);
    const range = end === undefined ? keysBehind(object, last) : IDBKeyRange.bound(last === undefined ? [object] : [object, last], [object, end], true);
    const above = Promise.all([records.getAllKeys(range, SINGLES_AT_ONCE), records.getAll(range, SINGLES_AT_ONCE), patches.getAll(range), end === undefined ? undefined : patches.get(keysBehind(object, end))]);
    // Read ahead, where more will be wanted for sure.
    if (end !== undefined && atOnce === most) reading = readBlocks(end);
    reading.catch(() => {});
    const [keys, values, within, beyond] = await above;
    if (keys.length === SINGLES_AT_ONCE) {
      end = keys.at(-1)![1];
      reading = readBlocks(end);
    }
    yield { singles: keys.map(([, id], index) => [id, values[index]!]), patches: beyond === undefined ? within : [...within, beyond], blocks, after: last, end };
    if (end === undefined) return;
    last = end;
    if (atOnce < most) reading = readBlocks(end);
  }
}

/** The rows of a part, those of one id by what is newest of it, in id order. */
function rowsOf({ singles, patches, blocks, after, end }: RowsPart): (readonly [id: string, bytes: Uint8Array])[] {
  const rows = new Map<string, Uint8Array>();
  const put = (id: string, bytes: Uint8Array | null) => void (bytes === null ? rows.delete(id) : rows.set(id, bytes));
  const putAll = (block: Uint8Array, isRemoved = false) => {
    for (let row = 0; row < countOf(block); row++) put(idAt(block, row), isRemoved ? null : valueAt(block, row));
  };
  for (const block of blocks) putAll(block);
  for (const [added, removed] of patches) {
    putAll(asBytes(removed), true);
    putAll(asBytes(added));
  }
  for (const [id, value] of singles) put(id, value && asBytes(value));
  const asked = [...rows.keys()].filter((id) => (after === undefined || id > after) && (end === undefined || id <= end));
  return asked.sort().map((id) => [id, copyBytes(rows.get(id)!)]);
}

function lastIdOf(block: Uint8Array): string {
  return idAt(block, countOf(block) - 1);
}

function valueOf(block: Uint8Array, id: string): Uint8Array | undefined {
  const index = indexOf(block, id);
  return index < 0 ? undefined : copyBytes(valueAt(block, index));
}

function indexOf(block: Uint8Array, id: string): number {
  let low = 0, high = countOf(block);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (idAt(block, middle) < id) low = middle + 1;
    else high = middle;
  }
  return low < countOf(block) && idAt(block, low) === id ? low : -1;
}

/** Runs a read once for each key. */
function eachOnce<T>(read: (place: [string, string]) => Promise<T>): (place: [string, string]) => Promise<T> {
  const reads = new Map<string, Promise<T>>();
  return (place) => {
    const name = JSON.stringify(place);
    const known = reads.get(name) ?? read(place);
    reads.set(name, known);
    return known;
  };
}

function asBytes(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer);
}
