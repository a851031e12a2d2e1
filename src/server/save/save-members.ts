import type { Core } from '../../core/core.ts';
import type { ObjectAccess } from '../access/field-access.ts';
import type { Principal } from '../principal.ts';
import type { WireHeader, WireRecord } from '../../protocol/messages.ts';
import { decodeValue, isInMask, maskPositions, splitRow, type FieldMask } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { HookRefusal } from '../save-hooks.ts';
import type { ServerRules } from '../server-rules.ts';
import type { ServerSchema } from '../server-schema.ts';
import { keyText, type RecordKey, type StoreTransaction } from '../store/server-store.ts';
import type { Visibility } from '../visibility.ts';
import { collectAffected } from './affected.ts';
import { prepareCopy, readCopy } from './copy-of-submitted.ts';
import type { EntryMember } from './entry-member.ts';
import { checkFieldRights, withoutUnreadable } from './field-permission.ts';
import { runFormulas } from './formulas.ts';
import { isBelowDeleted, isGroupGone } from './group-headers.ts';
import { decodeRecord, hookRecord, patchRow, type HookRunner } from './hook-runner.ts';
import { keepOverwritten, type MemberOverwrite } from './overwritten.ts';
import { currentRecord, planMember } from './plan-member.ts';
import { createRefusal, EntryRefused, missingReference, type EntryRefusal } from './refusal.ts';
import { stampRow } from './stamp-row.ts';
import { judgeSubmitted, keepSubmissions, newlySubmitted, type SetAside } from './submitted.ts';
import { runTrigger } from './triggers.ts';
import { validateRow } from './validate-row.ts';
import type { WorkingRecord, WorkingSet } from './working-set.ts';

/** A save under way: one entry, one transaction. */
export interface SaveInProgress {
  readonly core: Core;
  readonly schema: ServerSchema;
  readonly transaction: StoreTransaction;
  readonly working: WorkingSet;
  readonly hooks: HookRunner;
  readonly visibility: Visibility;
  readonly principal: Principal;
  readonly hasStrictReferences: boolean;
  readonly createRecordId: () => string;
  readonly rules: ServerRules;
  /** What a device says of its entry; the back office says nothing, and nothing is closed to it. */
  readonly upload?: DeviceUpload;
}

/** What an entry says of itself, beside its members. */
export interface DeviceUpload {
  readonly store: string;
  readonly number: number;
  readonly headers: readonly WireHeader[];
  readonly duplicateOf: WireRecord | null;
}

/** How a save ended, unless it was refused. */
export type SaveEnd = SavedMembers | ({ readonly kind: 'setAside' } & SetAside);

/** What a save did. */
export interface SavedMembers {
  readonly kind: 'saved';
  /** Whether anything was written. */
  readonly hasWritten: boolean;
  /** The members, their masters at all levels, and what triggers wrote (rule A30), as they now are. */
  readonly affected: readonly SavedRecord[];
  /** What was replaced without having been seen (rule A22). */
  readonly overwritten: readonly MemberOverwrite[];
  /** What was refused of a save of which the rest was written (`keepCleanFields`). */
  readonly left: EntryRefusal | null;
}

/** A record after a save, with its version. */
export interface SavedRecord extends WorkingRecord {
  readonly row: Uint8Array;
  readonly version: RecordVersion;
}

/** A member that is to be written. */
interface MemberWrite {
  readonly member: EntryMember;
  /** The record as it was locked. */
  readonly current: WorkingRecord;
  /** The member's fields to be written; `null` for all. */
  readonly fields: FieldMask | null;
  readonly overwritten: readonly string[];
  readonly left: EntryRefusal | null;
}

/**
 * Saves an entry's members, all or nothing, in the order of rule A25.
 *
 * @throws {@link EntryRefused}; {@link EntryDelayed} when the host's own logic fails.
 */
