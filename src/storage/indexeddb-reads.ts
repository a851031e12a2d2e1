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
    for (let last = after; ; ) {
      const part = await readPart(transaction, object, last, limit - rows.length);
      for (const [id, bytes] of rowsOf(part, last)) rows.push({ object, id, bytes });
      if (part.end === undefined || rows.length >= limit) return rows.slice(0, limit);
      last = part.end;
    }
  });
}

/** Everything that says which rows there are behind some id, up to and with `end`; it may say something of rows beyond. */
export interface RowsPart {
  readonly singles: readonly (readonly [id: string, value: ArrayBuffer | null])[];
  readonly patches: readonly StoredPatch[];
  readonly blocks: readonly Uint8Array[];
  /** `undefined`: to the last row of the object. */
  readonly end: string | undefined;
}

// Rows of usual size in a block; and at most so many blocks at once, half a megabyte.
const ROWS_PER_BLOCK = 64, BLOCKS_AT_ONCE = 16;

/** Reads what says which rows follow an id, about as many as are wanted. */
export async function readPart(transaction: Reading, object: string, after: string | undefined, wanted: number): Promise<RowsPart> {
  const range = keysBehind(object, after);
  const blocksWanted = Math.min(Math.ceil(wanted / ROWS_PER_BLOCK) + 1, BLOCKS_AT_ONCE);
  const singlesWanted = blocksWanted * ROWS_PER_BLOCK;
  const records = transaction.objectStore('records');
  const [keys, values, patches, blocks] = await Promise.all([
    records.getAllKeys(range, singlesWanted),
    records.getAll(range, singlesWanted),
    transaction.objectStore('patches').getAll(range, blocksWanted),
    transaction.objectStore('blocks').getAll(range, blocksWanted),
  ]);
  const whole = blocks.map(asBytes);
  const ends = [
    ...(keys.length < singlesWanted ? [] : [keys.at(-1)![1]]),
    ...(patches.length < blocksWanted ? [] : [lastIdOf(patches.at(-1)!.map(asBytes))]),
    ...(whole.length < blocksWanted ? [] : [lastIdOf([whole.at(-1)!])]),
  ];
  return { singles: keys.map(([, id], index) => [id, values[index]!]), patches, blocks: whole, end: ends.sort(byCodeUnit)[0] };
}

/** The rows of a part, those of one id by what is newest of it, in id order. */
function rowsOf({ singles, patches, blocks, end }: RowsPart, after: string | undefined): (readonly [id: string, bytes: Uint8Array])[] {
  const rows = new Map<string, Uint8Array>();
  const put = (block: Uint8Array) => {
    for (let index = 0; index < countOf(block); index++) rows.set(idAt(block, index), valueAt(block, index));
  };
  blocks.forEach(put);
  for (const [added, removed] of patches.map((patch) => patch.map(asBytes))) {
    for (let index = 0; index < countOf(removed!); index++) rows.delete(idAt(removed!, index));
    put(added!);
  }
  for (const [id, value] of singles) {
    if (value === null) rows.delete(id);
    else rows.set(id, asBytes(value));
  }
  const asked = [...rows].filter(([id]) => (after === undefined || id > after) && (end === undefined || id <= end));
  return asked.sort(([left], [right]) => byCodeUnit(left, right)).map(([id, bytes]) => [id, copyBytes(bytes)]);
}

function lastIdOf(blocks: readonly Uint8Array[]): string {
  return blocks.filter((block) => countOf(block) > 0).map((block) => idAt(block, countOf(block) - 1)).sort(byCodeUnit).at(-1)!;
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

function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
