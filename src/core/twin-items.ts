import {
  MAX_EPOCH,
  MAX_ID_BYTES,
  MAX_SAFE_INTEGER,
  OP_CREATE,
  OP_REMOVE,
  OP_UPDATE,
  STATE_HIDDEN,
  STATE_LIVE,
  STATUS_BAD_MASK,
  STATUS_BAD_STATE,
  STATUS_UNEXPECTED_TYPE,
  STATUS_UNKNOWN_LAYOUT,
  STATUS_WRONG_FIELD_COUNT,
} from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import { CanonicalReader } from './canonical-reader.ts';
import { areMasksOf, countFields } from './masks.ts';
import { Refused } from './refusal.ts';

/** Checks images and writes their index: the words of assembly/layout.ts, one entry after another. */
export function indexImages(items: Uint8Array, layouts: readonly Layout[]): number[] {
  const reader = new CanonicalReader(items);
  const index: number[] = [];
  while (reader.at < items.length) indexImage(reader, layouts, index);
  return index;
}

/** Checks changes and writes their index. */
export function indexChanges(items: Uint8Array, layouts: readonly Layout[]): number[] {
  const reader = new CanonicalReader(items);
  const index: number[] = [];
  while (reader.at < items.length) indexChange(reader, layouts, index);
  return index;
}

function indexImage(reader: CanonicalReader, layouts: readonly Layout[], index: number[]): void {
  readItemHeader(reader, 6);
  const layout = readLayout(reader, layouts);
  const idAt = reader.at;
  reader.text(1, MAX_ID_BYTES);
  const idBytes = reader.at - idAt;
  const epoch = reader.integer(0, MAX_EPOCH);
  const n = reader.integer(1, MAX_SAFE_INTEGER);
  const state = readCode(reader, STATE_HIDDEN);
  const rowAt = reader.at;
  if (reader.isNil() === (state === STATE_LIVE)) throw new Refused(STATUS_BAD_STATE, rowAt);
  if (state === STATE_LIVE) reader.row(layouts[layout]!.types);
  else reader.nil();
  index.push(layout, idAt, idBytes, epoch, low(n), high(n), state);
  pushPart(index, rowAt, state === STATE_LIVE ? reader.at : rowAt);
}

function indexChange(reader: CanonicalReader, layouts: readonly Layout[], index: number[]): void {
  readItemHeader(reader, 8);
  const layout = readLayout(reader, layouts);
  const { types } = layouts[layout]!;
  const idAt = reader.at;
  reader.text(1, MAX_ID_BYTES);
  const idBytes = reader.at - idAt;
  const op = readCode(reader, OP_REMOVE);
  const epoch = reader.integer(0, MAX_EPOCH);
  const n = reader.integer(0, MAX_SAFE_INTEGER);
  index.push(layout, idAt, idBytes, op, epoch, low(n), high(n));
  const mask = readMask(reader, op, types.length, index);
  readPart(reader, index, op !== OP_CREATE, () => readMasked(reader, types, mask));
  readPart(reader, index, op !== OP_REMOVE, () => (op === OP_CREATE ? reader.row(types) : readMasked(reader, types, mask)));
}

function readItemHeader(reader: CanonicalReader, members: number): void {
  const start = reader.at;
  if (reader.array() !== members) throw new Refused(STATUS_UNEXPECTED_TYPE, start);
}

function readLayout(reader: CanonicalReader, layouts: readonly Layout[]): number {
  const start = reader.at;
  const layout = reader.integer(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (layout < 0 || layout >= layouts.length) throw new Refused(STATUS_UNKNOWN_LAYOUT, start);
  return layout;
}

function readCode(reader: CanonicalReader, last: number): number {
  const start = reader.at;
  const code = reader.integer(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
  if (code < 0 || code > last) throw new Refused(STATUS_BAD_STATE, start);
  return code;
}

const NO_FIELDS: FieldMask = new Uint8Array(0);

function readMask(reader: CanonicalReader, op: number, fieldCount: number, index: number[]): FieldMask {
  const start = reader.at;
  if (reader.isNil() !== (op === OP_CREATE)) throw new Refused(STATUS_BAD_MASK, start);
  if (op === OP_CREATE) {
    reader.nil();
    index.push(0, 0);
    return NO_FIELDS;
  }
  reader.binary();
  const mask = reader.bytes.subarray(reader.bodyAt, reader.at);
  if (!areMasksOf(mask, 1, fieldCount) || (op === OP_UPDATE && countFields(mask) === 0)) throw new Refused(STATUS_BAD_MASK, start);
  index.push(reader.bodyAt, mask.length);
  return mask;
}

function readPart(reader: CanonicalReader, index: number[], isPresent: boolean, read: () => void): void {
  const start = reader.at;
  if (reader.isNil() === isPresent) throw new Refused(STATUS_BAD_STATE, start);
  if (isPresent) read();
  else reader.nil();
  pushPart(index, start, isPresent ? reader.at : start);
}

/** Reads an array of values for the fields of a mask, in layout order. */
function readMasked(reader: CanonicalReader, types: Uint8Array, mask: FieldMask): void {
  const start = reader.at;
  if (reader.array() !== countFields(mask)) throw new Refused(STATUS_WRONG_FIELD_COUNT, start);
  for (let field = 0; field < types.length; field++) {
    if ((mask[field >> 3]! & (1 << (field & 7))) !== 0) reader.value(types[field]!);
  }
}

function pushPart(index: number[], start: number, end: number): void {
  if (end === start) index.push(0, 0);
  else index.push(start, end - start);
}

function low(n: number): number {
  return n >>> 0;
}

function high(n: number): number {
  return Math.floor(n / 0x1_0000_0000);
}
