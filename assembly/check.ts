import { byteAt, clear, isSame } from './bytes';
import { addToMask, countInMask, maskBytes } from './mask';
import { skipValues } from './msgpack/skip';
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
    if (currentAt == 0) break;
    let passed: u32 = 0; // fields of the row
    for (let byte: u32 = 0; byte < size && currentAt != 0; byte++) {
      for (let bits = byteAt(mask + byte); bits != 0; bits &= bits - 1) {
        const field = byte * 8 + ctz(bits);
        const value = skipValues(currentAt, currentEnd, field - passed);
        passed = field + 1;
        currentAt = value == 0 ? 0 : skipValues(value, currentEnd, 1);
        if (currentAt == 0) break;
        const previousValue = previousAt, nextValue = nextAt;
        previousAt = skipValues(previousValue, previousEnd, 1);
        nextAt = previousAt == 0 ? 0 : skipValues(nextValue, nextEnd, 1);
        if (nextAt == 0) break;
        if (isSame(nextValue, nextAt, value, currentAt)) continue; // already equal
        addToMask((isSame(previousValue, previousAt, value, currentAt) ? writes : conflicts) + offset, field);
      }
      if (nextAt == 0) break;
    }
    if (previousAt == 0 || nextAt == 0 || currentAt == 0) break;
    currentAt = skipValues(currentAt, currentEnd, fieldCount - passed);
    if (currentAt == 0) break;
    previousStart = previousAt;
    nextStart = nextAt;
    currentStart = currentAt;
  }
  return endBatch(edit == count, edit, previousStart - previous, nextStart - next, currentStart - current, result);
}
