import { countOf, idAt, pickRows } from '../core/row-block.ts';
import { BLOCKS_AT_ONCE, eachBlock, MOST_BLOCK_BYTES, overlayOf, rangeOf, readLastIds, readPatches, readSingles } from './indexeddb-blocks.ts';
import { BLOCKS_PER_REQUEST, readIn, readParts, type Reading, type RowsPart } from './indexeddb-reads.ts';
import type { StoreDatabase } from './indexeddb-rows.ts';
import { applyPatch, NO_ROWS, PatchReader, piecesOf, rowsWithin, splitEvenly } from './block-patch.ts';
import type { PackedStorage } from './storage-adapter.ts';

// A block of which fewer rows than one in so many are asked for gives those alone.
const WHOLE_FROM = 2;

// Rows are hardly smaller than that: says how many to ask for when bytes are limited.
const LEAST_ROW_BYTES = 64;

/** Reads row blocks in id order, with what lies above them merged in. */
export async function scanBlocks(database: StoreDatabase, { object, after, upTo, limitBytes }: Parameters<PackedStorage['scan']>[0]): Promise<Uint8Array[]> {
  return readIn(database, async (transaction) => {
    const found: Uint8Array[] = [];
    let byteLength = 0;
    for await (const part of readParts(transaction, { object, after, rowsWanted: limitBytes / LEAST_ROW_BYTES }, BLOCKS_AT_ONCE, readBlocks)) {
      const isLast = upTo !== undefined && (part.end === undefined || upTo <= part.end);
      for (const block of blocksOf(isLast ? { ...part, end: upTo } : part)) {
        found.push(block);
        byteLength += block.length;
        if (byteLength >= limitBytes) return found;
      }
      if (isLast) break;
    }
    return found;
  });
}

/** Reads blocks in several requests at once, so that a large scan seldom waits. */
async function readBlocks(transaction: Reading, range: IDBKeyRange, most: number): Promise<ArrayBuffer[]> {
  const blocks = transaction.objectStore('blocks');
  const keys = await blocks.getAllKeys(range, most);
  const starts = keys.filter((_, index) => index % BLOCKS_PER_REQUEST === 0);
  const ends = starts.map((_, index) => keys[(index + 1) * BLOCKS_PER_REQUEST - 1] ?? keys.at(-1));
  return (await Promise.all(starts.map((start, index) => blocks.getAll(IDBKeyRange.bound(start, ends[index]))))).flat();
}

function* blocksOf({ singles, patches, blocks, after, end }: RowsPart): Generator<Uint8Array> {
  const above = new PatchReader(overlayOf(singles, patches));
  if (after !== undefined) above.takeUpTo(after);
  for (const block of blocks) {
    const lastId = idAt(block, countOf(block) - 1);
    const isLast = end !== undefined && lastId >= end;
    const rows = applyPatch(rowsWithin(block, after, end), above.takeUpTo(isLast ? end : lastId));
    if (countOf(rows) > 0) yield rows;
    if (isLast) return;
  }
  yield* splitEvenly(above.takeUpTo(end).put, MOST_BLOCK_BYTES);
}

/** Reads the rows of ids, block by block. */
export async function readAround(database: StoreDatabase, { object, ids }: Parameters<PackedStorage['readAround']>[0]): Promise<Uint8Array[]> {
  if (countOf(ids) === 0) return [];
  return readIn(database, async (transaction) => {
    const asked = { put: ids, removed: NO_ROWS };
    const range = rangeOf(object, asked);
    const blocks = transaction.objectStore('blocks');
    const [singles, patches, lastIds] = await Promise.all([readSingles(transaction.objectStore('records'), range), readPatches(transaction.objectStore('patches'), range), readLastIds(blocks, range)]);
    const above = new PatchReader(overlayOf(singles, patches));
    const found: Uint8Array[] = [];
    await eachBlock(blocks, object, piecesOf(asked, lastIds), ({ part, after, upTo }, block) => {
      if (after !== undefined) above.takeUpTo(after);
      const rows = applyPatch(block === undefined ? NO_ROWS : new Uint8Array(block), above.takeUpTo(upTo));
      // Rows that nobody asked for are copied less often when they stay here.
      const wanted = countOf(part.put) * WHOLE_FROM >= countOf(rows) ? rows : pickRows(rows, part.put);
      if (countOf(wanted) > 0) found.push(wanted);
    });
    return found;
  });
}
