import { clear, equalUntil } from './bytes';
import { addToMask, maskBytes } from './mask';
import { skipValue } from './msgpack/skip';
import { refuse } from './refusal';
import { enterRow } from './row';
import { STATUS_TRAILING_BYTES } from './layout';

/**
 * Compares `count` pairs of rows of one layout, rows one after another on both sides, and writes a mask of the differing fields for each
 * pair. False when what they hold are not so many rows.
 */
export function diffPairs(before: usize, beforeEnd: usize, after: usize, afterEnd: usize, fieldCount: u32, count: u32, masks: usize): bool {
  let left = before, right = after, mask = masks;
  // Up to here the left bytes are known to equal the right ones beside them: most fields need no look of their own.
  let equalEnd = before;
  for (let pair: u32 = 0; pair < count; pair++) {
    left = enterRow(left, beforeEnd, fieldCount);
    right = left == 0 ? 0 : enterRow(right, afterEnd, fieldCount);
    if (right == 0) return false;
    clear(mask, maskBytes(fieldCount));
    for (let field: u32 = 0; field < fieldCount; field++) {
      const leftEnd = skipValue(left, beforeEnd);
      if (leftEnd == 0) return false;
      if (leftEnd > equalEnd) {
        const known = max(left, equalEnd);
        equalEnd = equalUntil(known, beforeEnd, right + (known - left), afterEnd);
      }
      if (leftEnd <= equalEnd) {
        right += leftEnd - left;
      } else {
        addToMask(mask, field);
        right = skipValue(right, afterEnd);
        if (right == 0) return false;
        equalEnd = leftEnd;
      }
      left = leftEnd;
    }
    mask += maskBytes(fieldCount);
  }
  if (left != beforeEnd) return refuse(STATUS_TRAILING_BYTES, left) != 0;
  return right == afterEnd || refuse(STATUS_TRAILING_BYTES, right) != 0;
}
