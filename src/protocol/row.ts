import { ByteReader } from './byte-reader.ts';
import { written, type ByteWriter } from './byte-writer.ts';
import type { FieldType, FieldValue } from './field.ts';
import type { Layout } from './layout.ts';
import { canonicalValue, compareTexts, instantOf, setKey } from './value.ts';

/** Which fields of a layout: bit `f & 7` of byte `f >> 3` stands for field `f`. */
export type FieldMask = Uint8Array;

/** Makes an empty mask for a layout. */
export function createMask(layout: Layout): FieldMask {
  return new Uint8Array((layout.fields.length + 7) >> 3);
}

/** Adds a field to a mask. */
export function setInMask(mask: FieldMask, position: number): void {
  mask[position >> 3]! |= 1 << (position & 7);
}

/** Says whether a mask has a field. */
export function isInMask(mask: FieldMask, position: number): boolean {
  return ((mask[position >> 3] ?? 0) & (1 << (position & 7))) !== 0;
}

/** Lists the positions of a mask in order. */
export function maskPositions(mask: FieldMask): number[] {
  const positions: number[] = [];
  for (let position = 0; position < mask.length * 8; position++) if (isInMask(mask, position)) positions.push(position);
  return positions;
}

/** The names of the fields of a mask, in order. */
export function namesInMask(layout: Layout, mask: FieldMask): string[] {
  return maskPositions(mask).map((position) => layout.fields[position]!.name);
}

/** Writes a value that is canonical already. */
export function writeValue(writer: ByteWriter, type: FieldType, value: FieldValue): void {
  if (value === null) return writer.nil();
  switch (type) {
    case 'integer': return writer.integer(value as number);
    case 'number': return writer.number(value as number);
    case 'boolean': return writer.boolean(value as boolean);
    case 'dateTime': return writer.integer(instantOf(value, 'value'));
    case 'multiPicklist':
    // Sorted when it was made canonical; but keys that look like whole numbers jump the queue in a JavaScript object.
    case 'json': return writer.anything(value, compareTexts);
    default: return writer.text(value as string);
  }
}

/** Turns what a row holds into what a host sees. */
export function readValue(reader: ByteReader, type: FieldType): FieldValue {
  const value = reader.value();
  return type === 'dateTime' && value !== null ? new Date(value as number).toISOString() : value;
}

/** Encodes one value in canonical form; `path` names it in a fault. */
export function encodeValue(type: FieldType, value: unknown, path: string): Uint8Array {
  return encodeCanonical(type, canonicalValue(type, value, path));
}

/** Encodes one value that is canonical already. */
export function encodeCanonical(type: FieldType, value: FieldValue): Uint8Array {
  return written((writer) => writeValue(writer, type, value));
}

/** Decodes one value. */
export function decodeValue(type: FieldType, bytes: Uint8Array): FieldValue {
  return readValue(new ByteReader(bytes), type);
}

/**
 * Encodes a record as a row: an array of its values in layout order. Fields that `values` lacks have no value.
 *
 * @throws {@link SyncFault} `VALUE_INVALID` naming object and field.
 */
export function encodeRow(layout: Layout, values: Readonly<Record<string, unknown>>): Uint8Array {
  return written((writer) => {
    writer.array(layout.fields.length);
    for (const { name, type } of layout.fields) {
      // A field may be named like something that every object inherits, such as `constructor`.
      const value = Object.hasOwn(values, name) ? values[name] : null;
      writeValue(writer, type, canonicalValue(type, value, `${layout.object}.${name}`));
    }
  });
}

/** Decodes a row into an object with every field of its layout. */
export function decodeRow(layout: Layout, row: Uint8Array): Record<string, FieldValue> {
  const reader = new ByteReader(row);
  reader.array();
  const values: Record<string, FieldValue> = {};
  for (const { name, type } of layout.fields) setKey(values, name, readValue(reader, type));
  return values;
}

/** The bytes of the value at one position of a row, or among the values of a change. */
export function valueAt(row: Uint8Array, position: number): Uint8Array {
  const reader = new ByteReader(row);
  reader.array();
  for (let before = 0; before < position; before++) reader.skip();
  return reader.slice();
}

/** Decodes one field of a row; `null` where there is no row, or no such field. */
export function readField(layout: Layout, row: Uint8Array | null, name: string): FieldValue {
  const position = layout.positions.get(name);
  return row === null || position === undefined ? null : decodeValue(layout.fields[position]!.type, valueAt(row, position));
}

/** Cuts a row, or the values of a change, into the bytes of each value. */
export function splitRow(row: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(row);
  const values: Uint8Array[] = [];
  for (let left = reader.array(); left > 0; left--) values.push(reader.slice());
  return values;
}

/** Joins the bytes of values into a row. */
export function joinRow(values: readonly Uint8Array[]): Uint8Array {
  return written((writer) => {
    writer.array(values.length);
    for (const value of values) writer.raw(value);
  });
}

/** The encoding of "no value". */
export const NO_VALUE: Uint8Array = Uint8Array.of(0xc0);

/**
 * Carries a row from one layout to another: fields go by name, and a field that is new, or whose type changed, has no value.
 */
export function mapRow(from: Layout, to: Layout, row: Uint8Array): Uint8Array {
  if (from.hash === to.hash) return row;
  const values = splitRow(row);
  return joinRow(
    to.fields.map(({ name, type }) => {
      const position = from.positions.get(name);
      return position !== undefined && from.fields[position]!.type === type ? values[position]! : NO_VALUE;
    }),
  );
}
