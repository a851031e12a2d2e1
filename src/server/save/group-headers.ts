import { decodeValue, maskPositions, splitRow } from '../../protocol/row.ts';
import type { WireHeader } from '../../protocol/messages.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import type { ParentField } from '../server-schema.ts';
import { keyText, type RecordKey } from '../store/server-store.ts';
import type { EntryMember } from './entry-member.ts';
import { parentOf, type WorkingRecord, type WorkingSet } from './working-set.ts';

/** The record that leads a group which an entry touches, as the server finds it (rule A15). */
export interface TouchedHeader {
  /** As it is locked; never saved when the entry itself creates it. */
  readonly record: WorkingRecord;
  /** The first member that touches the group. */
  readonly member: EntryMember;
  /** Its place among the headers that the device named; `null` when it named another, or none. */
  readonly named: number | null;
  /** The version that the user saw; `null` when the device did not name the header: what it says of others is not trusted. */
  readonly base: RecordVersion | null;
  /** Whether this user may see it, and all that is between it and the member. */
  readonly isSeen: boolean;
}

const NONE: ReadonlyMap<string, EntryMember> = new Map();

/**
 * Finds the headers of all groups that an entry touches: those its records are in online, and those they will be in. They are found
 * from what is stored and from the entry's own changes; the device only adds the version that the user saw. A member that `mayBeSeen` does
 * not let the user see is passed over: it is refused for itself, and where it is does not come out.
 */
export async function findHeaders(
  working: WorkingSet,
  members: readonly EntryMember[],
  named: readonly WireHeader[],
  mayBeSeen: (record: WorkingRecord) => boolean,
): Promise<TouchedHeader[]> {
  const own = new Map(members.map((member) => [keyText(member), member]));
  const found = new Map<string, TouchedHeader>();
  for (const member of members) {
    if (member.type.header === null || !mayBeSeen(await working.get(member))) continue;
    for (const changes of [NONE, own]) {
      const above = await headerAbove(working, member, changes, mayBeSeen);
      if (above === null || found.get(keyText(above.key))?.isSeen || (found.has(keyText(above.key)) && !above.isSeen)) continue;
      const { key, isSeen } = above;
      const at = named.findIndex((header) => keyText(header) === keyText(key));
      const base: RecordVersion | null = at < 0 ? null : [named[at]!.epoch, named[at]!.n];
      found.set(keyText(key), { record: await working.get(key), member, named: at < 0 ? null : at, base, isSeen });
    }
  }
  return [...found.values()];
}

/** The header above a record; `null` where the way up ends before it. What the entry does to the parent fields on the way counts. */
async function headerAbove(
  working: WorkingSet,
  start: RecordKey,
  own: ReadonlyMap<string, EntryMember>,
  mayBeSeen: (record: WorkingRecord) => boolean,
): Promise<{ readonly key: RecordKey; readonly isSeen: boolean } | null> {
  let isSeen = true;
  for (let key = start; ; ) {
    const record = await working.get(key);
    isSeen &&= mayBeSeen(record);
    const { parent } = record.type;
    if (parent === null || !parent.isGroup) return { key: { object: key.object, id: key.id }, isSeen };
    const member = own.get(keyText(key));
    const given = member === undefined ? undefined : newParentOf(member, parent);
    const id = given === undefined ? parentOf(record) : given;
    if (id === null) return null;
    key = { object: parent.target, id };
  }
}

/** The parent that a member gives its record; `undefined` when it leaves it as it is. */
function newParentOf(member: EntryMember, parent: ParentField): string | null | undefined {
  if (member.op === 'remove') return undefined;
  const slot = member.op === 'create' ? parent.position : maskPositions(member.edit.mask).indexOf(parent.position);
  if (slot < 0) return undefined;
  return decodeValue('reference', splitRow(member.op === 'create' ? member.row : member.edit.next)[slot]!) as string | null;
}

/** Says whether a member would change a record in a group of which something above it was deleted online; not when it moves it away. */
export async function isGroupGone(working: WorkingSet, member: EntryMember): Promise<boolean> {
  const { parent } = member.type;
  return parent !== null && newParentOf(member, parent) === undefined && (await isBelowDeleted(working, member));
}

/** Says whether something above a record in its group was deleted online. */
export async function isBelowDeleted(working: WorkingSet, key: RecordKey): Promise<boolean> {
  for (let record = await working.get(key); record.type.parent?.isGroup === true; ) {
    const id = parentOf(record);
    if (id === null) return false;
    record = await working.get({ object: record.type.parent.target, id });
    if (!record.isLive) return record.stored?.isDeleted === true;
  }
  return false;
}
