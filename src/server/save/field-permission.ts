import type { EditValues } from '../../core/core.ts';
import { createMask, joinRow, maskPositions, NO_VALUE, setInMask, splitRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ObjectAccess } from '../access/field-access.ts';
import type { ServerObject } from '../server-schema.ts';
import type { EntryMember } from './entry-member.ts';
import { createRefusal, EntryRefused } from './refusal.ts';

/**
 * Refuses a member that gives a value to a field which the user may only read, or not even that (rule A20). Nothing is compared, so the
 * answer says nothing of what is online.
 *
 * @throws {@link EntryRefused} with class `permission`, naming the fields.
 */
export function checkFieldRights({ mayWrite }: ObjectAccess, member: EntryMember): void {
  const refused = givenPositions(member).filter((position) => !mayWrite(position));
  if (refused.length > 0) throw refusedFields(member, refused);
}

/** Says that a user may not write some fields of a member. */
export function refusedFields({ index, type }: EntryMember, positions: readonly number[]): EntryRefused {
  const names = positions.map((position) => type.layout.fields[position]!.name);
  return new EntryRefused(createRefusal('permission', index, `you may not write ${names.map((name) => `${type.name}.${name}`).join(', ')}`, { fields: names }));
}

/** The fields to which a member gives a value; a create may leave fields without one, an update may take one away. */
function givenPositions(member: EntryMember): number[] {
  switch (member.op) {
    case 'create': return splitRow(member.row).flatMap((value, position) => (isNoValue(value) ? [] : [position]));
    case 'update': return maskPositions(member.edit.mask);
    case 'remove': return [];
  }
}

/**
 * A member without what a delete says of fields that the user may not read. A device has no value of them, and one from before the right was
 * withdrawn confirms nothing: whether a record may be deleted is a question of the record.
 */
export function withoutUnreadable({ mayRead }: ObjectAccess, member: EntryMember): EntryMember {
  if (member.op !== 'remove' || maskPositions(member.edit.mask).every(mayRead)) return member;
  return { ...member, edit: onlyPositions(member.type, member.edit, mayRead) };
}

function onlyPositions({ layout }: ServerObject, { mask, previous, next }: EditValues, takes: (position: number) => boolean): EditValues {
  const left = createMask(layout);
  const slots = maskPositions(mask).flatMap((position, slot) => {
    if (!takes(position)) return [];
    setInMask(left, position);
    return [slot];
  });
  const pick = (packed: Uint8Array): Uint8Array => {
    const values = splitRow(packed);
    return joinRow(slots.map((slot) => values[slot]!));
  };
  return { mask: left, previous: pick(previous), next: pick(next) };
}

/** Says whether a value is "no value". */
export function isNoValue(value: Uint8Array): boolean {
  return bytesEqual(value, NO_VALUE);
}
