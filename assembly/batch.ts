import { absentCount, begin, decide, joinRows, Merge, mergeEnd, nextPlace, noteAttention, touched } from './batch/merge';
import { ENTRY_BYTES, ID_ROOM, indexQuickly, noteId, packRecordIds, sortRecords } from './batch/index-batch';
import { blockEnd, blockStart, packAbsent as packAbsentIds, packRows, placeAfter } from './batch/pack';
import { isBlock, rowCount } from './batch/row-block';
import { KEY_BYTES } from './batch/sort';
import {
  BATCH_KEY_ID,
  BATCH_KEY_IMAGE,
  IMAGE_LAYOUT,
  NO_INDEX,
  RESULT_WORDS,
  ROW_BLOCK_HEADER_BYTES,
  ROW_ENDS_BYTES,
  STATUS_BAD_REGIONS,
  STATUS_INDEX_FULL,
  STATUS_NOT_SORTED,
  STATUS_OK,
} from './layout';
import { wordAt } from './bytes';
import { areLayouts, layoutAt, layoutCount, objectOf } from './layouts';
import { endBatch, placeOfRefusal, reasonOfRefusal } from './refusal';
import { firstRegion, OUTSIDE, regionAfter } from './regions';

// The exports for large batches: a build of their own, in scalar and SIMD. As in device.ts, each checks its regions, which lie in memory
// in the order of its parameters, and ends in a status on any arguments and any bytes. What points from one table into another is checked
// where it is followed, since a pass over a table of a million entries costs as much as the work on it.

const RESULT_BYTES: u64 = RESULT_WORDS * 4;

/** Where the first region of a call may begin: below lie the module's own tables. */
export const regionsBegin: usize = __heap_base;

/**
 * Checks the images of a window of the items, which begins at `offset`, and writes entry, key and id of each from number `count` on. The
 * result has how many images there are now, where in the window the next one begins, and how many bytes the ids take. STATUS_INDEX_FULL
 * when there is no room for the next image; any other status is why that is refused, and where in the window: STATUS_TRUNCATED also when
 * only its end is not there.
 */
export function indexWindow(
  layouts: usize, layoutsBytes: u32, result: usize, window: usize, windowBytes: u32, offset: u32,
  entries: usize, keys: usize, room: u32, ids: usize, idsBytes: u32, count: u32, idsUsed: u32,
): i32 {
  let end = firstRegion(layouts, layoutsBytes);
  end = regionAfter(end, result, RESULT_BYTES);
  end = regionAfter(end, window, windowBytes);
  end = regionAfter(end, entries, <u64>room * ENTRY_BYTES);
  end = regionAfter(end, keys, <u64>room * KEY_BYTES);
  end = regionAfter(end, ids, idsBytes);
  if (end == OUTSIDE || idsUsed > idsBytes || !areLayouts(layouts, layoutsBytes)) return STATUS_BAD_REGIONS;
  // Offsets count from the start of the items, wherever that would be.
  const items = window - offset, windowEnd = window + windowBytes;
  let at = window, idAt = ids + idsUsed;
  for (; at < windowEnd; count++) {
    const entry = entries + count * ENTRY_BYTES;
    const isFull = count >= room || ids + idsBytes - idAt < ID_ROOM;
    const next: usize = isFull ? 0 : indexQuickly(items, at, windowEnd, layouts, entry);
    if (next == 0) {
      endBatch(true, count, at - window, idAt - ids, isFull ? 0 : placeOfRefusal() - window, result);
      return isFull ? STATUS_INDEX_FULL : reasonOfRefusal();
    }
    idAt = noteId(items, entry, count, keys + count * KEY_BYTES, ids, idAt);
    at = next;
  }
  return endBatch(true, count, at - window, idAt - ids, 0, result);
}

/**
 * Sorts what the windows gave by object and id, notes in each entry the newest image of its record, and writes the order of the records
 * and where each object ends in it. The result's count is that of the records; the first keys are then theirs.
 */
