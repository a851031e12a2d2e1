import { SyncFault } from '../../shared/fault.ts';
import type { ServerObject, ServerSchema } from '../server-schema.ts';

/**
 * What a user may do with a field (rule A20): `'write'` it, only `'read'` it, or neither, `'hidden'`: then no answer holds a value of it.
 *
 * @useDeclaredType
 */
export type FieldRight = 'write' | 'read' | 'hidden';

const RIGHTS: ReadonlySet<unknown> = new Set<FieldRight>(['write', 'read', 'hidden']);

/** The rights of one user that are less than all, by object, then by position in its layout. */
export type ReadRights = ReadonlyMap<string, ReadonlyMap<number, FieldRight>>;

/**
 * Reads what a host's `fields` said.
 *
 * @throws SyncFault `OBJECT_UNKNOWN`, `FIELD_UNKNOWN`, `SCHEMA_INVALID`: a misspelt name must not leave a field open.
 */
export function readRights(schema: ServerSchema, given: unknown): ReadRights {
  return new Map(entriesOf(given, 'fields').map(([name, fields]) => {
    const object = schema.objects.get(name);
    if (object === undefined) throw new SyncFault('OBJECT_UNKNOWN', `fields says who may read ${name}, which is no object`);
    return [name, new Map(entriesOf(fields, name).map(([field, right]) => [positionOf(object, field, right), right as FieldRight]))];
  }));
}

function positionOf(object: ServerObject, field: string, right: unknown): number {
  const position = object.layout.positions.get(field);
  if (position === undefined) throw new SyncFault('FIELD_UNKNOWN', `fields says who may read ${object.name}.${field}, which is no field`);
  if (!RIGHTS.has(right)) throw new SyncFault('SCHEMA_INVALID', `the right to ${object.name}.${field} is write, read or hidden`);
  // Devices hold groups together by the one, and close them by the other.
  if (right === 'hidden' && isStructural(object, position)) {
    throw new SyncFault('SCHEMA_INVALID', `${object.name}.${field} cannot be hidden: devices tell by it which group a record is in, or whether it is submitted`);
  }
  return position;
}

function isStructural({ parent, submitted }: ServerObject, position: number): boolean {
  return position === parent?.position || position === submitted?.position;
}

function entriesOf(given: unknown, what: string): [string, unknown][] {
  // A promise, a map or an error has no entries, and would pass for "everything may be read".
  if (!isPlain(given)) throw new SyncFault('SCHEMA_INVALID', `${what} is to say rights by name, in a plain object`);
  return Object.entries(given).filter(([, right]) => right !== undefined);
}

function isPlain(given: unknown): given is object {
  if (typeof given !== 'object' || given === null) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || prototype === Object.prototype;
}
