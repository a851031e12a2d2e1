import { clear, equalUntil } from './bytes';
import { addToMask, maskBytes } from './mask';
import { sizeByTag, skipValue } from './msgpack/skip';
import { endBatch } from './refusal';
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
