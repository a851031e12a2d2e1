import { checkPairs } from './check';
import { diffFramed as diffAllFramed } from './diff';
import { areIndexRegions, indexChanges as indexAllChanges } from './items';
import { BASE_WORDS, IMAGE_WORDS, NEED_WORDS, PLAN_WORDS, RESULT_WORDS, SEED_BYTES, STATUS_BAD_REGIONS, STATUS_OK } from './layout';
import { maskBytes } from './mask';
import { FeedPlan, isSound, planImages } from './plan';
import { endOk, endRefused } from './refusal';
import { firstRegion, OUTSIDE, regionAfter } from './regions';
import { readOnlyRow } from './row';

// All exports: those of devices, and those that only servers call.

export { regionsBegin, scanMessage, indexImages, diffRows, applyEdit } from './device';

const RESULT_BYTES: u64 = RESULT_WORDS * 4;

/** Checks one row; `types` has a type code per field, a byte each. */
export function validateRow(types: usize, fieldCount: u32, row: usize, rowBytes: u32, result: usize): i32 {
  const end = regionAfter(regionAfter(firstRegion(types, fieldCount), row, rowBytes), result, RESULT_BYTES);
  if (end == OUTSIDE) return STATUS_BAD_REGIONS;
  return readOnlyRow(row, row + rowBytes, types, fieldCount) == 0 ? endRefused(row, result) : endOk(1, result);
}

/** Checks the changes from offset `start` of the items on, as indexImages does for images. */
export function indexChanges(
  items: usize, itemsBytes: u32, layouts: usize, layoutsBytes: u32, result: usize, index: usize, indexBytes: u32, start: u32,
): i32 {
  if (!areIndexRegions(items, itemsBytes, layouts, layoutsBytes, result, index, indexBytes, start)) return STATUS_BAD_REGIONS;
  return indexAllChanges(items, items + start, items + itemsBytes, layouts, index, indexBytes, result);
}

/**
 * Compares `count` pairs of rows as diffRows does, where `ends` says where each ends: a word for each row of the left side and then one for
 * each of the right, counted from `beforeFrom` and `afterFrom`, where the regions begin.
 */
export function diffFramed(
  before: usize, beforeBytes: u32, beforeFrom: u32, after: usize, afterBytes: u32, afterFrom: u32, ends: usize, fieldCount: u32, count: u32,
  masks: usize, result: usize,
): i32 {
  let end = firstRegion(before, beforeBytes);
  end = regionAfter(end, after, afterBytes);
  end = regionAfter(end, ends, <u64>count * 8);
  end = regionAfter(end, masks, <u64>maskBytes(fieldCount) * count);
  end = regionAfter(end, result, RESULT_BYTES);
  if (end == OUTSIDE) return STATUS_BAD_REGIONS;
  return diffAllFramed(before, before + beforeBytes, beforeFrom, after, after + afterBytes, afterFrom, ends, fieldCount, count, masks, result);
}

/**
 * Compares at most `count` edits with current rows: masks of the fields in conflict, and of those to write (rule A19). The result says
 * how many edits were whole, and where the next one begins among previous values, new values and rows.
 */
export function checkEdits(
  masks: usize, previous: usize, previousBytes: u32, next: usize, nextBytes: u32, current: usize, currentBytes: u32,
  fieldCount: u32, count: u32, conflicts: usize, writes: usize, result: usize,
): i32 {
  const masksBytes = <u64>maskBytes(fieldCount) * count;
  let end = firstRegion(masks, masksBytes);
  end = regionAfter(end, previous, previousBytes);
  end = regionAfter(end, next, nextBytes);
  end = regionAfter(end, current, currentBytes);
  end = regionAfter(end, conflicts, masksBytes);
  end = regionAfter(end, writes, masksBytes);
  end = regionAfter(end, result, RESULT_BYTES);
  if (end == OUTSIDE) return STATUS_BAD_REGIONS;
  return checkPairs(
    masks, previous, previous + previousBytes, next, next + nextBytes, current, current + currentBytes,
    fieldCount, count, conflicts, writes, result,
  );
}

/** Writes a verdict for every image of an index, a byte each. */
export function planFeed(plan: usize): i32 {
  const block = firstRegion(plan, PLAN_WORDS * 4);
  if (block == OUTSIDE) return STATUS_BAD_REGIONS;
  const input = changetype<FeedPlan>(plan);
  let end = regionAfter(block, input.items, input.itemsBytes);
  end = regionAfter(end, input.layouts, input.layoutsBytes);
  end = regionAfter(end, input.index, <u64>input.count * IMAGE_WORDS * 4);
  end = regionAfter(end, input.bases, <u64>input.count * BASE_WORDS * 4);
  end = regionAfter(end, input.attention, input.attentionBytes);
  end = regionAfter(end, input.groupOf, <u64>input.count * 4);
  end = regionAfter(end, input.needs, <u64>input.needCount * NEED_WORDS * 4);
  end = regionAfter(end, input.seed, SEED_BYTES);
  end = regionAfter(end, input.table, <u64>input.tableSlots * 4);
  end = regionAfter(end, input.groups, <u64>input.groupCount * 4);
  end = regionAfter(end, input.verdicts, input.count);
  if (end == OUTSIDE || !isSound(input)) return STATUS_BAD_REGIONS;
  planImages(input);
  return STATUS_OK;
}
