import type { Core } from '../../core/core.ts';
import type { Principal } from '../principal.ts';
import { decodeValue, maskPositions, splitRow } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { HookRefusal } from '../save-hooks.ts';
import type { ServerRules } from '../server-rules.ts';
import type { ServerSchema } from '../server-schema.ts';
import { keyText, type RecordKey, type StoreTransaction } from '../store/server-store.ts';
import type { Visibility } from '../visibility.ts';
import { collectAffected } from './affected.ts';
import type { EntryMember } from './entry-member.ts';
import { runFormulas } from './formulas.ts';
import { decodeRecord, hookRecord, patchRow, type HookRunner } from './hook-runner.ts';
import { planMember, type CurrentRecord } from './plan-member.ts';
import { createRefusal, EntryRefused } from './refusal.ts';
import { stampRow } from './stamp-row.ts';
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
}

/** What a save did. */
export interface SavedMembers {
  /** Whether anything was written. */
  readonly hasWritten: boolean;
  /** The members, their masters at all levels, and what triggers wrote (rule A30), as they now are. */
  readonly affected: readonly SavedRecord[];
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
}

/**
 * Saves an entry's members, all or nothing, in the order of rule A25.
 *
 * @throws {@link EntryRefused}; {@link EntryDelayed} when the host's own logic fails.
 */
export async function saveMembers(save: SaveInProgress, members: readonly EntryMember[]): Promise<SavedMembers> {
  const created = members.filter(({ op }) => op === 'create');
  await save.working.lock([...members.filter(({ op }) => op !== 'create'), ...members.flatMap(newMasters)], created);
  for (const member of members) await checkAllowed(save, member);
  const writes: MemberWrite[] = [];
  for (const member of members) {
    const write = await checkValues(save, member);
    if (write !== null) writes.push(write);
  }
  for (const { member } of writes) await checkReferences(save, member);
  for (const write of writes) if (write.member.op !== 'remove') await runBeforeSave(save, write);
  for (const write of writes) if (write.member.op !== 'remove') await stamp(save, write);
  for (const write of writes) await runAfterSave(save, write);
  await runFormulas(save);
  const affected = await collectAffected(save.working, members);
  if (save.working.changed().length === 0) return { hasWritten: false, affected: withVersions(affected, new Map()) };
  const versions = await save.working.flush(await save.transaction.epoch(), save.rules);
  return { hasWritten: true, affected: withVersions(affected, versions) };
}

function withVersions(records: readonly WorkingRecord[], written: ReadonlyMap<string, RecordVersion>): SavedRecord[] {
  return records.flatMap((record) => {
    const version = written.get(keyText(record)) ?? record.stored?.version;
    return record.row === null || version === undefined ? [] : [{ ...record, row: record.row, version }];
  });
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

async function checkValues({ core, working, visibility, principal }: SaveInProgress, member: EntryMember): Promise<MemberWrite | null> {
  const current = await working.get(member);
  const plan = planMember(core, member, currentRecord(current, visibility, principal));
  if (plan.kind === 'refuse') throw new EntryRefused(plan.refusal);
  if (plan.kind === 'nothing') return null;
  working.put(current, plan.kind === 'write' ? { row: plan.row, isLive: true } : { isLive: false });
  return { member, current };
}

function currentRecord({ type, id, row, isLive }: WorkingRecord, visibility: Visibility, principal: Principal): CurrentRecord {
  if (row === null) return { state: 'none' };
  if (!visibility.isVisible(principal, type, id, row)) return { state: 'hidden' };
  return { state: isLive ? 'live' : 'deleted', row };
}

async function checkReferences({ working, visibility, principal, hasStrictReferences }: SaveInProgress, member: EntryMember): Promise<void> {
  for (const { object, id, field, isParent } of newReferences(member)) {
    if (!isParent && !hasStrictReferences) continue;
    const target = await working.get({ object, id });
    // One that the user may not see is answered as one that is not there.
    if (target.isLive && target.row !== null && visibility.isVisible(principal, target.type, id, target.row)) continue;
    throw new EntryRefused(createRefusal('missing-reference', member.index, `${member.object}.${field} names a ${object} that does not exist`, { fields: [field] }));
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