export function sortBatch(
  layouts: usize, layoutsBytes: u32, result: usize, entries: usize, keys: usize, count: u32, ids: usize, idsBytes: u32,
  spare: usize, order: usize, ends: usize, objectCount: u32,
): i32 {
  let end = firstRegion(layouts, layoutsBytes);
  end = regionAfter(end, result, RESULT_BYTES);
  end = regionAfter(end, entries, <u64>count * ENTRY_BYTES);
  end = regionAfter(end, keys, <u64>count * KEY_BYTES);
  end = regionAfter(end, ids, idsBytes);
  end = regionAfter(end, spare, <u64>count * KEY_BYTES);
  end = regionAfter(end, order, <u64>count * 4);
  end = regionAfter(end, ends, <u64>objectCount * 4);
  if (end == OUTSIDE || !areLayouts(layouts, layoutsBytes) || !areEntries(layouts, entries, keys, count, idsBytes, objectCount)) return STATUS_BAD_REGIONS;
  return endBatch(true, sortRecords(layouts, entries, count, keys, spare, ids, order, ends, objectCount), 0, 0, 0, result);
}

function areEntries(layouts: usize, entries: usize, keys: usize, count: u32, idsBytes: u32, objectCount: u32): bool {
  for (let image: u32 = 0; image < count; image++) {
    const layout = wordAt(entries + image * ENTRY_BYTES + IMAGE_LAYOUT * 4);
    if (layout >= layoutCount(layouts) || objectOf(layoutAt(layouts, layout)) >= objectCount) return false;
    if (!isKey(keys + image * KEY_BYTES, count, idsBytes)) return false;
  }
  return true;
}

function isKey(key: usize, count: u32, idsBytes: u32): bool {
  return wordAt(key + BATCH_KEY_IMAGE * 4) < count && <u64>wordAt(key + BATCH_KEY_ID * 4) + ID_ROOM <= idsBytes;
}

/** Writes the ids of `count` records as a row block without values; the result's offset is its byte length. */
export function packIds(result: usize, keys: usize, count: u32, ids: usize, idsBytes: u32, block: usize, blockBytes: u32): i32 {
  let end = firstRegion(result, RESULT_BYTES);
  end = regionAfter(end, keys, <u64>count * KEY_BYTES);
  end = regionAfter(end, ids, idsBytes);
  end = regionAfter(end, block, blockBytes);
  if (end == OUTSIDE || ROW_BLOCK_HEADER_BYTES + <u64>count * ROW_ENDS_BYTES > blockBytes) return STATUS_BAD_REGIONS;
  const blockEnd = packRecordIds(keys, count, ids, idsBytes, block, block + blockBytes);
  if (blockEnd == 0) return STATUS_BAD_REGIONS;
  return endBatch(true, count, blockEnd - block, 0, 0, result);
}

/** Begins a merge: nothing is held yet, and nothing is in the way. */
export function beginMerge(merge: usize): i32 {
  if (mergeEnd(merge) == OUTSIDE) return STATUS_BAD_REGIONS;
  begin(changetype<Merge>(merge));
  return STATUS_OK;
}

/**
 * Finds what one block holds of the records of an object, of which `ids` is the row block and `first` the place of the first one; those
 * before `from` come before the block. The result has the place to begin the next block with, and how many rows no image is about:
 * `absent` has a word for each of them, unless its room is 0.
 */
