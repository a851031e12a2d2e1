import type { WireRecord } from '../../protocol/messages.ts';
import { encodeValue, joinRow, splitRow } from '../../protocol/row.ts';
import type { ServerObject, ServerSchema, SubmittedState } from '../server-schema.ts';
import { isStorableId, type RecordKey } from '../store/server-store.ts';
import { isSubmittedRow } from '../submission.ts';
import type { EntryMember } from './entry-member.ts';
import { findHeaders } from './group-headers.ts';
import { inheritFields } from './inherited-fields.ts';
import { createRefusal, EntryRefused, missingReference } from './refusal.ts';
import type { SaveInProgress } from './save-members.ts';
import { findSubmission, isSubmitted } from './submitted.ts';
import type { WorkingRecord } from './working-set.ts';

/** An entry that copies a submitted record with its group (rule A23), as far as it can be read without looking at what is online. */
export interface CopyEntry {
  readonly original: RecordKey;
  readonly type: ServerObject;
  readonly submitted: SubmittedState;
  /** The header of the copy. */
  readonly header: EntryMember & { readonly op: 'create' };
}

/** Reads an entry as a copy. @throws {@link EntryRefused} when it is none: one header of the original's object, and what goes along with it. */
export function readCopy(schema: ServerSchema, { object, id }: WireRecord, members: readonly EntryMember[]): CopyEntry {
  const type = schema.objects.get(object);
  if (type?.submitted?.elsewhere !== 'duplicate') throw refused(members[0]!, `${object} is not copied when it is submitted elsewhere`);
  let header: CopyEntry['header'] | null = null;
  for (const member of members) {
    if (member.op !== 'create') throw refused(member, 'a copy has nothing but new records');
    if (member.object !== object) {
      if (!type.submitted.copies.has(member.object)) throw refused(member, `a copy of a ${object} takes no ${member.object} along`);
    } else if (header !== null) throw refused(member, `a copy has one ${object}`);
    else header = member;
  }
  if (header === null) throw refused(members[0]!, `a copy of a ${object} begins with one`);
  if (header.id === id) throw refused(header, 'a copy has an id of its own');
  return { original: { object, id }, type, submitted: type.submitted, header };
}

/**
 * Prepares a copy for its save: it names its original, and is open again where the original was submitted on both devices.
 *
 * @throws {@link EntryRefused} when the original is not to be seen, was never submitted, or a record of the entry is in another group.
 */
export async function prepareCopy(save: SaveInProgress, copy: CopyEntry, members: readonly EntryMember[]): Promise<EntryMember[]> {
  const { header } = copy;
  await checkOriginal(save, copy);
  const mayBeSeen = (of: WorkingRecord): boolean => of.row === null || save.visibility.isVisible(save.principal, of.type, of.id, of.row);
  for (const { record, member, isSeen } of await findHeaders(save.working, members, [], mayBeSeen)) {
    if (record.id === header.id) continue;
    // One that the user may not see is answered as one that is not there.
    throw isSeen ? refused(member, `this ${member.object} is not in the group of the copy`) : missingReference(member, member.type.parent!);
  }
  return (await inheritFields(save, copy, members)).map((member) => (member.op === 'create' && member.index === header.index ? openCopy(save, copy, member) : member));
}

/** The header of a copy as it is saved. */
function openCopy({ visibility, principal }: SaveInProgress, { original, type, submitted }: CopyEntry, header: CopyEntry['header']): EntryMember {
  const values = splitRow(header.row);
  const isChosen = visibility.fieldsOf(principal, type).mayWrite(submitted.position);
  if (!isChosen || isSubmittedRow(type, header.row)) values[submitted.position] = submitted.reopenAs;
  if (submitted.duplicateOf !== null) values[submitted.duplicateOf] = encodeValue('reference', original.id, type.name);
  return { ...header, row: joinRow(values) };
}

async function checkOriginal({ working, transaction, visibility, principal }: SaveInProgress, { original, type, submitted, header }: CopyEntry): Promise<void> {
  const record = isStorableId(original.id) ? await working.get(original) : null;
  // One that the user may not see is answered as one that is not there.
  if (record === null || record.row === null || !visibility.isVisible(principal, type, original.id, record.row)) {
    const fields = submitted.duplicateOf === null ? [] : [type.layout.fields[submitted.duplicateOf]!.name];
    throw new EntryRefused(createRefusal('missing-reference', header.index, `the copy is of a ${type.name} that does not exist`, { fields }));
  }
  if (isSubmitted(record) || (await findSubmission(transaction, original)) !== null) return;
  throw refused(header, `the ${type.name} that this is a copy of was never submitted`);
}

function refused(member: EntryMember, message: string): EntryRefused {
  return new EntryRefused(createRefusal('validation', member.index, message));
}
