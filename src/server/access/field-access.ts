import { createLayout, type Layout } from '../../protocol/layout.ts';
import { joinRow, mapRow, splitRow } from '../../protocol/row.ts';
import type { ObjectName, Schema } from '../../protocol/schema.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { Principal } from '../principal.ts';
import type { ServerObject, ServerSchema } from '../server-schema.ts';
import { readRights, type FieldRight } from './field-rights.ts';

/**
 * Says what a user may do with fields (rule A20): by object and field, only where it is less than `'write'`. Asked once for each identity that
 * `authenticate` returns, when something is read or written for it, and kept as long as that is; what it throws, or an answer that names what the schema does not
 * have, fails the request, so that nothing is shown by mistake.
 */
export type FieldRightsOf<S extends Schema = Schema> = (reader: Principal) => {
  readonly [O in ObjectName<S>]?: { readonly [F in keyof S['objects'][O]['fields'] & string]?: FieldRight };
};

/** What one user may do with the fields of one object. Positions are those of the schema's layout. */
export interface ObjectAccess {
  /** The fields that the user may read, in the schema's order: the layout of every row that the user is sent. */
  readonly layout: Layout;
  mayRead(position: number): boolean;
  /** Whether a value of the user's is taken. The server's own fields are nobody's to write. */
  mayWrite(position: number): boolean;
  /** A row of the schema's layout as the user may read it, in {@link ObjectAccess.layout}. */
  readable(row: Uint8Array): Uint8Array;
}

/** The rights to fields of all users. */
export interface FieldAccess {
  of(reader: Principal, object: ServerObject): ObjectAccess;
}

/** An object of which every field may be read and written: of hosts that give no `fields`, and for the back office. */
export function wholeAccess({ layout, fields }: ServerObject): ObjectAccess {
  return { layout, mayRead: () => true, mayWrite: (position) => fields[position]!.owner === 'device', readable: (row) => row };
}

/** Makes a {@link FieldAccess}; without `fields`, everybody may read and write all of them. */
export function createFieldAccess(schema: ServerSchema, fields: FieldRightsOf | undefined): FieldAccess {
  const whole = new Map([...schema.objects].map(([name, object]) => [name, wholeAccess(object)]));
  if (fields === undefined) return { of: (_reader, { name }) => whole.get(name)! };
  /** Of each reader, the objects of which some right is missing. */
  const readers = new WeakMap<Principal, ReadonlyMap<string, ObjectAccess>>();
  const layouts = createLayoutCache();

  function limitsOf(reader: Principal): ReadonlyMap<string, ObjectAccess> {
    return new Map([...readRights(schema, fields!(reader))].map(([name, rights]) => [name, limited(schema.objects.get(name)!, rights, layouts)]));
  }

  return {
    of(reader, { name }) {
      const limits = readers.get(reader) ?? limitsOf(reader);
      readers.set(reader, limits);
      const access = limits.get(name) ?? whole.get(name);
      if (access === undefined) throw new SyncFault('OBJECT_UNKNOWN', `there is no object ${name}`);
      return access;
    },
  };
}

type LayoutOf = (object: ServerObject, positions: readonly number[]) => Layout;

function limited(object: ServerObject, rights: ReadonlyMap<number, FieldRight>, layoutOf: LayoutOf): ObjectAccess {
  const rightTo = (position: number): FieldRight => rights.get(position) ?? 'write';
  const readable = object.fields.flatMap((_, position) => (rightTo(position) === 'hidden' ? [] : [position]));
  const layout = layoutOf(object, readable);
  return {
    layout,
    mayRead: (position) => rightTo(position) !== 'hidden',
    mayWrite: (position) => rightTo(position) === 'write' && object.fields[position]!.owner === 'device',
    readable: layout === object.layout ? (row) => row : (row) => pick(row, readable),
  };
}

function pick(row: Uint8Array, positions: readonly number[]): Uint8Array {
  const values = splitRow(row);
  return joinRow(positions.map((position) => values[position]!));
}

/** Rights come in few combinations; a host that makes one for each user must not fill the memory. */
const MOST_LAYOUTS = 1_000;

function createLayoutCache(): LayoutOf {
  const made = new Map<string, Layout>();
  return (object, positions) => {
    if (positions.length === object.fields.length) return object.layout;
    const key = `${object.name}\0${positions.join()}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    if (made.size >= MOST_LAYOUTS) made.clear();
    const layout = createLayout(object.name, positions.map((position) => object.layout.fields[position]!));
    made.set(key, layout);
    return layout;
  };
}

/** A row of an older answer without the fields that its reader may not read any more, with its layout. */
export function withoutHidden({ layout: whole }: ServerObject, access: ObjectAccess, layout: Layout, row: Uint8Array): { readonly layout: Layout; readonly row: Uint8Array } {
  const isShown = (name: string): boolean => {
    const position = whole.positions.get(name);
    // Of a field that the schema has no more nobody says anything: it stays as this reader was sent it.
    return position === undefined || access.mayRead(position);
  };
  const shown = layout.fields.filter(({ name }) => isShown(name));
  if (shown.length === layout.fields.length) return { layout, row };
  const left = createLayout(layout.object, shown);
  return { layout: left, row: mapRow(layout, left, row) };
}