export function joinBlock(
  merge: usize, result: usize, ids: usize, idsBytes: u32, first: u32, from: u32, number: u32, block: usize, blockBytes: u32,
  absent: usize, absentRoom: u32,
): i32 {
  let end = regionAfter(mergeEnd(merge), result, RESULT_BYTES);
  end = regionAfter(end, ids, idsBytes);
  end = regionAfter(end, block, blockBytes);
  end = regionAfter(end, absent, <u64>absentRoom * 4);
  if (end == OUTSIDE || !isBlock(ids, idsBytes)) return STATUS_BAD_REGIONS;
  if (!isBlock(block, blockBytes)) return STATUS_NOT_SORTED;
  if (absentRoom != 0 && absentRoom < rowCount(block)) return STATUS_BAD_REGIONS;
    if (joinRows(changetype<Merge>(merge), ids, ids + idsBytes, first, from, block, block + blockBytes, number, absentRoom != 0 ? absent : 0) == 0) return reasonOfRefusal();
  return endBatch(true, nextPlace, absentCount, touched, 0, result);
}

/** Writes the ids of the rows that a list names as a row block without values; the result's offset is its byte length. */
export function packAbsent(result: usize, block: usize, blockBytes: u32, list: usize, count: u32, out: usize, outBytes: u32): i32 {
  let end = firstRegion(result, RESULT_BYTES);
  end = regionAfter(end, block, blockBytes);
  end = regionAfter(end, list, <u64>count * 4);
  end = regionAfter(end, out, outBytes);
  if (end == OUTSIDE || !isBlock(block, blockBytes)) return STATUS_BAD_REGIONS;
  const outEnd = packAbsentIds(block, block + blockBytes, list, count, out, out + outBytes);
  if (outEnd == 0) return STATUS_BAD_REGIONS;
  return endBatch(true, count, outEnd - out, 0, 0, result);
}

/** Adds what is in the way of the records of an object: a row block with a byte of attention for each. */
export function addAttention(merge: usize, ids: usize, idsBytes: u32, first: u32, block: usize, blockBytes: u32): i32 {
  let end = regionAfter(mergeEnd(merge), ids, idsBytes);
  end = regionAfter(end, block, blockBytes);
  if (end == OUTSIDE || !isBlock(ids, idsBytes)) return STATUS_BAD_REGIONS;
  if (!isBlock(block, blockBytes) || !noteAttention(changetype<Merge>(merge), ids, ids + idsBytes, first, block, block + blockBytes)) return STATUS_NOT_SORTED;
  return STATUS_OK;
}

/** Writes a verdict for every image, and a change for each record that is merged; the result's count is theirs. */
export function decideMerge(merge: usize, result: usize): i32 {
  if (regionAfter(mergeEnd(merge), result, RESULT_BYTES) == OUTSIDE) return STATUS_BAD_REGIONS;
  const changes = decide(changetype<Merge>(merge));
  return changes == NO_INDEX ? STATUS_BAD_REGIONS : endBatch(true, changes, 0, 0, 0, result);
}

/**
 * Packs merged images of an object as storage keeps them, at most `mostRows` and as many as there is room for, from the record at
 * `first + from` on. The result has the number of rows, where in `out` their block begins and how long it is, and the place to go on.
 */
export function packMerged(
  merge: usize, result: usize, ids: usize, idsBytes: u32, first: u32, from: u32, items: usize, itemsBytes: u32,
  out: usize, outBytes: u32, mostRows: u32,
): i32 {
  let end = regionAfter(mergeEnd(merge), result, RESULT_BYTES);
  end = regionAfter(end, ids, idsBytes);
  end = regionAfter(end, items, itemsBytes);
  end = regionAfter(end, out, outBytes);
  if (end == OUTSIDE || !isBlock(ids, idsBytes) || ROW_BLOCK_HEADER_BYTES + <u64>mostRows * ROW_ENDS_BYTES > outBytes) return STATUS_BAD_REGIONS;
  const rows = packRows(changetype<Merge>(merge), items, itemsBytes, ids, ids + idsBytes, first, from, out, out + outBytes, mostRows);
  if (rows == NO_INDEX) return STATUS_BAD_REGIONS;
  return endBatch(true, rows, blockStart - out, blockEnd - blockStart, placeAfter, result);
}
