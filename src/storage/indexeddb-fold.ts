import { countOf, idAt, valueAt } from '../core/row-block.ts';
import { copyBytes } from '../shared/bytes.ts';
import type { CopiedCommit } from './copy-commit.ts';
import { asPatch, eachBlock, MOST_BLOCK_BYTES, patchOfSingles, rangeOf, readLastIds, readPatches, readSingles } from './indexeddb-blocks.ts';
import { finish, keysBehind, ROW_STORES, writeSingly, Writes, type StoreDatabase, type Writing } from './indexeddb-rows.ts';
import { applyPatch, changesIn, idsOf, isPackable, joinPatches, NO_ROWS, patchOf, patchOver, piecesOf, splitEvenly, splitPatch, type BlockPatch } from './block-patch.ts';

// Rows on their way down. Many rows that come at once, and single rows once there are many, are merged into the blocks when each block
// that changes does so in many rows; else into patches above the blocks, which are merged into them when they have become many in turn.
// Each step is one transaction, and decides by what it reads in it: other tabs may do the same at the same time.

/** From so many changed rows in each block on, it is cheaper to write the blocks anew than to patch them first. */
const DENSE = 24;

/** Single rows are folded from so many on, and so many in one transaction. */
const FOLD_FROM = 512;

/** Patches are folded when there are so many, and more than one to four blocks; so many in one transaction. */
const PATCHES_FROM = 16, PATCHES_AT_ONCE = 8;

/** From so many on, packed rows are written by the block. */
const MANY_ROWS = 256;

/** After so many written rows the adapter looks whether there is something to fold; the first time earlier: nobody knows what an earlier build, or another tab, has left. */
const LOOK_EVERY = 256, FIRST_LOOK_AFTER = 64;

/** Writes the records of a commit: by the block where they are many. */
export function writeRecords(transaction: Writing, commit: CopiedCommit): Promise<void> {
  const { putPacked, putRecords, removeRecords, durability } = commit;
  const count = putPacked.reduce((sum, { block }) => sum + countOf(block), durability === 'strict' ? 0 : putRecords.length + removeRecords.length);
  if (count >= MANY_ROWS) return writePacked(transaction, commit);
  const unpacked = putPacked.flatMap(({ object, block }) => Array.from({ length: countOf(block) }, (_, row) => ({ object, id: idAt(block, row), bytes: copyBytes(valueAt(block, row)) })));
  return writeSingly(transaction, { putRecords: [...unpacked, ...putRecords], removeRecords });
}

/** Counts the rows that a commit wrote; answers of which objects it is time to look whether there is something to fold. */
export function noteWritten(written: Map<string, number>, { putPacked, putRecords, removeRecords }: CopiedCommit): string[] {
  const rows = [...putPacked.map(({ object, block }) => [object, countOf(block)] as const), ...[...putRecords, ...removeRecords].map(({ object }) => [object, 1] as const)];
  for (const [object, count] of rows) written.set(object, (written.get(object) ?? LOOK_EVERY - FIRST_LOOK_AFTER) + count);
  const due = [...written].filter(([, count]) => count >= LOOK_EVERY).map(([object]) => object);
  for (const object of due) written.set(object, 0);
  return due;
}

async function writePacked(transaction: Writing, { putPacked, putRecords, removeRecords }: CopiedCommit): Promise<void> {
  const objects = new Set([putPacked, putRecords, removeRecords].flatMap((rows) => rows.map(({ object }) => object)));
  await Promise.all([...objects].map(async (object) => {
    const packable = (row: { readonly object: string; readonly id: string }) => row.object === object && isPackable(row.id);
    const steps = [
      patchOf(removeRecords.filter(packable).map(({ id }) => [id, null])),
      ...putPacked.filter((packed) => packed.object === object).map(({ block }) => ({ put: block, removed: NO_ROWS })),
      patchOf(putRecords.filter(packable).map(({ id, bytes }) => [id, bytes])),
    ];
    await writePatch(transaction, object, steps.filter((step) => changesIn(step) > 0).reduce(patchOver, NO_CHANGE));
  }));
  const isOdd = ({ id }: { readonly id: string }) => !isPackable(id);
  await writeSingly(transaction, { putRecords: putRecords.filter(isOdd), removeRecords: removeRecords.filter(isOdd) });
}

const NO_CHANGE: BlockPatch = { put: NO_ROWS, removed: NO_ROWS };

/** Writes a patch below the single rows, and takes those that it overtakes, or meets on its way, along. */
async function writePatch(transaction: Writing, object: string, patch: BlockPatch): Promise<void> {
  if (changesIn(patch) === 0) return;
  const records = transaction.objectStore('records');
  const range = rangeOf(object, patch);
  const singles = await readSingles(records, range, FOLD_FROM);
  if (singles.length < FOLD_FROM) return fold(transaction, object, singles, patch);
  const writes = new Writes();
  for (const block of [patch.put, patch.removed]) for (let index = 0; index < countOf(block); index++) writes.add(records.delete([object, idAt(block, index)]));
  await Promise.all([writes.done(), sink(transaction, object, patch)]);
}

/** Folds single rows in, with what is newer. */
async function fold(transaction: Writing, object: string, singles: Awaited<ReturnType<typeof readSingles>>, newer: BlockPatch): Promise<void> {
  const writes = new Writes();
  for (const [id] of singles) if (isPackable(id)) writes.add(transaction.objectStore('records').delete([object, id]));
  await Promise.all([writes.done(), sink(transaction, object, patchOver(patchOfSingles(singles), newer))]);
}

