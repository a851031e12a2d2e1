import {
  IMAGE_ID_AT,
  IMAGE_ID_BYTES,
  IMAGE_LAYOUT,
  IMAGE_ROW_AT,
  IMAGE_ROW_BYTES,
  NO_INDEX,
  ROW_BLOCK_FORMAT,
  ROW_BLOCK_HEADER_BYTES,
  ROW_ENDS_BYTES,
  VERDICT_MERGE,
} from '../layout';
import { byteAt, copyTo, copyWords, setByte, setWord, wordAt } from '../bytes';
import { beginningEnd, beginningOf, entryOf, imageOf, Merge } from './merge';
import { dataOf, isIdInside, keyEndOf, rowCount, startOf } from './row-block';

const TEXT_OF_4: u32 = 0xa4;
const LIVE: u32 = 0x6576696c; // "live"
const STATE_BYTES: u32 = 5;

/** Bytes behind what is written that a copy in words may touch. */
const SLACK: u32 = 16;

/** So many images are touched together before they are copied: then memory brings them at the same time, not one after another. */
const AHEAD: u32 = 16;

/** What was packed: where the block begins and ends, and the place of the first record that is not in it. */
export let blockStart: usize = 0;
export let blockEnd: usize = 0;
export let placeAfter: u32 = 0;

/**
 * Packs merged images of an object as stored images, from the record at `first + from` on, until `mostRows` are packed or the next one has
 * no room. `ids` is the row block of the object's ids.
 *
 * @returns how many rows; NO_INDEX when the index is none.
 */
export function packRows(merge: Merge, items: usize, itemsBytes: u32, ids: usize, idsEnd: usize, first: u32, from: u32, out: usize, outEnd: usize, mostRows: u32): u32 {
  const idsData = dataOf(ids), count = rowCount(ids);
  const data = out + ROW_BLOCK_HEADER_BYTES + mostRows * ROW_ENDS_BYTES;
  let ends = out + ROW_BLOCK_HEADER_BYTES, at = data, rows: u32 = 0, place = from;
  for (; place < count && rows < mostRows; place++) {
    if ((place - from) % AHEAD == 0) setWord(out, touch(merge, items, itemsBytes, first + place)); // the header is written last
    const image = first + place < merge.recordCount ? imageOf(merge, first + place) : <u32>NO_INDEX;
    if (image == NO_INDEX) return NO_INDEX;
    if (byteAt(merge.verdicts + image) != VERDICT_MERGE) continue;
    const entry = entryOf(merge, image);
    if (!isIdInside(ids, idsEnd, place) || !isLiveInside(entry, itemsBytes)) return NO_INDEX;
    const layout = wordAt(entry + IMAGE_LAYOUT * 4);
    const beginning = beginningOf(merge, layout), beginningStop = beginningEnd(merge, layout);
    const id = idsData + startOf(ids, place), idEnd = idsData + keyEndOf(ids, place);
    const numbers = items + wordAt(entry + IMAGE_ID_AT * 4) + wordAt(entry + IMAGE_ID_BYTES * 4);
    const row = items + wordAt(entry + IMAGE_ROW_AT * 4), rowEnd = row + wordAt(entry + IMAGE_ROW_BYTES * 4);
    // The state, a byte, stands between the numbers and the row.
    const byteLength = (idEnd - id) + (beginningStop - beginning) + (row - 1 - numbers) + STATE_BYTES + (rowEnd - row);
    if (<u64>byteLength + SLACK > <u64>(outEnd - at)) break;
    at = copyWords(at, id, idEnd);
    setWord(ends, <u32>(at - data));
    at = copyWords(at, beginning, beginningStop);
    at = copyWords(at, numbers, row - 1);
    setByte(at, TEXT_OF_4);
    setWord(at + 1, LIVE);
    at = copyWords(at + STATE_BYTES, row, rowEnd);
    setWord(ends + 4, <u32>(at - data));
    ends += ROW_ENDS_BYTES;
    rows++;
  }
  finish(out, data, ends, rows);
  blockEnd = at;
  placeAfter = place;
  return rows;
}

/** Looks at some bytes of the next images, wherever they lie; their sum keeps compilers from leaving that out. */
function touch(merge: Merge, items: usize, itemsBytes: u32, place: u32): u32 {
  const end = min(place + AHEAD, merge.recordCount);
  let sum: u32 = 0;
  for (; place < end; place++) {
    const image = wordAt(merge.order + place * 4);
    if (image >= merge.count) break;
    const at = wordAt(entryOf(merge, image) + IMAGE_ROW_AT * 4);
    if (at < itemsBytes) sum += byteAt(items + at);
    if (<u64>at + 128 < itemsBytes) sum += byteAt(items + at + 128);
  }
  return sum;
}

/** Says whether numbers and row of an image lie among the items, one behind the other. */
function isLiveInside(entry: usize, itemsBytes: u32): bool {
  const numbersAt = <u64>wordAt(entry + IMAGE_ID_AT * 4) + wordAt(entry + IMAGE_ID_BYTES * 4);
  const rowAt = <u64>wordAt(entry + IMAGE_ROW_AT * 4);
  return numbersAt < rowAt && rowAt + wordAt(entry + IMAGE_ROW_BYTES * 4) <= itemsBytes;
}

/** Moves the ends to where the data begins, and writes the header before them. */
function finish(out: usize, data: usize, endsEnd: usize, rows: u32): void {
  const endsBytes = <u32>(endsEnd - out) - ROW_BLOCK_HEADER_BYTES;
  blockStart = data - endsBytes - ROW_BLOCK_HEADER_BYTES;
  memory.copy(blockStart + ROW_BLOCK_HEADER_BYTES, out + ROW_BLOCK_HEADER_BYTES, endsBytes);
  setWord(blockStart, ROW_BLOCK_FORMAT);
  setWord(blockStart + 4, rows);
}

/**
 * Packs the ids of the rows of a block that a list names, as a row block without values. Answers with where it ends; 0 when the list names
 * no rows of the block, or there is no room.
 */
export function packAbsent(block: usize, blockEnd: usize, list: usize, count: u32, out: usize, outEnd: usize): usize {
  const data = dataOf(block);
  if (ROW_BLOCK_HEADER_BYTES + <u64>count * ROW_ENDS_BYTES > <u64>(outEnd - out)) return 0;
  let ends = out + ROW_BLOCK_HEADER_BYTES;
  const target = ends + count * ROW_ENDS_BYTES;
  let at = target;
  setWord(out, ROW_BLOCK_FORMAT);
  setWord(out + 4, count);
  for (let index: u32 = 0; index < count; index++, ends += ROW_ENDS_BYTES) {
    const row = wordAt(list + index * 4);
    if (row >= rowCount(block) || !isIdInside(block, blockEnd, row)) return 0;
    const id = data + startOf(block, row), idEnd = data + keyEndOf(block, row);
    if (idEnd - id > outEnd - at) return 0;
    at = copyTo(at, id, idEnd);
    setWord(ends, <u32>(at - target));
    setWord(ends + 4, <u32>(at - target));
  }
  return at;
}
