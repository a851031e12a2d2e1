import { findViolation } from '../../protocol/constraints.ts';
import type { Field } from '../../protocol/field.ts';
import type { Layout } from '../../protocol/layout.ts';
import { createMask, encodeCanonical, joinRow, namesInMask, NO_VALUE, setInMask, splitRow } from '../../protocol/row.ts';
import { changeOf, patchRow, pickValues, type RowChange } from '../../protocol/row-patch.ts';
import type { Schema } from '../../protocol/schema.ts';
import { canonicalValue, VALUE_LIMITS } from '../../protocol/value.ts';
import { NO_VERSION, type RecordVersion } from '../../protocol/version.ts';
import { bytesEqual, utf8 } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { Member } from '../store/rows.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * Puts a host's values into a row; without a row, into an empty one. A field left out, or `undefined`, stays as it is.
 *
 * @param isUnfinished - the row is a draft: required fields may still be empty.
 * @throws {@link SyncFault} naming object and field; nothing was changed.
 */
export function editRow(schema: Schema, layout: Layout, row: Uint8Array | null, values: Values, isUnfinished = false): Uint8Array {
  if (row !== null) return patchRow(row, encodeEdit(schema, layout, values, isUnfinished));
  const { fields } = schema.objects[layout.object]!;
  checkNames(layout, fields, values);
  return joinRow(layout.fields.map(({ name }) => encodeField(layout, name, fields[name]!, own(values, name), isUnfinished)));
}

/**
 * What a host's values make of a record, without the row that they lead to; `null` when nothing really changes.
 *
 * @throws {@link SyncFault} naming object and field.
 */
export function memberOfEdit(schema: Schema, layout: Layout, id: string, row: Uint8Array, values: Values, base: RecordVersion): Member | null {
  return memberOf(layout, id, changeOf(layout, row, encodeEdit(schema, layout, values)), base);
}

function memberOf(layout: Layout, id: string, change: RowChange | null, base: RecordVersion): Member | null {
  return change && { object: layout.object, id, op: 'update', layout, base, mask: change.mask, previous: change.previous, next: change.next };
}

/** A host's values by the positions of their fields. */
function encodeEdit(schema: Schema, layout: Layout, values: Values, isUnfinished = false): Map<number, Uint8Array> {
  const { fields } = schema.objects[layout.object]!;
  checkNames(layout, fields, values);
  const encoded = new Map<number, Uint8Array>();
  for (const name of namesIn(values)) encoded.set(layout.positions.get(name)!, encodeField(layout, name, fields[name]!, values[name], isUnfinished));
  return encoded;
}

/** A row as a form showed it: the user began from these values, whatever the record holds by now. Only fields in `among` count. */
export function rowAsSeen(schema: Schema, layout: Layout, row: Uint8Array, seen: Values, among: Values): Uint8Array {
  const { fields } = schema.objects[layout.object]!;
  const encode = (name: string): Uint8Array => encodeCanonical(fields[name]!.type, canonicalValue(fields[name]!.type, seen[name], `${layout.object}.${name}`));
  const names = namesIn(seen).filter((name) => layout.positions.has(name) && own(among, name) !== undefined);
  return patchRow(row, new Map(names.map((name) => [layout.positions.get(name)!, encode(name)])));
}

/**
 * What makes one row of a record out of another: a create where there was none, a delete where there is none, else an edit of the fields
 * that really differ, each with its value before (rules A11, A20). A delete carries the values of every field that devices write, so that
 * the server can tell what the user saw. `null` when nothing changes.
 */
export function memberBetween(schema: Schema, layout: Layout, id: string, before: Uint8Array | null, after: Uint8Array | null, base: RecordVersion): Member | null {
  const { object } = layout;
  if (before === null) return after && { object, id, op: 'create', layout, base: NO_VERSION, mask: null, previous: null, next: after };
  if (after !== null) return memberOf(layout, id, changeOf(layout, before, new Map(splitRow(after).entries())), base);
  const { fields } = schema.objects[object]!;
  const mask = createMask(layout);
  layout.fields.forEach(({ name }, position) => {
    if (fields[name]!.owner === 'device') setInMask(mask, position);
  });
  return { object, id, op: 'remove', layout, base, mask, previous: pickValues(before, mask), next: null };
}

/** The names of the fields that a member changes. */
export function changedFields(member: Member): string[] {
  const { layout, mask, next } = member;
  if (next === null) return [];
  if (mask !== null) return namesInMask(layout, mask);
  const values = splitRow(next);
  return layout.fields.filter((_, position) => !bytesEqual(values[position]!, NO_VALUE)).map(({ name }) => name);
}

/** @throws {@link SyncFault} `ID_INVALID` */
export function checkId(object: string, id: string): void {
  if (typeof id !== 'string' || id === '' || /\p{Surrogate}/u.test(id) || utf8(id).length > VALUE_LIMITS.idBytes) {
    throw new SyncFault('ID_INVALID', `${object}: an id is text of 1 to ${VALUE_LIMITS.idBytes} bytes`, { details: { object } });
  }
}

function checkNames(layout: Layout, fields: Readonly<Record<string, Field>>, values: Values): void {
  for (const name of Object.keys(values)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) throw new SyncFault('FIELD_UNKNOWN', `${layout.object} has no field ${name}`, { details: { object: layout.object, field: name } });
    if (field.owner !== 'device' && values[name] !== undefined) {
      throw new SyncFault('FIELD_SERVER_OWNED', `${layout.object}.${name} is written by the server only`, { details: { object: layout.object, field: name } });
    }
  }
}

/** The names of the fields that values are given for. */
function namesIn(values: Values): string[] {
  return Object.keys(values).filter((name) => values[name] !== undefined);
}

// A field may be named like something that every object inherits, such as `constructor`.
function own(values: Values, name: string): unknown {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/**
 * The bytes of a host's value, once it is found to be one of the field.
 *
 * @throws {@link SyncFault} `VALUE_INVALID`, `FIELD_REQUIRED`
 */
export function encodeField(layout: Layout, name: string, field: Field, value: unknown, isUnfinished = false): Uint8Array {
  const path = `${layout.object}.${name}`;
  const canonical = canonicalValue(field.type, value, path);
  const isChecked = field.owner === 'device' && !(isUnfinished && canonical === null);
  const violation = isChecked ? findViolation(field, canonical) : null;
  if (violation !== null) {
    throw new SyncFault(canonical === null ? 'FIELD_REQUIRED' : 'VALUE_INVALID', `${path} ${violation}`, { details: { object: layout.object, field: name } });
  }
  return encodeCanonical(field.type, canonical);
}
