import type { RefusalClass } from '../../protocol/messages.ts';
import { decodeValue, splitRow, type FieldMask } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { keyOf, type Key } from '../store/record-key.ts';
import { touchedPositions, type HeldImage, type Member } from '../store/rows.ts';

/** Why an entry came back, kept with it until the user decides. */
export interface StoredRefusal {
  readonly class: RefusalClass;
  readonly code: string;
  readonly message: string;
  readonly member: number;
  readonly fields: readonly string[];
  /** The record as it was online when the entry was refused; `null` when the user may not see it. */
  readonly online: HeldImage | null;
  readonly refusedAt: number;
  /** The device itself gave up: the server has decided nothing on the entry's number yet. */
  readonly isOwn?: true;
  /** The server has saved the entry's other fields: what is left of it was refused (`keepCleanFields`). */
  readonly isRemainder?: true;
}

/** The record that leads a group which an entry touches, at the version that the user saw; 0, 0 when the entry creates it (rule A15). */
export interface EntryHeader {
  readonly object: string;
  readonly id: string;
  readonly base: RecordVersion;
}

/**
 * One saved transaction on its way up. `queued` → `sending` (numbered and frozen; its fate is unknown until an answer is read) →
 * settled and gone, or `failed`, which is what a sync error is made of.
 */
export interface QueueEntry {
  /** Place in the order of saves, and the entry's name on this device. */
  readonly seq: number;
  readonly state: 'queued' | 'sending' | 'failed';
  /** Upload number; `null` until the first send (rule C2). */
  readonly number: number | null;
  readonly savedAt: number;
  readonly members: readonly Member[];
  /** Who leads the groups of the members, in key order; none outside groups. */
  readonly headers: readonly EntryHeader[];
  /** The submitted record that this entry is a copy of (rule A23). */
  readonly duplicateOf: { readonly object: string; readonly id: string } | null;
  /** How often the server asked to try later, and since when (rule A17, poison entries). */
  readonly deferrals: number;
  readonly deferredSince: number | null;
  readonly refusal: StoredRefusal | null;
  /** Of a copy (rule A23): the entries whose content it has, itself included, and records with changes that it does not have. */
  readonly copied?: { readonly entries: readonly number[]; readonly left: readonly { readonly object: string; readonly id: string }[] };
  /** The edit that waited when the user deleted the record: it comes back if the delete is taken back (rule C8). */
  readonly absorbed?: { readonly mask: FieldMask; readonly next: Uint8Array };
}

/** A refusal that the device itself decides on. */
export function ownRefusal(reason: RefusalClass, message: string, refusedAt: number): StoredRefusal {
  return { class: reason, code: reason, message, member: 0, fields: [], online: null, refusedAt, isOwn: true };
}

/** The device gave up on it, under a number on which the server may still decide. */
export function isUndecided({ number, refusal }: QueueEntry): boolean {
  return number !== null && refusal?.isOwn === true && refusal.class !== 'fate-unknown';
}

/** The records that an entry changes. */
export function keysOf(entry: QueueEntry): Key[] {
  return entry.members.map(({ object, id }) => keyOf(object, id));
}

/** The records for whose sake entries wait for each other: those that an entry changes, and the headers of their groups (rule C9). */
export function laneKeysOf(entry: QueueEntry): Key[] {
  return [...new Set([...keysOf(entry), ...entry.headers.map(({ object, id }) => keyOf(object, id))])];
}

/** The records that an entry creates. */
export function createdBy(entry: Pick<QueueEntry, 'members'>): Key[] {
  return entry.members.filter(({ op }) => op === 'create').map(({ object, id }) => keyOf(object, id));
}

/** The records that an entry's new values refer to. */
export function referencesOf(entry: Pick<QueueEntry, 'members'>, schema: Schema): Key[] {
  return entry.members.flatMap((member) => referencesOfMember(member, schema));
}

function referencesOfMember(member: Member, schema: Schema): Key[] {
  if (member.next === null) return [];
  const fields = schema.objects[member.object]?.fields;
  const values = splitRow(member.next);
  return touchedPositions(member).flatMap((position, index) => {
    const { name, type } = member.layout.fields[position]!;
    const target = fields?.[name]?.target;
    const id = type === 'reference' ? decodeValue(type, values[index]!) : null;
    return target !== undefined && typeof id === 'string' ? [keyOf(target, id)] : [];
  });
}
