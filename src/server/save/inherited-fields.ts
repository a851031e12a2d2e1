import { joinRow, splitRow } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { CopyEntry } from './copy-of-submitted.ts';
import type { EntryMember } from './entry-member.ts';
import { isNoValue, refusedFields } from './field-permission.ts';
import type { SaveInProgress } from './save-members.ts';
import type { WorkingRecord } from './working-set.ts';

type Create = EntryMember & { readonly op: 'create' };

/**
 * Gives a copy of a submitted record (rule A23) what its user may not write: the header has it from the original, whatever it is. A value that the
 * device sent along is taken only where a record of the original has just that, and the user may read it; otherwise somebody would
 * write by copying what he may not write (rule A20).
 *
 * @throws EntryRefused with class `permission`, naming the fields.
 */
export async function inheritFields(save: SaveInProgress, { original, header }: CopyEntry, members: readonly EntryMember[]): Promise<EntryMember[]> {
  const from = await save.working.get(original);
  const inherited: EntryMember[] = [];
  for (const member of members) {
    const locked = member.op === 'create' ? lockedPositions(save, member) : [];
    if (member.op !== 'create' || locked.length === 0) inherited.push(member);
    else if (member.index === header.index) inherited.push(inheritHeader(save, member, locked, from));
    else inherited.push(await checkCopied(save, member, locked, from));
  }
  return inherited;
}

/** The fields of a member that its user may not write, though devices may; but for its place in the copy, and whether that is submitted: those are the copy's own. */
function lockedPositions({ visibility, principal }: SaveInProgress, { type }: Create): number[] {
  const { mayWrite } = visibility.fieldsOf(principal, type);
  const own = [type.parent?.isGroup === true ? type.parent.position : -1, type.submitted?.position];
  return type.fields.flatMap(({ owner }, position) => (owner === 'device' && !own.includes(position) && !mayWrite(position) ? [position] : []));
}

function inheritHeader({ visibility, principal }: SaveInProgress, member: Create, locked: readonly number[], original: WorkingRecord): EntryMember {
  const { mayRead } = visibility.fieldsOf(principal, member.type);
  const values = splitRow(member.row), theirs = splitRow(original.row!);
  const refused = locked.filter((position) => !isNoValue(values[position]!) && !(mayRead(position) && bytesEqual(values[position]!, theirs[position]!)));
  if (refused.length > 0) throw refusedFields(member, refused);
  for (const position of locked) values[position] = theirs[position]!;
  return { ...member, row: joinRow(values) };
}

/** A record below the header names no original: one of the same object must have all that the user could not have written. */
async function checkCopied(save: SaveInProgress, member: Create, locked: readonly number[], original: WorkingRecord): Promise<EntryMember> {
  const { mayRead } = save.visibility.fieldsOf(save.principal, member.type);
  const values = splitRow(member.row);
  const given = locked.filter((position) => !isNoValue(values[position]!));
  if (given.length === 0) return member;
  if (!given.every(mayRead)) throw refusedFields(member, given);
  for (const { type, id, row } of await below(save, original)) {
    if (type !== member.type || row === null || !save.visibility.isVisible(save.principal, type, id, row)) continue;
    const theirs = splitRow(row);
    if (given.every((position) => bytesEqual(values[position]!, theirs[position]!))) return member;
  }
  throw refusedFields(member, given);
}

async function below({ working }: SaveInProgress, header: WorkingRecord): Promise<WorkingRecord[]> {
  const found = [header];
  // Grows while it is walked. Children of a group are never above themselves: a header has no group parent.
  for (const { type, id } of found) {
    for (const { name, isGroup } of type.children) if (isGroup) found.push(...(await working.children(name, id)));
  }
  return found;
}
