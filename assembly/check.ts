import { STATUS_TRAILING_BYTES } from './layout';
import { clear, isSame } from './bytes';
import { addToMask, countInMask, isInMask, maskBytes } from './mask';
import { skipValue } from './msgpack/skip';
import { refuse } from './refusal';
import { enterRow } from './row';

/**
 * Compares `count` edits of one layout with the current rows. Masks, arrays of previous and of new values, and rows lie one after
 * another in their regions; so do the answers: the fields in conflict and the fields to write of each edit (rule A19).
 */
export function checkPairs(
  masks: usize, previous: usize, previousEnd: usize, next: usize, nextEnd: usize, current: usize, currentEnd: usize,
  fieldCount: u32, count: u32, conflicts: usize, writes: usize,
): bool {
  const size = maskBytes(fieldCount);
  clear(conflicts, size * count);
  clear(writes, size * count);
  for (let edit: u32 = 0; edit < count; edit++) {
    const edited = countInMask(masks, fieldCount);
    previous = enterRow(previous, previousEnd, edited);
    next = previous == 0 ? 0 : enterRow(next, nextEnd, edited);
    current = next == 0 ? 0 : enterRow(current, currentEnd, fieldCount);
    if (current == 0) return false;
    for (let field: u32 = 0; field < fieldCount; field++) {
      const currentAt = current;
      current = skipValue(currentAt, currentEnd);
      if (current == 0) return false;
      if (!isInMask(masks, field)) continue;
      const previousAt = previous, nextAt = next;
      previous = skipValue(previousAt, previousEnd);
      next = previous == 0 ? 0 : skipValue(nextAt, nextEnd);
      if (next == 0) return false;
      if (isSame(nextAt, next, currentAt, current)) continue; // already equal
      addToMask(isSame(previousAt, previous, currentAt, current) ? writes : conflicts, field);
    }
    masks += size;
    conflicts += size;
    writes += size;
  }
  return areAtEnd(previous, previousEnd, next, nextEnd, current, currentEnd);
}

function areAtEnd(previous: usize, previousEnd: usize, next: usize, nextEnd: usize, current: usize, currentEnd: usize): bool {
  if (previous == previousEnd && next == nextEnd && current == currentEnd) return true;
  refuse(STATUS_TRAILING_BYTES, previous != previousEnd ? previous : next != nextEnd ? next : current);
  return false;
}
