import { ByteReader } from './byte-reader.ts';
import { written } from './byte-writer.ts';
import { createMask, isInMask, joinRow, setInMask, type FieldMask } from './row.ts';
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

/** An edit of a row: the fields whose values really differ, with what they were and what they become. */
export interface RowChange {
  readonly mask: FieldMask;
  readonly previous: Uint8Array;
  readonly next: Uint8Array;
}

/** What putting values into a row changes of it, without making that row; `null` when nothing does. */
export function changeOf(layout: Layout, row: Uint8Array, values: ReadonlyMap<number, Uint8Array>): RowChange | null {
  const reader = new ByteReader(row);
  const mask = createMask(layout);
  const places: number[] = [], next: Uint8Array[] = [];
  reader.array();
  for (let position = 0, left = values.size; left > 0; position++) {
    const value = values.get(position), start = reader.at;
    reader.skip();
    if (value === undefined) continue;
    left--;
    if (areEqual(row, start, reader.at, value, 0, value.length)) continue;
    setInMask(mask, position);
    places.push(start, reader.at);
    next.push(value);
  }
  return next.length === 0 ? null : { mask, previous: joinPlaces(row, places), next: joinRow(next) };
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
  return joinPlaces(row, places);
}

/** @param places - where each value begins and ends */
function joinPlaces(row: Uint8Array, places: readonly number[]): Uint8Array {
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
