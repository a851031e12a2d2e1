import type { IDBPObjectStore } from 'idb';
import type { RowsPart } from './indexeddb-reads.ts';
import { keysBehind, type RowStoreName, type StoredPatch, type StoreSchema } from './indexeddb-rows.ts';
import { idsOf, isPackable, joinPatches, patchOf, patchOver, type PatchPiece, type BlockPatch } from './block-patch.ts';

// What reading and writing of blocks have in common.

/** A block grows to so many bytes before it is cut; beyond 64 KB Chromium would keep it in a file of its own (docs/decisions/0019). */
export const MOST_BLOCK_BYTES: number = 48 << 10;

/** So many blocks are asked for at once, and the next so many while they are worked on. */
export const BLOCKS_AT_ONCE = 48;

/** An object store in a transaction of any kind. */
export type RowStore<Name extends RowStoreName> = Pick<IDBPObjectStore<StoreSchema, never[], Name, 'readonly'>, 'get' | 'getKey' | 'getAll' | 'getAllKeys'>;

/** Ids of an object. */
export interface IdRange {
  readonly object: string;
  readonly first: string;
  readonly last: string;
}

/** The ids from the first to the last that a patch says something of. */
export function rangeOf(object: string, patch: BlockPatch): IdRange {
  const [first, last] = idsOf(patch);
  return { object, first, last };
}

/** The keys of a range. */
export function keysIn({ object, first, last }: IdRange): IDBKeyRange {
  return IDBKeyRange.bound([object, first], [object, last]);
}

/** The rows of a range that lie in entries of their own. */
export async function readSingles(records: RowStore<'records'>, range: IdRange, most?: number): Promise<RowsPart['singles']> {
  const [keys, values] = await Promise.all([records.getAllKeys(keysIn(range), most), records.getAll(keysIn(range), most)]);
  return keys.map(([, id], index) => [id, values[index]!]);
}

/** The last ids of the blocks where the ids of a range belong. */
export async function readLastIds(store: RowStore<'blocks' | 'patches'>, range: IdRange): Promise<string[]> {
  const [within, beyond] = await Promise.all([store.getAllKeys(keysIn(range)), store.getKey(keysBehind(range.object, range.last))]);
  return [...within, ...(beyond === undefined ? [] : [beyond])].map(([, lastId]) => lastId);
}

/** The patches that say something of ids of a range. */
export async function readPatches(patches: RowStore<'patches'>, range: IdRange): Promise<StoredPatch[]> {
  const [within, beyond] = await Promise.all([patches.getAll(keysIn(range)), patches.get(keysBehind(range.object, range.last))]);
  return [...within, ...(beyond === undefined ? [] : [beyond])];
}

/** Goes through pieces with the value of the block that each belongs to; reads ahead while work is done. */
export async function eachBlock<Value>(
  store: { get(key: [object: string, lastId: string]): Promise<Value | undefined> },
  object: string,
  pieces: readonly PatchPiece[],
  work: (piece: PatchPiece, block: Value | undefined) => void,
): Promise<void> {
  const read = (at: number) => Promise.all(pieces.slice(at, at + BLOCKS_AT_ONCE).map(({ lastId }) => (lastId === undefined ? undefined : store.get([object, lastId]))));
  for (let at = 0, next = read(0); at < pieces.length; at += BLOCKS_AT_ONCE) {
    const blocks = await next;
    next = read(at + BLOCKS_AT_ONCE);
    blocks.forEach((block, index) => work(pieces[at + index]!, block));
  }
}

/** What patches and single rows say, in one. */
export function overlayOf(singles: RowsPart['singles'], patches: readonly StoredPatch[]): BlockPatch {
  return patchOver(joinPatches(patches.map(asPatch)), patchOfSingles(singles));
}

/** Single rows as a patch. What cannot be written in UTF-8 stays out: in blocks there is no such id. */
export function patchOfSingles(singles: RowsPart['singles']): BlockPatch {
  return patchOf(singles.filter(([id]) => isPackable(id)).map(([id, value]) => [id, value && new Uint8Array(value)]));
}

/** A patch as it lies in the database. */
export function asPatch([put, removed]: StoredPatch): BlockPatch {
  return { put: new Uint8Array(put), removed: new Uint8Array(removed) };
}
