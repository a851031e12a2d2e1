import { decodeRow, decodeValue, maskPositions, splitRow } from '../../../src/protocol/row.ts';
import type { RecordVersion } from '../../../src/protocol/version.ts';
import type { QueueEntry } from '../../../src/client/queue/queue-entry.ts';
import { keyOf } from '../../../src/client/store/record-key.ts';
import type { Member } from '../../../src/client/store/rows.ts';
import type { FieldValue } from '../../../src/schema.ts';
import { schema, type ObjectName, type Values } from '../crm.ts';

/** What one field was and what the user made of it. */
export interface SavedField {
  readonly previous: FieldValue;
  readonly next: FieldValue;
}

/** One record of a save. */
export interface SavedMember {
  readonly key: string;
  readonly object: string;
  readonly id: string;
  readonly op: 'create' | 'update' | 'remove';
  /** The fields that the user changed; for a delete, those that the user saw. */
  readonly fields: ReadonlyMap<string, SavedField>;
}

/** What the server said of an upload number, or was seen to do. */
export type Decision = 'open' | 'saved' | 'partlySaved' | 'refused' | 'discarded' | 'needsDuplicate' | 'voided';

/** A save under an upload number: what the server gets to see. */
export interface Sending {
  readonly save: Save;
  readonly store: string;
  readonly number: number;
  /** As it was sent: the previous values are those of the wire, rebased perhaps. */
  readonly members: readonly SavedMember[];
  readonly headers: readonly { readonly key: string; readonly base: RecordVersion }[];
  /** The submitted record that it is a copy of. */
  readonly duplicateOf: string | null;
  decision: Decision;
  /** The server wrote it. */
  isApplied: boolean;
  /** The server once asked for it later. */
  wasDeferred: boolean;
  /** What it replaced that its user had not seen, by record: rule A22. */
  overwritten: ReadonlyMap<string, readonly string[]>;
  /** Earlier saves that waited behind a sync error when this was sent. */
  readonly overtook: ReadonlySet<Save>;
}

/** Where a save is. It is in exactly one place at any time. */
export type Place =
  /** It waits. */
  | 'queue'
  /** It is a sync error. */
  | 'failed'
  /** It is online. */
  | 'saved'
  /** The user took it back: journal. */
  | 'undone'
  /** Submitted elsewhere: journal and notice. */
  | 'discarded'
  /** Submitted elsewhere: it is part of the copy that waits, or is saved. */
  | 'duplicated'
  /** A later save took it in, or made it void. */
  | 'withdrawn'
  | 'lost-with-store';

/** A save that became durable on a device, and what became of it. */
export interface Save {
  readonly device: string;
  readonly user: string;
  /** Place in the order of its store's saves. */
  readonly seq: number;
  /** What it says now, with what its user saw at the save whatever became of that in the queue. */
  members: readonly SavedMember[];
  /** Every content that it had, the present one last: later saves can join it, and the user can correct it. */
  readonly contents: (readonly SavedMember[])[];
  /** Who leads the groups that it touches now. */
  headers: readonly string[];
  readonly duplicateOf: string | null;
  /** Fields, as `key field`, that began from what a form showed, when the device knew better already. */
  readonly fromForm: Set<string>;
  /** What the user entered in its place, having seen what is online. */
  readonly fixes: Values[];
  /** It was a draft, or is a copy with a draft in it: opened perhaps before what the device knows now. */
  wasDraft: boolean;
  /** The device was told that it is durable. */
  isAcknowledged: boolean;
  /** One for each number that it was sent under, the last one at the end. */
  readonly sendings: Sending[];
  place: Place;
}

/** Reads a new queue entry as what the user did. */
export function createSave(device: string, user: string, entry: QueueEntry): Save {
  const members = readMembers(entry);
  return {
    device,
    user,
    seq: entry.seq,
    members,
    contents: [members],
    headers: entry.headers.map(({ object, id }) => keyOf(object, id)),
    duplicateOf: entry.duplicateOf === null ? null : keyOf(entry.duplicateOf.object, entry.duplicateOf.id),
    fromForm: new Set(),
    wasDraft: false,
    fixes: [],
    isAcknowledged: false,
    sendings: [],
    place: 'queue',
  };
}

/** The number that a save was last sent under. */
export function lastSending(save: Save): Sending | null {
  return save.sendings.at(-1) ?? null;
}

/** What is decided on a save, as far as the server got to see it. */
export function decisionOn(save: Save): Decision {
  return lastSending(save)?.decision ?? 'open';
}