/** Merges a patch into the blocks, or into the patches above them. */
async function sink(transaction: Writing, object: string, patch: BlockPatch): Promise<void> {
  if (changesIn(patch) === 0) return;
  const range = rangeOf(object, patch);
  const [blockIds, patchIds] = await Promise.all((['blocks', 'patches'] as const).map((name) => readLastIds(transaction.objectStore(name), range)));
  if (changesIn(patch) < DENSE * piecesOf(patch, blockIds!).length && blockIds!.length > 0) return mergeIntoPatches(transaction, object, patch, patchIds!);
  const above = await readPatches(transaction.objectStore('patches'), range);
  const writes = new Writes();
  for (const lastId of patchIds!) writes.add(transaction.objectStore('patches').delete([object, lastId]));
  await Promise.all([writes.done(), mergeIntoBlocks(transaction, object, patchOver(joinPatches(above.map(asPatch)), patch))]);
}

async function mergeIntoPatches(transaction: Writing, object: string, patch: BlockPatch, patchIds: readonly string[]): Promise<void> {
  const patches = transaction.objectStore('patches');
  const writes = new Writes();
  await eachBlock(patches, object, piecesOf(patch, patchIds), ({ part, lastId }, held) => {
    const pieces = splitPatch(held === undefined ? part : patchOver(asPatch(held), part), MOST_BLOCK_BYTES);
    if (lastId !== undefined) writes.add(patches.delete([object, lastId]));
    for (const piece of pieces) writes.add(patches.put([bufferOf(piece.put), bufferOf(piece.removed)], [object, idsOf(piece)[1]]));
  });
  await writes.done();
}

async function mergeIntoBlocks(transaction: Writing, object: string, patch: BlockPatch): Promise<void> {
  const blocks = transaction.objectStore('blocks');
  const writes = new Writes();
  const blockIds = await readLastIds(blocks, rangeOf(object, patch));
  await eachBlock(blocks, object, piecesOf(patch, blockIds), ({ part, lastId }, held) => {
    const pieces = splitEvenly(held === undefined ? part.put : applyPatch(new Uint8Array(held), part), MOST_BLOCK_BYTES);
    if (lastId !== undefined) writes.add(blocks.delete([object, lastId]));
    for (const piece of pieces) writes.add(blocks.put(bufferOf(piece), [object, idAt(piece, countOf(piece) - 1)]));
  });
  await writes.done();
}

/** The bytes in a buffer of their own size: what is stored is the whole buffer. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return (bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice()).buffer as ArrayBuffer;
}

/**
 * Folds what has become many of an object, in transactions small enough for a save to come between.
 *
 * @param isWanted - asked before each of them.
 */
export async function foldObject(database: StoreDatabase, object: string, isWanted: () => boolean): Promise<void> {
  const { singles, patches, blocks } = await countRows(database, object);
  for (let after: string | undefined, isMore = singles >= FOLD_FROM; isMore && isWanted(); isMore = after !== undefined) {
    after = await writing(database, (transaction) => foldSingles(transaction, object, after));
  }
  for (let isMore = patches >= PATCHES_FROM && patches > blocks / 4; isMore && isWanted(); ) {
    isMore = await writing(database, (transaction) => foldPatches(transaction, object));
  }
}

async function countRows(database: StoreDatabase, object: string): Promise<{ readonly singles: number; readonly patches: number; readonly blocks: number }> {
  const transaction = database.transaction(ROW_STORES);
  const range = keysBehind(object, undefined);
  const [singles, patches, blocks] = await Promise.all([
    // Counting would look at all of them.
    transaction.objectStore('records').getAllKeys(range, FOLD_FROM),
    transaction.objectStore('patches').count(range),
    transaction.objectStore('blocks').count(range),
    transaction.done,
  ]);
  return { singles: singles.length, patches, blocks };
}

/** Folds the single rows that come first behind an id; answers the last of them, `undefined` when no more follow. */
async function foldSingles(transaction: Writing, object: string, after: string | undefined): Promise<string | undefined> {
  const records = transaction.objectStore('records');
  const range = keysBehind(object, after);
  const [keys, values] = await Promise.all([records.getAllKeys(range, FOLD_FROM), records.getAll(range, FOLD_FROM)]);
  await fold(transaction, object, keys.map(([, id], index) => [id, values[index]!]), NO_CHANGE);
  return keys.length < FOLD_FROM ? undefined : keys.at(-1)![1];
}

/** Folds the first patches; says whether there may be more. */
async function foldPatches(transaction: Writing, object: string): Promise<boolean> {
  const patches = transaction.objectStore('patches');
  const range = keysBehind(object, undefined);
  const [keys, values] = await Promise.all([patches.getAllKeys(range, PATCHES_AT_ONCE), patches.getAll(range, PATCHES_AT_ONCE)]);
  const patch = joinPatches(values.map(asPatch));
  const writes = new Writes();
  for (const key of keys) writes.add(patches.delete(key));
  if (changesIn(patch) > 0) await mergeIntoBlocks(transaction, object, patch);
  await writes.done();
  return keys.length === PATCHES_AT_ONCE;
}

function writing<T>(database: StoreDatabase, work: (transaction: Writing) => Promise<T>): Promise<T> {
  const transaction = database.transaction([...ROW_STORES, 'state'], 'readwrite', { durability: 'relaxed' });
  return finish(transaction, work(transaction));
}
