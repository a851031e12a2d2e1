import type { Core, EditCheck } from '../../core/core.ts';
import { joinRow, maskPositions, splitRow, type FieldMask } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ObjectAccess } from '../access/field-access.ts';
import type { Principal } from '../principal.ts';
import type { ServerObject } from '../server-schema.ts';
import type { Visibility } from '../visibility.ts';
import type { EntryMember } from './entry-member.ts';
import { createRefusal, type EntryRefusal } from './refusal.ts';
import type { WorkingRecord } from './working-set.ts';

/** A record as the save finds it online. */
export type CurrentRecord =
  | { readonly state: 'none' }
  /** It exists, or existed, and this user may not see it. */
  | { readonly state: 'hidden' }
  | { readonly state: 'deleted' | 'live'; readonly row: Uint8Array; /** What this user may do with its fields. */ readonly fields: ObjectAccess };

/** A record as this user finds it online. */
export function currentRecord({ type, id, row, isLive }: WorkingRecord, visibility: Visibility, principal: Principal): CurrentRecord {
  if (row === null) return { state: 'none' };
  if (!visibility.isVisible(principal, type, id, row)) return { state: 'hidden' };
  return { state: isLive ? 'live' : 'deleted', row, fields: visibility.fieldsOf(principal, type) };
}

/** What to do with a member once its values were compared. */
export type MemberPlan =
  | {
      readonly kind: 'write';
      readonly row: Uint8Array;
      /** The member's fields that are written. */
      readonly fields: FieldMask | null;
      /** Fields written over a value that the user never saw; of what is not compared. */
      readonly overwritten: readonly string[];
      /** What is refused of an edit of which the rest is written (`keepCleanFields`). */
      readonly left: EntryRefusal | null;
    }
  | { readonly kind: 'remove'; readonly overwritten: readonly string[] }
  /** Everything is so already: saved, with nothing written. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refuse'; readonly refusal: EntryRefusal };

/** Says which fields of an edit in conflict are written all the same; `null` refuses all of it. */
export type CleanFields = (check: EditCheck) => FieldMask | null;

/**
 * Compares a member with the record online (rules A19, A21, A22).
 *
 * @param cleanFields - of an edit that may be saved in part.
 */
export function planMember(core: Core, member: EntryMember, current: CurrentRecord, cleanFields: CleanFields = () => null): MemberPlan {
  switch (member.op) {
    case 'create': return planCreate(member, member.row, current);
    case 'update': return planUpdate(core, member, current, cleanFields);
    case 'remove': return planRemove(core, member, current);
  }
}

function planCreate(member: EntryMember, row: Uint8Array, current: CurrentRecord): MemberPlan {
  if (current.state === 'none') return write(row);
  if (current.state === 'deleted') return write(withKeptFields(member.type, row, current));
  const fields = current.state === 'live' ? differingFields(member.type, row, current) : [];
  if (current.state === 'live' && fields.length === 0) return { kind: 'nothing' };
  return refuse(createRefusal('duplicate-key', member.index, `${member.object} ${member.id} exists already, with other values`, { fields }));
}

function planUpdate(core: Core, member: EntryMember & { op: 'update' }, current: CurrentRecord, cleanFields: CleanFields): MemberPlan {
  if (current.state === 'hidden') return notAllowed(member);
  if (current.state === 'deleted') return refuse(createRefusal('edit-vs-delete', member.index, `${member.object} ${member.id} was deleted online`));
  if (current.state === 'none') return refuse(createRefusal('edit-vs-delete', member.index, `${member.object} ${member.id} does not exist online`));
  const { layout } = member.type;
  const check = core.checkEdit(layout, member.edit, current.row);
  if (!check.hasConflicts && !check.hasWrites) return { kind: 'nothing' };
  const conflicts = namesOf(member.type, check.conflicts);
  if (check.hasConflicts && member.isChecked) {
    const left = createRefusal('conflict', member.index, `changed online meanwhile: ${conflicts.join(', ')}`, { fields: conflicts });
    const clean = check.hasWrites ? cleanFields(check) : null;
    if (clean === null) return refuse(left);
    return { ...write(core.applyEdit(layout, member.edit, clean, current.row)), fields: clean, left };
  }
  const fields = Uint8Array.from(check.writes, (bits, at) => bits | check.conflicts[at]!);
  return { ...write(core.applyEdit(layout, member.edit, fields, current.row)), fields, overwritten: conflicts };
}

function planRemove(core: Core, member: EntryMember & { op: 'remove' }, current: CurrentRecord): MemberPlan {
  if (current.state === 'hidden') return notAllowed(member);
  if (current.state !== 'live') return { kind: 'nothing' };
  if (maskPositions(member.edit.mask).length === 0) return { kind: 'remove', overwritten: [] };
  const { conflicts, hasConflicts } = core.checkEdit(member.type.layout, member.edit, current.row);
  const fields = namesOf(member.type, conflicts);
  if (!hasConflicts || !member.isChecked) return { kind: 'remove', overwritten: fields };
  return refuse(createRefusal('delete-vs-edit', member.index, `changed online meanwhile: ${fields.join(', ')}`, { fields }));
}

function write(row: Uint8Array): MemberPlan & { readonly kind: 'write' } {
  return { kind: 'write', row, fields: null, overwritten: [], left: null };
}

function refuse(refusal: EntryRefusal): MemberPlan {
  return { kind: 'refuse', refusal };
}

function notAllowed(member: EntryMember): MemberPlan {
  return refuse(createRefusal('permission', member.index, `you may not change this ${member.object}`));
}

/** A record that comes back keeps what this user does not write: its Record ID, its number, its time of creation, and fields of others. */
function withKeptFields(type: ServerObject, row: Uint8Array, last: { readonly row: Uint8Array; readonly fields: ObjectAccess }): Uint8Array {
  const values = splitRow(row), lastValues = splitRow(last.row);
  return joinRow(type.fields.map((_, position) => (last.fields.mayWrite(position) ? values : lastValues)[position]!));
}

/** The device's fields in which a create differs from what is online; of what the user may not read nothing comes out (rule A20). */
function differingFields(type: ServerObject, row: Uint8Array, current: { readonly row: Uint8Array; readonly fields: ObjectAccess }): string[] {
  const mine = splitRow(row), online = splitRow(current.row);
  const differs = (position: number): boolean => type.fields[position]!.owner === 'device' && current.fields.mayRead(position) && !bytesEqual(mine[position]!, online[position]!);
  return type.layout.fields.filter((_, position) => differs(position)).map(({ name }) => name);
}

function namesOf(type: ServerObject, mask: FieldMask): string[] {
  return maskPositions(mask).map((position) => type.layout.fields[position]!.name);
}
