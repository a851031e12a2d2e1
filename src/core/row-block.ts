import { utf8 } from '../shared/bytes.ts';
import { countOf, dataOf, decoder, idBytesAt, keyEndOf, ROW_BLOCK_FORMAT, ROW_BLOCK_HEADER_BYTES, ROW_ENDS_BYTES, rowStart, valueEndOf, wordAt } from './row-block-layout.ts';

// What a start of the worker needs of it lies in a file of its own.
export { countOf, idAt, idBytesAt, ROW_BLOCK_FORMAT, ROW_BLOCK_HEADER_BYTES, ROW_ENDS_BYTES, valueAt } from './row-block-layout.ts';

/** Rows of one object in id order, packed as one row block. */
export interface PackedRows {
  /** The object's name in the schema. */
  readonly object: string;
  /** Ids and values; see `src/core/row-block.ts`. */
  readonly block: Uint8Array;
}

/** An id, as text or as the UTF-8 of it. */
export type IdLike = string | Uint8Array;

/**
 * Says whether bytes are a row block: lengths within the bytes, nothing behind the last row, ids in well-formed UTF-8, unique and in
 * order. The other functions trust what passed here.
 */
export function isRowBlock(bytes: Uint8Array): boolean {
  if (bytes.length < ROW_BLOCK_HEADER_BYTES || wordAt(bytes, 0) !== ROW_BLOCK_FORMAT) return false;
  const dataBytes = bytes.length - dataOf(bytes);
  if (dataBytes < 0) return false;
  const count = countOf(bytes);
  let end = 0;
  for (let index = 0; index < count; index++) {
    const keyEnd = keyEndOf(bytes, index), valueEnd = valueEndOf(bytes, index);
    if (keyEnd < end || valueEnd < keyEnd || valueEnd > dataBytes) return false;
    if (index > 0 && compareAt(bytes, index - 1, bytes, index) >= 0) return false;
    if (!isUtf8(idBytesAt(bytes, index))) return false;
    end = valueEnd;
  }
  return end === dataBytes;
}

/** The index of the row with this id; −1 when there is none. */
export function findRow(block: Uint8Array, id: IdLike): number {
  const bytes = bytesOfId(id);
  const index = firstNotBelow(block, bytes);
  return index < countOf(block) && compareRange(block, rowStart(block, index), dataOf(block) + keyEndOf(block, index), bytes, 0, bytes.length) === 0 ? index : -1;
}

/**
 * The index of the first row whose id is not less than this one; the count of rows when all are.
 *
 * @param from - where to begin: rows before it are less. The search looks near it first. @defaultValue 0
 */
export function firstNotBelow(block: Uint8Array, id: IdLike, from = 0): number {
  const bytes = bytesOfId(id);
  const data = dataOf(block);
  return search(countOf(block), from, (index) => compareRange(block, rowStart(block, index), data + keyEndOf(block, index), bytes, 0, bytes.length) < 0);
}

/** Packs rows. @throws RangeError when they are not in order, or two have the same id. */
export function rowBlock(rows: Iterable<{ readonly id: string; readonly bytes: Uint8Array }>): Uint8Array {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for (const { id, bytes } of rows) {
    const key = utf8(id);
    const before = parts.at(-2);
    if (before !== undefined && compareIds(before, key) >= 0) throw new RangeError(`row ${id} does not follow the one before it`);
    parts.push(key, bytes);
    byteLength += key.length + bytes.length;
  }
  const block = beginBlock(parts.length / 2, byteLength);
  const data = dataOf(block);
  let end = 0;
  for (const [place, part] of parts.entries()) {
    block.set(part, data + end);
    end += part.length;
    setWord(block, ROW_BLOCK_HEADER_BYTES + place * 4, end);
  }
  return block;
}

/** A block of the rows from one index up to, and without, another. */
export function sliceBlock(block: Uint8Array, from: number, to: number): Uint8Array {
  return copyRuns([block], [0, from, to]);
}

/** Says whether the first row of a block comes behind the last of another; neither is empty. */
export function joinsOn(before: Uint8Array, block: Uint8Array): boolean {
  return compareAt(before, countOf(before) - 1, block, 0) < 0;
}

/** Joins blocks whose rows follow each other in id order. @throws RangeError when they do not. */
export function joinBlocks(blocks: readonly Uint8Array[]): Uint8Array {
  const filled = blocks.filter((block) => countOf(block) > 0);
  for (const [place, block] of filled.entries()) {
    if (place > 0 && !joinsOn(filled[place - 1]!, block)) throw new RangeError('a block does not follow the one before it');
  }
  return copyRuns(filled, filled.flatMap((block, place) => [place, 0, countOf(block)]));
}

/**
 * The rows of both blocks; of two with the same id the newer. Runs between rows that changed are copied in one go.
 *
 * @param removedIds - a row block of rows that are not taken over from the older block; its values do not count. @defaultValue none
 */
export function mergeBlocks(older: Uint8Array, newer: Uint8Array, removedIds?: Uint8Array): Uint8Array {
  const runs: number[] = [];
  const put = (source: number, from: number, to: number): void => {
    const last = runs.length - 3;
    if (from === to) return;
    if (last >= 0 && runs[last] === source && runs[last + 2] === from) runs[last + 2] = to;
    else runs.push(source, from, to);
  };
  const removedCount = removedIds === undefined ? 0 : countOf(removedIds), newCount = countOf(newer);
  let at = 0, removed = 0, added = 0;
  // Both lists of changed rows in order; each is looked up from where the one before was.
  while (added < newCount || removed < removedCount) {
    const order = added === newCount ? 1 : removed === removedCount ? -1 : compareAt(newer, added, removedIds!, removed);
    const [source, index] = order > 0 ? [removedIds!, removed] : [newer, added];
    const place = firstRowNotBelow(older, at, source, index);
    put(0, at, place);
    at = place < countOf(older) && compareAt(older, place, source, index) === 0 ? place + 1 : place;
    if (order >= 0) removed++;
    if (order <= 0) put(1, added, ++added);
  }
  put(0, at, countOf(older));
  return copyRuns([older, newer], runs);
}

