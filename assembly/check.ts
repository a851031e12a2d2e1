import { clear, isSame } from './bytes';
import { addToMask, countInMask, isInMask, maskBytes } from './mask';
import { sizeByTag, skipValue } from './msgpack/skip';
import { endBatch } from './refusal';
import { enterRow } from './row';

/**
 * Compares at most `count` edits of one layout with the current rows. Masks, arrays of previous and of new values, and rows lie one
 * after another in their regions; so do the answers: the fields in conflict and the fields to write of each edit (rule A19). Ends at
 * the first edit that is not whole.
 */
export function checkPairs(
  masks: usize, previous: usize, previousEnd: usize, next: usize, nextEnd: usize, current: usize, currentEnd: usize,
  fieldCount: u32, count: u32, conflicts: usize, writes: usize, result: usize,
): i32 {
  const size = maskBytes(fieldCount);
  let edit: u32 = 0;
  // Where the values of the edit begin.
  let previousStart = previous, nextStart = next, currentStart = current;
  clear(conflicts, size * count);
  clear(writes, size * count);
  for (; edit < count; edit++) {
    const offset = edit * size;
    const mask = masks + offset;
    const edited = countInMask(mask, fieldCount);
    let previousAt = enterRow(previousStart, previousEnd, edited);
    let nextAt: usize = previousAt == 0 ? 0 : enterRow(nextStart, nextEnd, edited);
    let currentAt: usize = nextAt == 0 ? 0 : enterRow(currentStart, currentEnd, fieldCount);
    for (let field: u32 = 0; currentAt != 0 && field < fieldCount; field++) {
      const value = currentAt;
      currentAt = stepOver(value, currentEnd);
      if (currentAt == 0 || !isInMask(mask, field)) continue;
      const previousValue = previousAt, nextValue = nextAt;
      previousAt = stepOver(previousValue, previousEnd);
      nextAt = previousAt == 0 ? 0 : stepOver(nextValue, nextEnd);
      if (nextAt == 0) break;
      if (isSame(nextValue, nextAt, value, currentAt)) continue; // already equal
      addToMask((isSame(previousValue, previousAt, value, currentAt) ? writes : conflicts) + offset, field);
    }
    if (previousAt == 0 || nextAt == 0 || currentAt == 0) break;
    previousStart = previousAt;
    nextStart = nextAt;
    currentStart = currentAt;
  }
  return endBatch(edit == count, edit, previousStart - previous, nextStart - next, currentStart - current, result);
}

/** Steps over a value: at a glance where its tag tells how long it is, as for most. */
function stepOver(at: usize, end: usize): usize {
  const size = at < end ? sizeByTag(at) : 0;
  return size != 0 && size <= <u32>(end - at) ? at + size : skipValue(at, end);
}
