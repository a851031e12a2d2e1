import { decodeValue, isInMask, readField } from '../protocol/row.ts';
import type { Schema } from '../protocol/schema.ts';
import { compareVersions } from '../protocol/version.ts';
import { SyncFault } from '../shared/fault.ts';
import type { EngineContext } from './engine-context.ts';
import type { SyncError, SyncErrorField } from './engine.ts';
import { keysOf, type QueueEntry } from './queue-entry.ts';
import { keyOf } from './record-key.ts';
import { valueIn, type HeldImage, type Member } from './rows.ts';
import { Settlement } from './settle.ts';
import { encodeJournalRow, orderedKey, STATE } from './stored.ts';
import { findDependants } from './upload-plan.ts';
import type { LocalStore } from './local-store.ts';

/** Refused changes as data for the user, oldest first (rule B13). */
export function listSyncErrors({ store, schema }: Pick<EngineContext, 'store' | 'schema'>): SyncError[] {
  const errors: SyncError[] = [];
  for (const entry of store.entries) if (entry.state === 'failed') errors.push(describe(entry, store, schema));
  return errors;
}

/**
 * Takes a refused change back, with everything that waits behind it; contents go to the journal in the same commit (rules B13, C11).
 * Answers what was taken back, the refused entry first.
 *
 * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`
 */
export async function undoSyncError({ store, schema, rules, clock, emit }: EngineContext, syncError: number): Promise<QueueEntry[]> {
  const entry = store.entry(syncError);
  if (entry?.state !== 'failed') {
    throw new SyncFault('SYNC_ERROR_UNKNOWN', `there is no sync error ${syncError}`, { details: { syncError } });
  }
  const dependants = findDependants(entry, store.entries, schema);
  const all = [entry, ...dependants];
  const settlement = new Settlement(store, rules, await store.readBases(all.flatMap(keysOf)));
  settlement.undo(entry, dependants);
  for (const taken of all) settlement.step.putState.push({ key: orderedKey(STATE.journal, taken.seq), bytes: encodeJournalRow(taken, clock.now()) });
  await store.commit(settlement.step, 'strict');
  emit({ type: 'sync-error:resolved', syncError, action: isDelete(entry) ? 'undelete' : 'undo' });
  return all;
}

function describe(entry: QueueEntry, store: LocalStore, schema: Schema): SyncError {
  const refusal = entry.refusal!;
  const member = entry.members[refusal.member] ?? entry.members[0]!;
  const online = newest(refusal.online, store.side(keyOf(member.object, member.id)));
  return {
    id: entry.seq,
    class: refusal.class,
    code: refusal.code,
    message: refusal.message,
    object: member.object,
    recordId: member.id,
    op: member.op,
    fields: describeFields(member, online, refusal.fields, store),
    onlineState: online?.state ?? 'unknown',
    savedAt: entry.savedAt,
    refusedAt: refusal.refusedAt,
    dependants: findDependants(entry, store.entries, schema).map(({ seq }) => seq),
    actions: [isDelete(entry) ? 'undelete' : 'undo'],
  };
}

function describeFields(member: Member, online: HeldImage | null, conflicts: readonly string[], store: LocalStore): SyncErrorField[] {
  const onlineRow = store.rowOf(online, member.object);
  const layout = store.layout(member.object);
  return member.layout.fields.flatMap(({ name, type }, position) => {
    const isTouched = member.mask === null ? member.op === 'create' : isInMask(member.mask, position);
    const previous = valueIn(member, 'previous', position);
    const mine = valueIn(member, 'next', position);
    if (!isTouched && !conflicts.includes(name)) return [];
    const field: SyncErrorField = {
      field: name,
      previous: previous === undefined ? null : decodeValue(type, previous),
      mine: mine === undefined ? null : decodeValue(type, mine),
      online: readField(layout, onlineRow, name),
      isCause: conflicts.includes(name),
    };
    // A create or delete touches every field; those that hold nothing anywhere tell the user nothing.
    return member.op !== 'update' && field.previous === null && field.mine === null && field.online === null ? [] : [field];
  });
}

function newest(left: HeldImage | null, right: HeldImage | null): HeldImage | null {
  if (left === null || right === null) return left ?? right;
  return compareVersions(right.version, left.version) > 0 ? right : left;
}

function isDelete(entry: QueueEntry): boolean {
  return entry.members.every(({ op }) => op === 'remove');
}