/** The rows of a block whose ids are those of another, whose values do not count. */
export function pickRows(block: Uint8Array, ids: Uint8Array): Uint8Array {
  const runs: number[] = [];
  const asked = countOf(ids), count = countOf(block);
  let at = 0;
  for (let index = 0; index < asked && at < count; index++) {
    at = firstRowNotBelow(block, at, ids, index);
    if (at === count || compareAt(block, at, ids, index) !== 0) continue;
    if (runs.at(-1) === at) runs[runs.length - 1] = at + 1;
    else runs.push(0, at, at + 1);
    at++;
  }
  return copyRuns([block], runs);
}

/** Cuts a block into blocks of at most so many bytes, in order; a row that is larger than that is a block of its own. */
export function splitBlock(block: Uint8Array, bytesPerBlock: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const count = countOf(block);
  for (let from = 0; from < count; ) {
    const start = rowStart(block, from) - dataOf(block);
    const isTooFar = (to: number): boolean => ROW_BLOCK_HEADER_BYTES + (to + 1 - from) * ROW_ENDS_BYTES + valueEndOf(block, to) - start > bytesPerBlock;
    const to = Math.max(from + 1, search(count, from, (index) => !isTooFar(index)));
    blocks.push(sliceBlock(block, from, to));
    from = to;
  }
  return blocks;
}

/** Orders ids given as UTF-8 as JavaScript orders the texts: by UTF-16 code units. Negative when the left comes first, 0 when equal. */
export function compareIds(left: Uint8Array, right: Uint8Array): number {
  return compareRange(left, 0, left.length, right, 0, right.length);
}

/** A block with room for so many rows and bytes of data; all ends are 0. */
function beginBlock(count: number, dataBytes: number): Uint8Array {
  const block = new Uint8Array(ROW_BLOCK_HEADER_BYTES + count * ROW_ENDS_BYTES + dataBytes);
  setWord(block, 0, ROW_BLOCK_FORMAT);
  setWord(block, 4, count);
  return block;
}

/**
 * Makes a block of runs of rows, which must follow each other in id order.
 *
 * @param runs - source, first row and the one behind the last, three numbers each.
 */
export function copyRuns(sources: readonly Uint8Array[], runs: readonly number[]): Uint8Array {
  let count = 0, dataBytes = 0;
  for (let run = 0; run < runs.length; run += 3) {
    const source = sources[runs[run]!]!, from = runs[run + 1]!, to = runs[run + 2]!;
    count += to - from;
    dataBytes += rowStart(source, to) - rowStart(source, from);
  }
  const block = beginBlock(count, dataBytes);
  const data = dataOf(block);
  let row = 0, end = 0;
  for (let run = 0; run < runs.length; run += 3) {
    const source = sources[runs[run]!]!, from = runs[run + 1]!, to = runs[run + 2]!;
    const start = rowStart(source, from), stop = rowStart(source, to);
    block.set(source.subarray(start, stop), data + end);
    const shift = end - (start - dataOf(source));
    for (let index = from; index < to; index++, row++) {
      setWord(block, ROW_BLOCK_HEADER_BYTES + row * ROW_ENDS_BYTES, keyEndOf(source, index) + shift);
      setWord(block, ROW_BLOCK_HEADER_BYTES + row * ROW_ENDS_BYTES + 4, valueEndOf(source, index) + shift);
    }
    end += stop - start;
  }
  return block;
}

/** The first row of a block, from `from` on, whose id is not less than that of a row of another block. */
function firstRowNotBelow(block: Uint8Array, from: number, other: Uint8Array, index: number): number {
  return search(countOf(block), from, (place) => compareAt(block, place, other, index) < 0);
}

/** The first index that is not below, in steps that double and then by halves: cheap where it is near. */
function search(count: number, from: number, isBelow: (index: number) => boolean): number {
  let low = from, step = 1;
  while (low + step - 1 < count && isBelow(low + step - 1)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(count, low + step - 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareAt(left: Uint8Array, leftIndex: number, right: Uint8Array, rightIndex: number): number {
  return compareRange(
    left, rowStart(left, leftIndex), dataOf(left) + keyEndOf(left, leftIndex),
    right, rowStart(right, rightIndex), dataOf(right) + keyEndOf(right, rightIndex),
  );
}

function compareRange(left: Uint8Array, leftStart: number, leftEnd: number, right: Uint8Array, rightStart: number, rightEnd: number): number {
  const shared = Math.min(leftEnd - leftStart, rightEnd - rightStart);
  for (let offset = 0; offset < shared; offset++) {
    const one = left[leftStart + offset]!, other = right[rightStart + offset]!;
    if (one !== other) return rank(one) - rank(other);
  }
  return leftEnd - leftStart - (rightEnd - rightStart);
}

/** Where a byte of UTF-8 stands in the order of UTF-16: U+E000 to U+FFFF come behind the surrogates that stand for all above them. */
function rank(byte: number): number {
  return byte === 0xee || byte === 0xef ? byte + 0x10 : byte;
}

function isUtf8(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte < 0x80)) return true;
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function bytesOfId(id: IdLike): Uint8Array {
  return typeof id === 'string' ? utf8(id) : id;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