/** Whether the server wrote a save, under whatever number. */
export function isApplied(save: Save): boolean {
  return save.sendings.some((sending) => sending.isApplied);
}

export function keysOfSave({ members }: Save): string[] {
  return members.map(({ key }) => key);
}

/** The records for whose sake saves wait for each other (rule C9). */
export function laneKeysOfSave(save: Save): string[] {
  return [...new Set([...keysOfSave(save), ...save.headers])];
}

/** The records that a save refers to. */
export function referencesOf({ members }: Save): string[] {
  return members.flatMap(({ object, fields }) => {
    const definitions = schema.objects[object as ObjectName].fields as Readonly<Record<string, { readonly target?: string }>>;
    return [...fields].flatMap(([name, { next }]) => (definitions[name]?.target !== undefined && typeof next === 'string' ? [`${definitions[name].target}/${next}`] : []));
  });
}

/** The saves before one that wait behind a sync error. */
export function heldBackBefore(saves: Iterable<Save>, seq: number): Set<Save> {
  const keys = new Set<string>(), found = new Set<Save>();
  for (const save of saves) {
    if (save.seq >= seq) break;
    const isHeld = laneKeysOfSave(save).some((key) => keys.has(key)) || referencesOf(save).some((key) => keys.has(`+${key}`));
    if (isHeld) found.add(save);
    if (!isHeld && save.place !== 'failed') continue;
    for (const key of laneKeysOfSave(save)) keys.add(key);
    for (const { op, key } of save.members) if (op === 'create') keys.add(`+${key}`);
  }
  return found;
}

/** Reads the members of a queue entry. */
export function readMembers({ members }: QueueEntry): SavedMember[] {
  return members.map((member) => ({ key: keyOf(member.object, member.id), object: member.object, id: member.id, op: member.op, fields: readFields(member) }));
}

function readFields({ layout, mask, previous, next }: Member): Map<string, SavedField> {
  if (mask === null) return new Map(Object.entries(decodeRow(layout, next!)).map(([name, value]) => [name, { previous: null, next: value }]));
  const before = splitRow(previous!), after = next === null ? null : splitRow(next);
  return new Map(
    maskPositions(mask).map((position, slot) => {
      const { name, type } = layout.fields[position]!;
      return [name, { previous: decodeValue(type, before[slot]!), next: after === null ? null : decodeValue(type, after[slot]!) }];
    }),
  );
}

/** What a save makes of a record that the user sees. */
export function applySave(values: Values | null, save: Save, key: string): Values | null {
  return save.members.reduce((seen, member) => (member.key === key ? applyMember(seen, member) : seen), values);
}

/** What one member makes of its record. */
export function applyMember(values: Values | null, { op, fields }: SavedMember): Values | null {
  if (op === 'remove' || (op === 'update' && values === null)) return null;
  const changed: Record<string, FieldValue> = op === 'create' ? {} : { ...values };
  for (const [name, { next }] of fields) changed[name] = next;
  return changed;
}

/** Every save of a run, by the names that the server knows them under. */
export class Saves {
  readonly all: Save[] = [];
  readonly #sent = new Map<string, Sending>();

  add(save: Save): void {
    this.all.push(save);
  }

  /** Notes that a save is sent under a number; answers what else was sent under it. */
  send(save: Save, store: string, entry: QueueEntry, overtook: ReadonlySet<Save>): Sending | null {
    const name = `${store}#${entry.number!}`;
    const other = this.#sent.get(name) ?? null;
    if (other !== null) return other;
    const sending: Sending = {
      save,
      store,
      number: entry.number!,
      members: readMembers(entry),
      headers: entry.headers.map(({ object, id, base }) => ({ key: keyOf(object, id), base })),
      duplicateOf: save.duplicateOf,
      decision: 'open',
      isApplied: false,
      wasDeferred: false,
      overwritten: new Map(),
      overtook,
    };
    save.sendings.push(sending);
    this.#sent.set(name, sending);
    return null;
  }

  sentAs(store: string, number: number): Sending | null {
    return this.#sent.get(`${store}#${number}`) ?? null;
  }
}

/** Names a save in a message. */
export function describeSave({ device, seq, members }: Save): string {
  return `save ${seq} of ${device} (${describeMembers(members)})`;
}

/** Names the content of a save. */
export function describeMembers(members: readonly SavedMember[]): string {
  return members
    .map(({ op, key, fields }) => `${op} ${key}: ${[...fields].map(([name, { previous, next }]) => `${name} ${JSON.stringify(previous)}→${JSON.stringify(next)}`).join(', ')}`)
    .join('; ');
}
