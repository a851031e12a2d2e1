import { STATUS_TRAILING_BYTES, STATUS_WRONG_FIELD_COUNT } from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import { createMask, isInMask, setInMask, type FieldMask } from '../protocol/row.ts';
import { CanonicalReader } from './canonical-reader.ts';
import type { EditCheck, EditValues } from './core.ts';
import { countFields } from './masks.ts';
import { Refused } from './refusal.ts';
import { skipValue } from './twin-scan.ts';

/** The fields in which two rows differ. */
export function diffRows(layout: Layout, before: Uint8Array, after: Uint8Array): FieldMask {
  const count = layout.fields.length;
  const left = splitValues(before, count), right = splitValues(after, count);
  const differing = createMask(layout);
  for (let field = 0; field < count; field++) if (!isSameValue(before, left, field, after, right, field)) setInMask(differing, field);
  return differing;
}

/** Compares an edit with a current row (rule A19): the first change made to a field wins, unless both made the same. */
export function checkEdit(layout: Layout, edit: EditValues, current: Uint8Array): EditCheck {
  const edited = countFields(edit.mask);
  const previousAt = splitValues(edit.previous, edited), nextAt = splitValues(edit.next, edited);
  const currentAt = splitValues(current, layout.fields.length);
  const conflicts = createMask(layout), writes = createMask(layout);
  let slot = 0;
  for (let field = 0; field < layout.fields.length; field++) {
    if (!isInMask(edit.mask, field)) continue;
    const isAlreadyEqual = isSameValue(edit.next, nextAt, slot, current, currentAt, field);
    const isUntouched = isSameValue(edit.previous, previousAt, slot, current, currentAt, field);
    if (!isAlreadyEqual) setInMask(isUntouched ? writes : conflicts, field);
    slot++;
  }
  return { conflicts, writes, hasConflicts: countFields(conflicts) > 0, hasWrites: countFields(writes) > 0 };
}

/** The row with the edit's new values in the fields of `mask`. */
export function applyEdit(layout: Layout, edit: EditValues, mask: FieldMask, current: Uint8Array): Uint8Array {
  const nextAt = splitValues(edit.next, countFields(edit.mask));
  const currentAt = splitValues(current, layout.fields.length);
  // A row holds at most what both have; the header stays that of the current row.
  const row = new Uint8Array(current.length + edit.next.length);
  let end = copyInto(row, 0, current, 0, currentAt[0]!);
  let slot = 0;
  for (let field = 0; field < layout.fields.length; field++) {
    end = isInMask(mask, field)
      ? copyInto(row, end, edit.next, nextAt[slot]!, nextAt[slot + 1]!)
      : copyInto(row, end, current, currentAt[field]!, currentAt[field + 1]!);
    if (isInMask(edit.mask, field)) slot++;
  }
  return row.slice(0, end);
}

/** Where each value of an array begins, and where the last one ends. */
function splitValues(bytes: Uint8Array, count: number): number[] {
  const reader = new CanonicalReader(bytes);
  if (reader.array() !== count) throw new Refused(STATUS_WRONG_FIELD_COUNT, 0);
  const starts = [reader.at];
  for (let value = 0; value < count; value++) starts.push(skipValue(bytes, starts[value]!));
  if (starts[count]! < bytes.length) throw new Refused(STATUS_TRAILING_BYTES, starts[count]!);
  return starts;
}

function isSameValue(left: Uint8Array, leftAt: number[], leftSlot: number, right: Uint8Array, rightAt: number[], rightSlot: number): boolean {
  const start = leftAt[leftSlot]!, other = rightAt[rightSlot]!;
  const byteLength = leftAt[leftSlot + 1]! - start;
  if (rightAt[rightSlot + 1]! - other !== byteLength) return false;
  for (let offset = 0; offset < byteLength; offset++) if (left[start + offset] !== right[other + offset]) return false;
  return true;
}

function copyInto(row: Uint8Array, at: number, source: Uint8Array, from: number, to: number): number {
  row.set(source.subarray(from, to), at);
  return at + to - from;
}
