import { findViolation } from '../protocol/constraints.ts';
import type { Field } from '../protocol/field.ts';
import type { Layout } from '../protocol/layout.ts';
import { createMask, encodeCanonical, joinRow, maskPositions, namesInMask, NO_VALUE, setInMask, splitRow, type FieldMask } from '../protocol/row.ts';
import type { Schema } from '../protocol/schema.ts';
import { canonicalValue, VALUE_LIMITS } from '../protocol/value.ts';
import { NO_VERSION, type RecordVersion } from '../protocol/version.ts';
import { bytesEqual, utf8 } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Member } from './rows.ts';

type Values = Readonly<Record<string, unknown>>;

/** Turns a host's values into a create: a whole row. @throws {@link SyncFault} naming object and field; nothing was changed. */
export function planCreate(schema: Schema, layout: Layout, id: string, values: Values): Member {
  checkId(layout.object, id);
  const fields = schema.objects[layout.object]!.fields;
  checkNames(layout, fields, values);
  const next = joinRow(layout.fields.map(({ name }) => encodeField(layout, name, fields[name]!, values[name])));
  return { object: layout.object, id, op: 'create', layout, base: NO_VERSION, mask: null, previous: null, next };
}

/**
 * Turns a host's values into an edit of the fields that really change (rules A11, A20): each with its value before the save, as the
 * user saw it. `null` when nothing changes.
 */
export function planUpdate(schema: Schema, layout: Layout, id: string, values: Values, working: Uint8Array, base: RecordVersion): Member | null {
  const fields = schema.objects[layout.object]!.fields;
  checkNames(layout, fields, values);
  const before = splitRow(working);
  const mask = createMask(layout);
  const next: Uint8Array[] = [];
  layout.fields.forEach(({ name }, position) => {
    if (values[name] === undefined) return;
    const value = encodeField(layout, name, fields[name]!, values[name]);
    if (bytesEqual(value, before[position]!)) return;
    setInMask(mask, position);
    next.push(value);
  });
  if (next.length === 0) return null;
  return { object: layout.object, id, op: 'update', layout, base, mask, previous: pickValues(working, mask), next: joinRow(next) };
}

/** Makes a delete: it carries the values of every field that devices write, so that the server can tell what the user saw. */
export function planRemove(schema: Schema, layout: Layout, id: string, working: Uint8Array, base: RecordVersion): Member {
  const fields = schema.objects[layout.object]!.fields;
  const mask = createMask(layout);
  layout.fields.forEach(({ name }, position) => {
    if (fields[name]!.owner === 'device') setInMask(mask, position);
  });
  return { object: layout.object, id, op: 'remove', layout, base, mask, previous: pickValues(working, mask), next: null };
}

function pickValues(row: Uint8Array, mask: FieldMask): Uint8Array {
  const values = splitRow(row);
  return joinRow(maskPositions(mask).map((position) => values[position]!));
}

/** The names of the fields that a member changes. */
export function changedFields(member: Member): string[] {
  const { layout, mask, next } = member;
  if (next === null) return [];
  if (mask !== null) return namesInMask(layout, mask);
  const values = splitRow(next);
  return layout.fields.filter((_, position) => !bytesEqual(values[position]!, NO_VALUE)).map(({ name }) => name);
}

function checkId(object: string, id: string): void {
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

function encodeField(layout: Layout, name: string, field: Field, value: unknown): Uint8Array {
  const path = `${layout.object}.${name}`;
  const canonical = canonicalValue(field.type, value, path);
  const violation = field.owner === 'device' ? findViolation(field, canonical) : null;
  if (violation !== null) {
    throw new SyncFault(canonical === null ? 'FIELD_REQUIRED' : 'VALUE_INVALID', `${path} ${violation}`, { details: { object: layout.object, field: name } });
  }
  return encodeCanonical(field.type, canonical);
}
