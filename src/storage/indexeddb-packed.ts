import { countOf, idAt, pickRows } from '../core/row-block.ts';
import { eachBlock, MOST_BLOCK_BYTES, overlayOf, rangeOf, readLastIds, readPatches, readSingles } from './indexeddb-blocks.ts';
import { readIn, readPart, type RowsPart } from './indexeddb-reads.ts';
import type { StoreDatabase } from './indexeddb-rows.ts';
import { applyPatch, NO_ROWS, PatchReader, piecesOf, rowsWithin, splitEvenly } from './block-patch.ts';
import type { PackedStorage } from './storage-adapter.ts';

// A block of which fewer rows than one in so many are asked for gives those alone.
const WHOLE_FROM = 2;

// So many rows of usual size lie in what one request brings.
const ROWS_AT_ONCE = 1_000;

/** Reads row blocks in id order, with what lies above them merged in. */
export async function scanBlocks(database: StoreDatabase, { object, after, upTo, limitBytes }: Parameters<PackedStorage['scan']>[0]): Promise<Uint8Array[]> {
  return readIn(database, async (transaction) => {
    const found: Uint8Array[] = [];
    let byteLength = 0;
    for (let last = after; ; ) {
      const part = await readPart(transaction, object, last, ROWS_AT_ONCE);
      const end = part.end === undefined || (upTo !== undefined && upTo <= part.end) ? upTo : part.end;
      for (const block of blocksOf(part, last, end)) {
        found.push(block);
        byteLength += block.length;
        if (byteLength >= limitBytes) return found;
      }
      if (end === upTo) return found;
      last = end;
    }
  });
}

function* blocksOf(part: RowsPart, after: string | undefined, end: string | undefined): Generator<Uint8Array> {
  const above = new PatchReader(overlayOf(part.singles, part.patches));
  if (after !== undefined) above.takeUpTo(after);
  for (const block of part.blocks) {
    const lastId = idAt(block, countOf(block) - 1);
    const isLast = end !== undefined && lastId >= end;
    const merged = applyPatch(rowsWithin(block, after, end), above.takeUpTo(isLast ? end : lastId));
    yield* splitEvenly(merged, MOST_BLOCK_BYTES);
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
