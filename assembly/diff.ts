import { STATUS_TRAILING_BYTES, STATUS_TRUNCATED } from './layout';
import { clear, equalUntil, isEqualStretch, wordAt } from './bytes';
import { addToMask, maskBytes } from './mask';
import { sizeByTag, skipValue, skipValues } from './msgpack/skip';
import { endBatch, refuse } from './refusal';
import { enterRow } from './row';

/**
 * Compares at most `count` pairs of rows of one layout, rows one after another on both sides, and writes a mask of the differing fields
 * for each. Ends at the first pair that is not whole.
 */
export function diffPairs(
  before: usize, beforeEnd: usize, after: usize, afterEnd: usize, fieldCount: u32, count: u32, masks: usize, result: usize,
): i32 {
  let pair: u32 = 0, mask = masks;
  let left = before, right = after; // where the pair begins
  // Up to here the left bytes are known to equal the right ones beside them: most fields need no look of their own.
  let equalEnd = before;
  for (; pair < count; pair++) {
    let leftAt = enterRow(left, beforeEnd, fieldCount);
    let rightAt: usize = leftAt == 0 ? 0 : enterRow(right, afterEnd, fieldCount);
    if (rightAt == 0) break;
    clear(mask, maskBytes(fieldCount));
    for (let field: u32 = 0; field < fieldCount; field++) {
      // Most fields are short and equal.
      const size = leftAt < equalEnd ? sizeByTag(leftAt) : 0;
      if (size != 0 && size <= <u32>(equalEnd - leftAt)) {
        leftAt += size;
        rightAt += size;
        continue;
      }
      const leftEnd = skipValue(leftAt, beforeEnd);
      if (leftEnd > equalEnd) {
        const known = max(leftAt, equalEnd);
        equalEnd = equalUntil(known, beforeEnd, rightAt + (known - leftAt), afterEnd);
      }
      if (leftEnd <= equalEnd) {
        rightAt += leftEnd - leftAt;
      } else {
        addToMask(mask, field);
        rightAt = skipValue(rightAt, afterEnd);
        equalEnd = leftEnd;
      }
      leftAt = leftEnd;
      if (leftAt == 0 || rightAt == 0) break;
    }
    if (leftAt == 0 || rightAt == 0) break;
    left = leftAt;
    right = rightAt;
    mask += maskBytes(fieldCount);
  }
  return endBatch(pair == count, pair, left - before, right - after, 0, result);
}

/**
 * Compares `count` pairs of rows of one layout, of which `ends` says where each ends: a word for each row of the left side and then one
 * for each of the right, counted from where `leftFrom` and `rightFrom` are 0. Rows that are the same bytes are not looked at any closer.
 */
export function diffFramed(
  before: usize, beforeEnd: usize, leftFrom: u32, after: usize, afterEnd: usize, rightFrom: u32, ends: usize, fieldCount: u32, count: u32, masks: usize, result: usize,
): i32 {
  const size = maskBytes(fieldCount);
  const rightEnds = ends + count * 4;
  let pair: u32 = 0, mask = masks;
  let left = before, right = after;
  clear(masks, size * count);
  for (; pair < count; pair++, mask += size) {
    const leftEnd = before + (wordAt(ends + pair * 4) - leftFrom), rightEnd = after + (wordAt(rightEnds + pair * 4) - rightFrom);
    if (leftEnd < left || leftEnd > beforeEnd || rightEnd < right || rightEnd > afterEnd) {
      refuse(STATUS_TRUNCATED, left);
      break;
    }
    const isEqual = leftEnd - left == rightEnd - right && isEqualStretch(left, leftEnd, right);
    if (!isEqual && !diffPair(left, leftEnd, right, rightEnd, fieldCount, mask)) break;
    left = leftEnd;
    right = rightEnd;
  }
  return endBatch(pair == count, pair, left - before, right - after, 0, result);
}

/** Adds the fields in which two rows differ to a mask; false when either is no row. */
function diffPair(left: usize, leftEnd: usize, right: usize, rightEnd: usize, fieldCount: u32, mask: usize): bool {
  let leftAt = enterRow(left, leftEnd, fieldCount);
  let rightAt: usize = leftAt == 0 ? 0 : enterRow(right, rightEnd, fieldCount);
  if (rightAt == 0) return false;
  // Up to here the left bytes are known to equal the right ones beside them.
  let equalEnd = equalUntil(leftAt, leftEnd, rightAt, rightEnd);
  for (let field: u32 = 0; field < fieldCount; field++) {
    const size = leftAt < equalEnd ? sizeByTag(leftAt) : 0;
    if (size != 0 && size <= <u32>(equalEnd - leftAt)) {
      leftAt += size;
      rightAt += size;
      continue;
    }
    const next = skipValues(leftAt, leftEnd, 1);
    if (next == 0) return false;
    if (next <= equalEnd) {
      rightAt += next - leftAt;
    } else {
      addToMask(mask, field);
      rightAt = skipValues(rightAt, rightEnd, 1);
      if (rightAt == 0) return false;
      equalEnd = equalUntil(next, leftEnd, rightAt, rightEnd);
    }
    leftAt = next;
  }
  return (leftAt == leftEnd && rightAt == rightEnd) || refuse(STATUS_TRAILING_BYTES, leftAt) != 0;
}
