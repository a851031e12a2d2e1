import { ByteReader } from './byte-reader.ts';
import { written } from './byte-writer.ts';
import { createMask, isInMask, setInMask, type FieldMask } from './row.ts';
import type { Layout } from './layout.ts';

/**
 * A save of two fields touches two fields: rows are cut, compared and put together by where their values lie, and what stays as it is is
 * copied in runs. Nothing is decoded, and nothing but a changed value encoded. A row of one record is less than a call of the core costs.
 */

/** A row with other values at some positions; what lies between them is copied in one go. */
export function patchRow(row: Uint8Array, values: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const reader = new ByteReader(row);
  const count = reader.array();
  let copied = 0, left = values.size;
  return written((writer) => {
    for (let position = 0; position < count && left > 0; position++) {
      const value = values.get(position), start = reader.at;
      reader.skip();
      if (value === undefined) continue;
      writer.raw(row.subarray(copied, start));
      writer.raw(value);
      copied = reader.at;
      left--;
    }
    writer.raw(row.subarray(copied));
  });
}

/** The fields in which two rows of a layout differ. */
export function differingFields(layout: Layout, before: Uint8Array, after: Uint8Array): FieldMask {
  const mask = createMask(layout);
  const old = new ByteReader(before), now = new ByteReader(after);
  old.array();
  now.array();
  for (let position = 0; position < layout.fields.length; position++) {
    const from = old.at, to = now.at;
    old.skip();
    now.skip();
    if (!areEqual(before, from, old.at, after, to, now.at)) setInMask(mask, position);
  }
  return mask;
}

/** The values of some fields of a row, as a change carries them. */
export function pickValues(row: Uint8Array, mask: FieldMask): Uint8Array {
  const reader = new ByteReader(row);
  const places: number[] = [];
  for (let position = 0, count = reader.array(); position < count; position++) {
    const start = reader.at;
    reader.skip();
    if (isInMask(mask, position)) places.push(start, reader.at);
  }
  return written((writer) => {
    writer.array(places.length / 2);
    for (let place = 0; place < places.length; place += 2) writer.raw(row.subarray(places[place], places[place + 1]));
  });
}

function areEqual(left: Uint8Array, from: number, end: number, right: Uint8Array, to: number, rightEnd: number): boolean {
  if (end - from !== rightEnd - to) return false;
  while (from < end) if (left[from++] !== right[to++]) return false;
  return true;
}
