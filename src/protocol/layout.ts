import { hashBytes, utf8 } from '../shared/bytes.ts';
import { FIELD_TYPE_CODES, type FieldType } from './field.ts';
import type { Schema } from './schema.ts';

/** One column of a layout. */
export interface LayoutField {
  /** The field's name in the schema. */
  readonly name: string;
  /** How its values are written. */
  readonly type: FieldType;
}

/**
 * An object's name and the ordered list of its fields. A row is an array of values in this order, so names never travel with
 * records. A layout is named by the hash of its content; stored rows name their layout.
 */
export interface Layout {
  /** The object's name in the schema. */
  readonly object: string;
  /** The fields in the order of their values in a row, which is the order of the schema. */
  readonly fields: readonly LayoutField[];
  /** Hash of the content: layouts with the same hash are the same. */
  readonly hash: string;
  /** Field type codes in order, for the core. */
  readonly types: Uint8Array;
  /** Position of each field by name. */
  readonly positions: ReadonlyMap<string, number>;
}

/** Makes a layout and names it. */
export function createLayout(object: string, fields: readonly LayoutField[]): Layout {
  const content = JSON.stringify([object, fields.map(({ name, type }) => [name, FIELD_TYPE_CODES[type]])]);
  return {
    object,
    fields,
    hash: hashBytes(utf8(content)),
    types: Uint8Array.from(fields, ({ type }) => FIELD_TYPE_CODES[type]),
    positions: new Map(fields.map(({ name }, position) => [name, position])),
  };
}

/** The layout of every object of a schema, by object name. */
export function layoutsOf(schema: Schema): ReadonlyMap<string, Layout> {
  return new Map(
    Object.entries(schema.objects).map(([name, object]) => [
      name,
      createLayout(name, Object.entries(object.fields).map(([field, { type }]) => ({ name: field, type }))),
    ]),
  );
}
