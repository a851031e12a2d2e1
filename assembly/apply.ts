import { STATUS_TRAILING_BYTES } from './layout';
import { copyTo } from './bytes';
import { countInMask, isInMask } from './mask';
import { skipValue } from './msgpack/skip';
import { refuse } from './refusal';
import { enterRow } from './row';

/**
 * Writes the current row with an edit's new values in the fields of `mask`, a subset of the edit's. There must be room for both
 * inputs. Answers with where the row ends, or 0.
 */
export function applyTo(
  editMask: usize, mask: usize, next: usize, nextEnd: usize, current: usize, currentEnd: usize, fieldCount: u32, row: usize,
): usize {
  let nextAt = enterRow(next, nextEnd, countInMask(editMask, fieldCount));
  if (nextAt == 0) return 0;
  let currentAt = enterRow(current, currentEnd, fieldCount);
  if (currentAt == 0) return 0;
  let end = copyTo(row, current, currentAt);
  for (let field: u32 = 0; field < fieldCount; field++) {
    const from = currentAt;
    currentAt = skipValue(from, currentEnd);
    if (currentAt == 0) return 0;
    if (!isInMask(editMask, field)) {
      end = copyTo(end, from, currentAt);
      continue;
    }
    const newFrom = nextAt;
    nextAt = skipValue(newFrom, nextEnd);
    if (nextAt == 0) return 0;
    end = isInMask(mask, field) ? copyTo(end, newFrom, nextAt) : copyTo(end, from, currentAt);
  }
  if (nextAt != nextEnd) return refuse(STATUS_TRAILING_BYTES, nextAt);
  return currentAt == currentEnd ? end : refuse(STATUS_TRAILING_BYTES, currentAt);
}
