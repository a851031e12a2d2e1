import { decodeValue, isInMask, readField } from '../../protocol/row.ts';
import { compareVersions } from '../../protocol/version.ts';
import type { EngineContext } from '../engine-context.ts';
import { undoName } from './find-sync-error.ts';
import { keysOf, type QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { valueIn, type HeldImage, type Member } from '../store/rows.ts';
import type { SyncError, SyncErrorAction, SyncErrorField, SyncErrorMember } from './sync-error.ts';
import { findDependants } from '../network/upload-plan.ts';
import type { LocalStore } from '../store/local-store.ts';

/** What can be done about each class of refusal, beside taking it back and handing it out. */
const ACTIONS: Readonly<Record<SyncError['class'], readonly SyncErrorAction[]>> = {
  conflict: ['keepMine', 'fix'],
  'delete-vs-edit': ['keepMine'],
  'edit-vs-delete': ['recreate'],
  'duplicate-key': ['recreate'],
  validation: ['fix', 'retry'],
  permission: ['fix', 'retry'],
  'missing-reference': ['fix', 'retry'],
  metadata: ['fix', 'retry'],
  'too-large': ['fix', 'retry'],
  locked: ['retry'],
  'server-error': ['retry'],
  'fate-unknown': ['retry'],
};

/** What can be done about a refused entry. */
export function actionsOf(entry: QueueEntry): SyncErrorAction[] {
  const hasValues = entry.members.some(({ next }) => next !== null);
  const own = ACTIONS[entry.refusal!.class].filter((action) => action !== 'fix' || hasValues);
  return [undoName(entry), ...own, 'export'];
}

/** What a list of sync errors showed of each: the images online, by member. */
export type ShownOnline = Map<number, readonly (HeldImage | null)[]>;

/** Refused changes as data for the user, oldest first (rule B13). Notes in `shown` what is online of them. Must run between two commits. */
export async function listSyncErrors({ store, schema }: Pick<EngineContext, 'store' | 'schema'>, shown: ShownOnline): Promise<SyncError[]> {
  shown.clear();
  if (store.counts.failed === 0) return [];
  const failed = [...store.entries].filter(({ state }) => state === 'failed');
  const bases = await store.readBases(failed.flatMap(keysOf));
  return failed.map((entry): SyncError => {
    const { class: reason, code, message, fields, member, refusedAt } = entry.refusal!;
    const online = entry.members.map((_, index) => onlineOf(entry, index, store, bases));
    shown.set(entry.seq, online);
    const members = entry.members.map((one, index) => describe(one, online[index]!, index === member ? fields : [], store));
    const dependants = findDependants(entry, store.entries, schema).map(({ seq, members: [first] }) => ({ entry: seq, object: first!.object, id: first!.id }));
    return { ...(members[member] ?? members[0]!), id: entry.seq, class: reason, code, message, members, savedAt: entry.savedAt, refusedAt, dependants, actions: actionsOf(entry) };
  });
}

/**
 * What is online of a member, as the list of sync errors shows it: the newest of what came with the refusal, what was kept aside since,
 * and, where the server did not mean to hide it, what this device merged last.
 */
export function onlineOf(entry: QueueEntry, index: number, store: LocalStore, bases: ReadonlyMap<Key, HeldImage>): HeldImage | null {
  const { object, id } = entry.members[index]!;
  const key = keyOf(object, id);
  const refusal = entry.refusal!;
  const isRefused = refusal.member === index;
  const known = newest(isRefused ? refusal.online : null, store.side(key));
  return isRefused && refusal.isOwn !== true ? known : newest(known, bases.get(key) ?? null);
}

function describe(member: Member, online: HeldImage | null, causes: readonly string[], store: LocalStore): SyncErrorMember {
  const { object, id, op } = member;
  return { object, recordId: id, op, fields: describeFields(member, online, causes, store), onlineState: online?.state ?? 'unknown' };
}

function describeFields(member: Member, online: HeldImage | null, causes: readonly string[], store: LocalStore): SyncErrorField[] {
  const onlineRow = store.rowOf(online, member.object);
  const layout = store.layout(member.object);
  return member.layout.fields.flatMap(({ name, type }, position) => {
    const isTouched = member.mask === null ? member.op === 'create' : isInMask(member.mask, position);
    const previous = valueIn(member, 'previous', position);
    const mine = valueIn(member, 'next', position);
    if (!isTouched && !causes.includes(name)) return [];
    const field: SyncErrorField = {
      field: name,
      previous: previous === undefined ? null : decodeValue(type, previous),
      mine: mine === undefined ? null : decodeValue(type, mine),
      online: readField(layout, onlineRow, name),
      isCause: causes.includes(name),
    };
    // A create or delete touches every field; those that hold nothing anywhere tell the user nothing.
    return member.op !== 'update' && field.previous === null && field.mine === null && field.online === null ? [] : [field];
  });
}

function newest(left: HeldImage | null, right: HeldImage | null): HeldImage | null {
  if (left === null || right === null) return left ?? right;
  return compareVersions(right.version, left.version) > 0 ? right : left;
}
