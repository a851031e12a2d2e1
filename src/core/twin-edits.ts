import { STATUS_TRUNCATED, STATUS_WRONG_FIELD_COUNT } from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import { isInMask, setInMask, type FieldMask } from '../protocol/row.ts';
import { bytesEqual } from '../shared/bytes.ts';
import { CanonicalReader } from './canonical-reader.ts';
import type { EditCheck, EditValues, RowEnds } from './core.ts';
import { countFields, hasFields, maskByteLength } from './masks.ts';
import { Refused } from './refusal.ts';
import { skipValue } from './twin-scan.ts';

/** The fields in which rows differ, pair by pair: the rows of a side lie one after another, and so do the masks. */
export function diffPairs(layout: Layout, count: number, before: Uint8Array, after: Uint8Array): Uint8Array {
  const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
  const lefts = new ArrayWalk(before), rights = new ArrayWalk(after);
  const masks = new Uint8Array(maskBytes * count);
  for (let pair = 0; pair < count; pair++) {
    lefts.enter(fieldCount);
    rights.enter(fieldCount);
    for (let field = 0; field < fieldCount; field++) {
      lefts.step();
      rights.step();
      if (!lefts.isSameAs(rights)) setInMask(masks, pair * maskBytes * 8 + field);
    }
  }
  lefts.end();
  rights.end();
  return masks;
}

/** The same where the ends of rows are known: equal bytes have no differing fields. */
export function diffFramed(layout: Layout, count: number, before: Uint8Array, after: Uint8Array, ends: RowEnds): Uint8Array {
  const maskBytes = maskByteLength(layout.types.length);
  const masks = new Uint8Array(maskBytes * count);
  for (let pair = 0, leftFrom = 0, rightFrom = 0; pair < count; pair++) {
    const leftTo = ends.before[pair]!, rightTo = ends.after[pair]!;
    if (leftTo < leftFrom || rightTo < rightFrom || leftTo > before.length || rightTo > after.length) throw new Refused(STATUS_TRUNCATED, leftFrom);
    const left = before.subarray(leftFrom, leftTo), right = after.subarray(rightFrom, rightTo);
    if (!bytesEqual(left, right)) masks.set(diffPairs(layout, 1, left, right), pair * maskBytes);
    [leftFrom, rightFrom] = [leftTo, rightTo];
  }
  return masks;
}

/** Compares edits with current rows (rule A19): the first change made to a field wins, unless both made the same. */
export function checkPairs(layout: Layout, count: number, edits: EditValues, current: Uint8Array): EditCheck {
  const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
  const previous = new ArrayWalk(edits.previous), next = new ArrayWalk(edits.next), rows = new ArrayWalk(current);
  const conflicts = new Uint8Array(edits.mask.length), writes = new Uint8Array(edits.mask.length);
  for (let edit = 0; edit < count; edit++) {
    const edited = countFields(edits.mask.subarray(edit * maskBytes, (edit + 1) * maskBytes));
    previous.enter(edited);
    next.enter(edited);
    rows.enter(fieldCount);
    for (let field = edit * maskBytes * 8, last = field + fieldCount; field < last; field++) {
      rows.step();
      if (!isInMask(edits.mask, field)) continue;
      previous.step();
      next.step();
      const isAlreadyEqual = rows.isSameAs(next);
      if (!isAlreadyEqual) setInMask(rows.isSameAs(previous) ? writes : conflicts, field);
    }
  }
  for (const walk of [previous, next, rows]) walk.end();
  return { conflicts, writes, hasConflicts: hasFields(conflicts), hasWrites: hasFields(writes) };
}

/** The row with the edit's new values in the fields of `mask`. */
export function applyEdit(layout: Layout, edit: EditValues, mask: FieldMask, current: Uint8Array): Uint8Array {
  const next = new ArrayWalk(edit.next), rows = new ArrayWalk(current);
  next.enter(countFields(edit.mask));
  rows.enter(layout.types.length);
  // The row keeps the header of the current one, and holds at most what both have.
  const row = new Uint8Array(current.length + edit.next.length);
  let end = rows.copyTo(row, 0);
  for (let field = 0; field < layout.types.length; field++) {
    rows.step();
    if (isInMask(edit.mask, field)) next.step();
    end = (isInMask(mask, field) ? next : rows).copyTo(row, end);
  }
  next.end();
  rows.end();
  return row.slice(0, end);
}

/** Walks over arrays that lie one after another, value by value. */
class ArrayWalk {
  readonly #reader: CanonicalReader;
  /** Where the value stepped over last begins, or the header entered; it ends where the reader is. */
  #start = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new CanonicalReader(bytes);
  }

  /** Steps over the header of an array of so many values. */
  enter(valueCount: number): void {
    this.#start = this.#reader.at;
    if (this.#reader.array() !== valueCount) throw new Refused(STATUS_WRONG_FIELD_COUNT, this.#start);
  }

  /** Steps over the next value. */
  step(): void {
    this.#start = this.#reader.at;
    this.#reader.at = skipValue(this.#reader.bytes, this.#start);
  }

  /** Refuses bytes behind the last value. */
  end(): void {
    this.#reader.end();
  }

  /** Says whether the value stepped over last is the same as that of another walk. */
  isSameAs(other: ArrayWalk): boolean {
    const byteLength = this.#reader.at - this.#start;
    if (other.#reader.at - other.#start !== byteLength) return false;
    const left = this.#reader.bytes, right = other.#reader.bytes;
    for (let offset = 0; offset < byteLength; offset++) if (left[this.#start + offset] !== right[other.#start + offset]) return false;
    return true;
  }

  /** Copies what was stepped over last, and returns where the copy ends. */
  copyTo(target: Uint8Array, at: number): number {
    target.set(this.#reader.bytes.subarray(this.#start, this.#reader.at), at);
    return at + this.#reader.at - this.#start;
  }
}
