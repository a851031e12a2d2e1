import { applyTo } from './apply';
import { diffPairs } from './diff';
import { areIndexRegions, indexImages as indexAllImages } from './items';
import { RESULT_WORDS, STATUS_BAD_REGIONS } from './layout';
import { maskBytes } from './mask';
import { scanValue } from './msgpack/scan';
import { endOk, endRefused } from './refusal';
import { firstRegion, OUTSIDE, regionAfter } from './regions';

// The exports that devices call: a build of their own, which every device carries. Each checks its regions, which lie in memory in the
// order of its parameters (regions.ts), and ends in a status on any arguments and any bytes. Offsets and counts of the answer go to
// `result` (layout.ts).

const RESULT_BYTES: u64 = RESULT_WORDS * 4;

/** Where the first region of a call may begin: below lie the module's own tables. */
export const regionsBegin: usize = __heap_base;

/** Checks that a message is one msgpack value, not too deep, with counts and lengths that its bytes can hold. */
export function scanMessage(message: usize, messageBytes: u32, result: usize): i32 {
  const end = regionAfter(firstRegion(message, messageBytes), result, RESULT_BYTES);
  if (end == OUTSIDE) return STATUS_BAD_REGIONS;
  return scanValue(message, message + messageBytes) == 0 ? endRefused(message, result) : endOk(1, result);
}

/**
 * Checks the images from offset `start` of the items on and writes an entry for each. STATUS_INDEX_FULL when there is no room for the
 * next one: the result then says how many were written and at which offset to go on.
 */
export function indexImages(
  items: usize, itemsBytes: u32, layouts: usize, layoutsBytes: u32, result: usize, index: usize, indexBytes: u32, start: u32,
): i32 {
  if (!areIndexRegions(items, itemsBytes, layouts, layoutsBytes, result, index, indexBytes, start)) return STATUS_BAD_REGIONS;
  return indexAllImages(items, items + start, items + itemsBytes, layouts, index, indexBytes, result);
}

/**
 * Compares at most `count` pairs of rows; rows of one side lie one after another, and so do the masks of what differs. The result says
 * how many pairs were whole, and where the next one begins on both sides.
 */
export function diffRows(
  before: usize, beforeBytes: u32, after: usize, afterBytes: u32, fieldCount: u32, count: u32, masks: usize, result: usize,
): i32 {
  let end = firstRegion(before, beforeBytes);
  end = regionAfter(end, after, afterBytes);
  end = regionAfter(end, masks, <u64>maskBytes(fieldCount) * count);
  end = regionAfter(end, result, RESULT_BYTES);
  if (end == OUTSIDE) return STATUS_BAD_REGIONS;
  return diffPairs(before, before + beforeBytes, after, after + afterBytes, fieldCount, count, masks, result);
}

/** Writes the current row with an edit's new values in the fields of `mask`; the result's count is its byte length. */
export function applyEdit(
  editMask: usize, mask: usize, next: usize, nextBytes: u32, current: usize, currentBytes: u32, fieldCount: u32,
  row: usize, rowBytes: u32, result: usize,
): i32 {
  let end = firstRegion(editMask, maskBytes(fieldCount));
  end = regionAfter(end, mask, maskBytes(fieldCount));
  end = regionAfter(end, next, nextBytes);
  end = regionAfter(end, current, currentBytes);
  end = regionAfter(end, row, rowBytes);
  end = regionAfter(end, result, RESULT_BYTES);
  if (end == OUTSIDE || rowBytes < <u64>nextBytes + currentBytes) return STATUS_BAD_REGIONS;
  const rowEnd = applyTo(editMask, mask, next, next + nextBytes, current, current + currentBytes, fieldCount, row);
  return rowEnd == 0 ? endRefused(current, result) : endOk(<u32>(rowEnd - row), result);
}
