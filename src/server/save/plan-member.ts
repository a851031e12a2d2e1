import type { Core } from '../../core/core.ts';
import { joinRow, maskPositions, splitRow, type FieldMask } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { ServerObject } from '../server-schema.ts';
import type { EntryMember } from './entry-member.ts';
import { createRefusal, type EntryRefusal } from './refusal.ts';

/** A record as the save finds it online. */
export type CurrentRecord =
  | { readonly state: 'none' }
  /** It exists, or existed, and this user may not see it. */
  | { readonly state: 'hidden' }
  | { readonly state: 'deleted' | 'live'; readonly row: Uint8Array };

/** What to do with a member once its values were compared. */
export type MemberPlan =
  | { readonly kind: 'write'; readonly row: Uint8Array }
  | { readonly kind: 'remove' }
  /** Everything is so already: saved, with nothing written. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refuse'; readonly refusal: EntryRefusal };

/** Compares a member with the record online (rules A19, A21, A22). */
export function planMember(core: Core, member: EntryMember, current: CurrentRecord): MemberPlan {
  switch (member.op) {
    case 'create': return planCreate(member, member.row, current);
    case 'update': return planUpdate(core, member, current);
    case 'remove': return planRemove(core, member, current);
  }
}

function planCreate(member: EntryMember, row: Uint8Array, current: CurrentRecord): MemberPlan {
  if (current.state === 'none') return { kind: 'write', row };
  if (current.state === 'deleted') return { kind: 'write', row: withServerFields(member.type, row, current.row) };
  const fields = current.state === 'live' ? differingDeviceFields(member.type, row, current.row) : [];
  if (current.state === 'live' && fields.length === 0) return { kind: 'nothing' };
  return refuse(createRefusal('duplicate-key', member.index, `${member.object} ${member.id} exists already, with other values`, { fields }));
}

function planUpdate(core: Core, member: EntryMember & { op: 'update' }, current: CurrentRecord): MemberPlan {
  if (current.state === 'hidden') return notAllowed(member);
  if (current.state === 'deleted') return refuse(createRefusal('edit-vs-delete', member.index, `${member.object} ${member.id} was deleted online`));
  if (current.state === 'none') return refuse(createRefusal('edit-vs-delete', member.index, `${member.object} ${member.id} does not exist online`));
  const { layout } = member.type;
  const check = core.checkEdit(layout, member.edit, current.row);
  if (check.hasConflicts && member.isChecked) {
    const fields = namesOf(member.type, check.conflicts);
    return refuse(createRefusal('conflict', member.index, `changed online meanwhile: ${fields.join(', ')}`, { fields }));
  }
  const writes = Uint8Array.from(check.writes, (bits, at) => bits | check.conflicts[at]!);
  if (!check.hasConflicts && !check.hasWrites) return { kind: 'nothing' };
  return { kind: 'write', row: core.applyEdit(layout, member.edit, writes, current.row) };
}

function planRemove(core: Core, member: EntryMember & { op: 'remove' }, current: CurrentRecord): MemberPlan {
  if (current.state === 'hidden') return notAllowed(member);
  if (current.state !== 'live') return { kind: 'nothing' };
  if (!member.isChecked || maskPositions(member.edit.mask).length === 0) return { kind: 'remove' };
  const check = core.checkEdit(member.type.layout, member.edit, current.row);
  if (!check.hasConflicts) return { kind: 'remove' };
  const fields = namesOf(member.type, check.conflicts);
  return refuse(createRefusal('delete-vs-edit', member.index, `changed online meanwhile: ${fields.join(', ')}`, { fields }));
}

function refuse(refusal: EntryRefusal): MemberPlan {
  return { kind: 'refuse', refusal };
}

function notAllowed(member: EntryMember): MemberPlan {
  return refuse(createRefusal('permission', member.index, `you may not change this ${member.object}`));
}

/** A record that comes back keeps what the server gave it: its Record ID, its number, its time of creation. */
function withServerFields(type: ServerObject, row: Uint8Array, last: Uint8Array): Uint8Array {
  const values = splitRow(row), lastValues = splitRow(last);
  return joinRow(type.fields.map(({ owner }, position) => (owner === 'device' ? values : lastValues)[position]!));
}

function differingDeviceFields(type: ServerObject, row: Uint8Array, current: Uint8Array): string[] {
  const mine = splitRow(row), online = splitRow(current);
  return type.layout.fields.filter((_, position) => type.fields[position]!.owner === 'device' && !bytesEqual(mine[position]!, online[position]!)).map(({ name }) => name);
}

function namesOf(type: ServerObject, mask: FieldMask): string[] {
  return maskPositions(mask).map((position) => type.layout.fields[position]!.name);
}
