import type { EditValues } from '../../core/core.ts';
import type { FieldValue } from '../../protocol/field.ts';
import { decodeRow, decodeValue, maskPositions, splitRow } from '../../protocol/row.ts';
import type { EntryChange } from '../around-hooks.ts';
import type { ServerObject } from '../server-schema.ts';
import type { EntryMember } from './entry-member.ts';

/** The members of a save as a host's functions see them. */
export function plainChanges(members: readonly EntryMember[]): EntryChange[] {
  return members.map((member) => ({ object: member.object, id: member.id, op: member.op, ...plainValues(member) }));
}

function plainValues(member: EntryMember): Pick<EntryChange, 'previous' | 'next'> {
  switch (member.op) {
    case 'create': return { previous: {}, next: Object.fromEntries(Object.entries(decodeRow(member.type.layout, member.row)).filter(([, value]) => value !== null)) };
    case 'update': return { previous: decodeEdit(member.type, member.edit, member.edit.previous), next: decodeEdit(member.type, member.edit, member.edit.next) };
    case 'remove': return { previous: decodeEdit(member.type, member.edit, member.edit.previous), next: {} };
  }
}

function decodeEdit({ layout }: ServerObject, { mask }: EditValues, packed: Uint8Array): Record<string, FieldValue> {
  const values = splitRow(packed);
  return Object.fromEntries(maskPositions(mask).map((position, slot) => [layout.fields[position]!.name, decodeValue(layout.fields[position]!.type, values[slot]!)]));
}
