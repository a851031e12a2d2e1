import type { ChangeTable, EditValues } from '../../core/core.ts';
import type { Layout } from '../../protocol/layout.ts';
import { createMask, joinRow, maskPositions, NO_VALUE, setInMask, splitRow, type FieldMask } from '../../protocol/row.ts';
import type { ServerParts } from '../server-parts.ts';
import type { ServerObject } from '../server-schema.ts';
import { isStorableId } from '../store/server-store.ts';
import type { EntryMember } from './entry-member.ts';
import { createRefusal, EntryRefused } from './refusal.ts';

/** Where an entry's changes lie in an upload. */
export interface EntrySpan {
  readonly table: ChangeTable;
  /** The request's layouts. */
  readonly layouts: readonly Layout[];
  readonly start: number;
  readonly count: number;
}

/**
 * Reads an entry's changes into the server's layouts, fields by name. Only fields that the change touches count: a device of a newer
 * schema can still save what this server knows.
 *
 * @throws {@link EntryRefused} with class `metadata` for what the schema does not have, `permission` for the server's own fields.
 */
export function readEntry(parts: Pick<ServerParts, 'schema' | 'rules'>, span: EntrySpan): EntryMember[] {
  const members: EntryMember[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < span.count; index++) {
    const member = readMember(parts, span, index);
    const key = `${member.object}\0${member.id}`;
    if (seen.has(key)) refuse('validation', index, 'an entry changes a record once');
    seen.add(key);
    members.push(member);
  }
  return members;
}

function readMember({ schema, rules }: Pick<ServerParts, 'schema' | 'rules'>, { table, layouts, start }: EntrySpan, index: number): EntryMember {
  const at = start + index;
  const from = layouts[table.layout(at)]!;
  const type = schema.objects.get(from.object) ?? refuse('metadata', index, `there is no object ${from.object}`);
  const id = table.id(at);
  if (!isStorableId(id)) refuse('validation', index, 'the id holds U+0000');
  const base = { index, type, object: type.name, id, isChecked: rules.compares(type) };
  const op = table.op(at);
  if (op === 'create') return { ...base, op, row: mapCreate(type, from, table.next(at)!, index) };
  const previous = splitRow(table.previous(at)!);
  const columns = mapColumns(type, from, table.mask(at)!, op, index);
  if (op === 'update') return { ...base, op, edit: createEdit(type, columns, previous, splitRow(table.next(at)!)) };
  return { ...base, op, edit: createEdit(type, columns, previous, previous) };
}

/** One field of an edit: where its value is in the edit, and where the field is in the server's layout. */
interface Column {
  readonly slot: number;
  readonly position: number;
}

function mapColumns(type: ServerObject, from: Layout, mask: FieldMask, op: 'update' | 'remove', index: number): Column[] {
  const columns: Column[] = [];
  for (const [slot, sourcePosition] of maskPositions(mask).entries()) {
    const position = findField(type, from, sourcePosition, index, op === 'remove');
    if (position === null) continue;
    if (type.fields[position]!.owner === 'device') columns.push({ slot, position });
    // A delete may name what it saw of the server's own fields; those are no reason to keep the record.
    else if (op === 'update') refuseOwned(type, position, index);
  }
  return columns.sort((left, right) => left.position - right.position);
}

function mapCreate(type: ServerObject, from: Layout, row: Uint8Array, index: number): Uint8Array {
  const values: Uint8Array[] = type.fields.map(() => NO_VALUE);
  for (const [sourcePosition, value] of splitRow(row).entries()) {
    if (value.length === 1 && value[0] === NO_VALUE[0]) continue;
    const position = findField(type, from, sourcePosition, index, false)!;
    if (type.fields[position]!.owner !== 'device') refuseOwned(type, position, index);
    values[position] = value;
  }
  return joinRow(values);
}

function findField(type: ServerObject, from: Layout, sourcePosition: number, index: number, mayBeUnknown: boolean): number | null {
  const { name, type: fieldType } = from.fields[sourcePosition]!;
  const position = type.layout.positions.get(name);
  if (position === undefined) return mayBeUnknown ? null : refuse('metadata', index, `${type.name} has no field ${name}`, [name]);
  const known = type.layout.fields[position]!.type;
  if (known !== fieldType) refuse('metadata', index, `${type.name}.${name} is of type ${known}, not ${fieldType}`, [name]);
  return position;
}

function createEdit(type: ServerObject, columns: readonly Column[], previous: readonly Uint8Array[], next: readonly Uint8Array[]): EditValues {
  const mask = createMask(type.layout);
  for (const { position } of columns) setInMask(mask, position);
  return { mask, previous: joinRow(columns.map(({ slot }) => previous[slot]!)), next: joinRow(columns.map(({ slot }) => next[slot]!)) };
}

function refuseOwned(type: ServerObject, position: number, index: number): never {
  const { name } = type.layout.fields[position]!;
  return refuse('permission', index, `${type.name}.${name} is written by the server alone`, [name]);
}

function refuse(refusalClass: 'metadata' | 'permission' | 'validation', index: number, message: string, fields: readonly string[] = []): never {
  throw new EntryRefused(createRefusal(refusalClass, index, message, { fields }));
}