export async function saveMembers(save: SaveInProgress, given: readonly EntryMember[]): Promise<SaveEnd> {
  const { working, upload } = save;
  const copy = upload?.duplicateOf ? readCopy(save.schema, upload.duplicateOf, given) : null;
  const created = given.filter(({ op }) => op === 'create');
  const originals = copy === null ? [] : [copy.original];
  await working.lock([...given.filter(({ op }) => op !== 'create'), ...given.flatMap(newMasters), ...originals], created);
  const members = copy === null ? given.map((member) => withoutUnreadable(fieldsOf(save, member), member)) : await prepareCopy(save, copy, given);
  const { setAside, unseen } = await judgeSubmitted(save, members);
  if (setAside !== null) return { kind: 'setAside', ...setAside };
  for (const member of members) {
    // Of a copy, that was looked at when it was prepared: it has values from its original.
    if (copy === null) checkFieldRights(fieldsOf(save, member), member);
    await checkAllowed(save, member);
  }
  const writes: MemberWrite[] = [];
  for (const member of members) {
    const write = await checkValues(save, member, members.length === 1);
    if (write !== null) writes.push(write);
  }
  for (const { member } of writes) await checkGroup(save, member);
  for (const write of writes) await checkReferences(save, write);
  if (unseen !== null) throw new EntryRefused(createRefusal('permission', unseen.index, `you may not change this ${unseen.object}`));
  const left = writes[0]?.left ?? null;
  try {
    return await saveWrites(save, members, writes, left);
  } catch (thrown) {
    // What is left of the edit cannot stand by itself: then all of it is refused, for the reason it was divided.
    throw left !== null && thrown instanceof EntryRefused && thrown.refusal.class === 'validation' ? new EntryRefused(left) : thrown;
  }
}

async function saveWrites(save: SaveInProgress, members: readonly EntryMember[], writes: readonly MemberWrite[], left: EntryRefusal | null): Promise<SavedMembers> {
  const { working, rules } = save;
  for (const write of writes) if (write.member.op !== 'remove') await runBeforeSave(save, write);
  for (const write of writes) if (write.member.op !== 'remove') await stamp(save, write);
  for (const write of writes) await runAfterSave(save, write);
  await runFormulas(save);
  // What is left of an edit could never follow into a group that the rest of it closes.
  if (left !== null && newlySubmitted(working).length > 0) throw new EntryRefused(left);
  const affected = await collectAffected(working, members);
  const overwritten = writes.flatMap(({ member, current, overwritten: fields }) => (rules.tellsOverwritten(fields) ? [{ member, fields, was: current }] : []));
  const saved = { kind: 'saved', overwritten, left } as const;
  if (working.changed().length === 0) return { ...saved, hasWritten: false, affected: withVersions(affected, new Map()) };
  const versions = await working.flush(await save.transaction.epoch(), rules);
  await keepSubmissions(save, versions);
  await keepOverwritten(save, overwritten, versions);
  return { ...saved, hasWritten: true, affected: withVersions(affected, versions) };
}

function withVersions(records: readonly WorkingRecord[], written: ReadonlyMap<string, RecordVersion>): SavedRecord[] {
  return records.flatMap((record) => {
    const version = written.get(keyText(record)) ?? record.stored?.version;
    return record.row === null || version === undefined ? [] : [{ ...record, row: record.row, version }];
  });
}

function fieldsOf({ visibility, principal }: SaveInProgress, { type }: EntryMember): ObjectAccess {
  return visibility.fieldsOf(principal, type);
}

/** The masters that a member names anew; they must exist, and are locked with the rest. */
function newMasters(member: EntryMember): RecordKey[] {
  return newReferences(member).filter(({ isParent }) => isParent);
}

interface NewReference extends RecordKey {
  readonly field: string;
  readonly isParent: boolean;
}

/** The references that a member sets. */
function newReferences(member: EntryMember): NewReference[] {
  if (member.op === 'remove') return [];
  const { type } = member;
  const values = splitRow(member.op === 'create' ? member.row : member.edit.next);
  const positions = member.op === 'create' ? type.fields.keys() : maskPositions(member.edit.mask);
  return [...positions].flatMap((position, slot) => {
    const { target, parent, owner } = type.fields[position]!;
    if (target === undefined || owner !== 'device') return [];
    const id = decodeValue('reference', values[slot]!) as string | null;
    return id === null ? [] : [{ object: target, id, field: type.layout.fields[position]!.name, isParent: parent === true }];
  });
}

async function checkAllowed({ working, hooks, visibility, principal }: SaveInProgress, member: EntryMember): Promise<void> {
  const allow = hooks.hooksOf(member.object)?.allow;
  if (allow === undefined) return;
  const current = await working.get(member);
  if (current.row !== null && !visibility.isVisible(principal, member.type, member.id, current.row)) return; // Refused by the value check, unasked.
  const { object, id, op } = member;
  const fields = op === 'remove' ? [] : touchedFields(member);
  const answer = await hooks.call('allow', object, () => allow({ ...hooks.base, object, id, op, fields, previous: hookRecord(current) }));
  if (answer === true) return;
  if (answer instanceof HookRefusal) throw refusedByHook('permission', member, answer);
  throw new EntryRefused(createRefusal('permission', member.index, `you may not ${op} this ${object}`));
}

function touchedFields(member: EntryMember & { op: 'create' | 'update' }): string[] {
  const { layout, fields } = member.type;
  const positions = member.op === 'update' ? maskPositions(member.edit.mask) : fields.flatMap(({ owner }, position) => (owner === 'device' ? [position] : []));
  return positions.map((position) => layout.fields[position]!.name);
}

