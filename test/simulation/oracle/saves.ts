import { decodeRow, decodeValue, maskPositions, splitRow } from '../../../src/protocol/row.ts';
import type { QueueEntry } from '../../../src/client/queue-entry.ts';
import { keyOf } from '../../../src/client/record-key.ts';
import type { FieldValue } from '../../../src/schema.ts';
import type { Values } from '../crm.ts';

/** What one field was and what the user made of it. */
export interface SavedField {
  /** As the user saw it at the save, whatever became of it in the queue. */
  readonly previous: FieldValue;
  readonly next: FieldValue;
}

/** A save that became durable on a device, and what became of it. */
export interface Save {
  readonly device: string;
  readonly user: string;
  /** Place in the order of its store's saves. */
  readonly seq: number;
  readonly key: string;
  readonly object: string;
  readonly id: string;
  readonly op: 'create' | 'update' | 'remove';
  /** The fields that the user changed; for a delete, those that the user saw. */
  readonly fields: ReadonlyMap<string, SavedField>;
  /** The device was told that it is durable. */
  isAcknowledged: boolean;
  /** The local store and upload number that it was sent under. */
  sentAs: { readonly store: string; readonly number: number } | null;
  place: 'queue' | 'failed' | 'saved' | 'undone' | 'lost-with-store';
  /** What the server said, or was seen to do. */
  decision: 'open' | 'saved' | 'refused';
  /** The server wrote it. */
  isApplied: boolean;
  /** The server once asked for it later. */
  wasDeferred: boolean;
}

/** Reads a new queue entry as what the user did. */
export function createSave(device: string, user: string, entry: QueueEntry): Save {
  const { object, id, op } = entry.members[0]!;
  return {
    device,
    user,
    seq: entry.seq,
    key: keyOf(object, id),
    object,
    id,
    op,
    fields: readFields(entry),
    isAcknowledged: false,
    sentAs: null,
    place: 'queue',
    decision: 'open',
    isApplied: false,
    wasDeferred: false,
  };
}

function readFields({ members }: QueueEntry): Map<string, SavedField> {
  const { layout, mask, previous, next } = members[0]!;
  if (mask === null) return new Map(Object.entries(decodeRow(layout, next!)).map(([name, value]) => [name, { previous: null, next: value }]));
  const before = splitRow(previous!), after = next === null ? null : splitRow(next);
  return new Map(
    maskPositions(mask).map((position, slot) => {
      const { name, type } = layout.fields[position]!;
      return [name, { previous: decodeValue(type, before[slot]!), next: after === null ? null : decodeValue(type, after[slot]!) }];
    }),
  );
}

/** What a save makes of the record that the user sees. */
export function applySave(values: Values | null, { op, fields }: Save): Values | null {
  if (op === 'remove' || (op === 'update' && values === null)) return null;
  const changed: Record<string, FieldValue> = op === 'create' ? {} : { ...values };
  for (const [name, { next }] of fields) changed[name] = next;
  return changed;
}

/** Every save of a run, by the name that the server knows it under. */
export class Saves {
  readonly all: Save[] = [];
  readonly #sent = new Map<string, Save>();

  add(save: Save): void {
    this.all.push(save);
  }

  send(save: Save, store: string, number: number): Save | null {
    const name = `${store}#${number}`;
    const other = this.#sent.get(name) ?? null;
    if (other !== null) return other;
    save.sentAs = { store, number };
    this.#sent.set(name, save);
    return null;
  }

  sentAs(store: string, number: number): Save | null {
    return this.#sent.get(`${store}#${number}`) ?? null;
  }
}

/** Names a save in a message. */
export function describeSave({ device, seq, op, key, fields }: Save): string {
  return `save ${seq} of ${device} (${op} ${key}: ${[...fields].map(([name, { previous, next }]) => `${name} ${JSON.stringify(previous)}→${JSON.stringify(next)}`).join(', ')})`;
}