async function checkValues({ core, working, visibility, principal, rules, upload }: SaveInProgress, member: EntryMember, isAlone: boolean): Promise<MemberWrite | null> {
  const current = await working.get(member);
  const mayKeepClean = upload !== undefined && isAlone && member.type.keepsCleanFields;
  const plan = planMember(core, member, currentRecord(current, visibility, principal), mayKeepClean ? rules.cleanFields : undefined);
  if (plan.kind === 'refuse') throw new EntryRefused(plan.refusal);
  if (plan.kind === 'nothing') return null;
  const overwritten = upload === undefined ? [] : plan.overwritten;
  if (plan.kind === 'remove') {
    working.put(current, { isLive: false });
    return { member, current, fields: null, overwritten, left: null };
  }
  working.put(current, { row: plan.row, isLive: true });
  return { member, current, fields: plan.fields, overwritten, left: plan.left };
}

/** A header that was deleted online is not brought back by what hangs on it (rule A22). */
async function checkGroup({ working }: SaveInProgress, member: EntryMember): Promise<void> {
  if (member.op !== 'update' || !(await isGroupGone(working, member))) return;
  throw new EntryRefused(createRefusal('edit-vs-delete', member.index, `the group of ${member.object} ${member.id} was deleted online`));
}

async function checkReferences(save: SaveInProgress, { member, fields }: MemberWrite): Promise<void> {
  const { working, visibility, principal, hasStrictReferences } = save;
  const { mayWrite } = fieldsOf(save, member);
  for (const { object, id, field, isParent } of newReferences(member)) {
    const position = member.type.layout.positions.get(field)!;
    if (fields !== null && !isInMask(fields, position)) continue;
    // What a copy has from its original was not this user's to choose.
    if (!isParent && (!hasStrictReferences || !mayWrite(position))) continue;
    const target = await working.get({ object, id });
    const isThere = target.isLive && target.row !== null && visibility.isVisible(principal, target.type, id, target.row);
    const isInGroup = isParent && member.type.parent!.isGroup;
    // A group whose header is gone takes in nothing, though some of its records may have been left behind.
    if (isThere && !(isInGroup && (await isBelowDeleted(working, target)))) continue;
    throw missingReference(member, { name: field, target: object });
  }
}

async function runBeforeSave({ working, hooks }: SaveInProgress, { member, current }: MemberWrite): Promise<void> {
  const own = hooks.hooksOf(member.object);
  const { object, id, type } = member;
  const op = current.isLive ? 'update' : 'create';
  const context = async () => {
    const next = decodeRecord(type, id, (await working.get(member)).row!);
    return { ...hooks.base, object, id, op, previous: hookRecord(current), next, children: await hooks.childrenOf(type, id) } as const;
  };
  const { beforeSave, validate } = own ?? {};
  if (beforeSave !== undefined) {
    const given = await context();
    const answer = await hooks.call('beforeSave', object, () => beforeSave(given));
    if (answer instanceof HookRefusal) throw refusedByHook('validation', member, answer);
    const record = await working.get(member);
    if (answer) working.put(record, { row: await hooks.call('beforeSave', object, () => patchRow(type, record.row!, answer)), isLive: true });
  }
  const problem = validateRow(type, current.isLive ? current.before : null, (await working.get(member)).row!);
  if (problem !== null) throw new EntryRefused(createRefusal('validation', member.index, problem.message, { fields: [problem.field] }));
  if (validate === undefined) return;
  const given = await context();
  const answer = await hooks.call('validate', object, () => validate(given));
  if (answer instanceof HookRefusal) throw refusedByHook('validation', member, answer);
}

async function stamp(save: SaveInProgress, { member, current }: MemberWrite): Promise<void> {
  const record = await save.working.get(member);
  save.working.put(record, { row: await stampRow(save, record, !current.isLive), isLive: true });
}

async function runAfterSave(save: SaveInProgress, { member, current }: MemberWrite): Promise<void> {
  const afterSave = save.hooks.hooksOf(member.object)?.afterSave;
  if (afterSave === undefined) return;
  const op = member.op === 'remove' ? 'remove' : current.isLive ? 'update' : 'create';
  const answer = await runTrigger(save, afterSave, await save.working.get(member), current, op);
  if (answer instanceof HookRefusal) throw refusedByHook('validation', member, answer);
}

function refusedByHook(refusalClass: 'validation' | 'permission', member: EntryMember, { field, code, message }: HookRefusal): EntryRefused {
  return new EntryRefused(createRefusal(refusalClass, member.index, message, { fields: field === null ? [] : [field], code }));
}
