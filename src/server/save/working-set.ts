import { decodeValue, splitRow } from '../../protocol/row.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { RowArchive } from '../row-archive.ts';
import type { ServerRules } from '../server-rules.ts';
import type { ServerObject, ServerSchema } from '../server-schema.ts';
import { compareIds, compareKeys, isStorableId, keyText, type RecordKey, type RecordWrite, type StoredRecord, type StoreTransaction } from '../store/server-store.ts';

/** A record in the course of a save. Rows are in the schema's layout. */
export interface WorkingRecord extends RecordKey {
  readonly type: ServerObject;
  /** As the store has it; `null` when it was never saved. */
  readonly stored: StoredRecord | null;
  /** Its row before this save; of a deleted record the last one. */
  readonly before: Uint8Array | null;
  /** Its row as it will be; of a record to be deleted the last one. */
  readonly row: Uint8Array | null;
  readonly isLive: boolean;
}

/**
 * The records that a save has touched so far. Everything is written at the end in one go, so a record gets one version however many
 * steps and hooks changed it.
 */
export class WorkingSet {
  readonly #transaction: StoreTransaction;
  readonly #schema: ServerSchema;
  readonly #archive: RowArchive;
  readonly #records = new Map<string, WorkingRecord>();

  constructor(transaction: StoreTransaction, schema: ServerSchema, archive: RowArchive) {
    this.#transaction = transaction;
    this.#schema = schema;
    this.#archive = archive;
  }

  /** Locks records and takes them in, together with their masters at all levels. Those to be created have none stored. */
  async lock(keys: readonly RecordKey[], created: readonly RecordKey[] = []): Promise<void> {
    const wanted = new Map<string, RecordKey>();
    // Found first and locked after, all in one order: two saves that meet can then wait for each other, but not both at once.
    const add = (key: RecordKey): boolean => {
      if (!isStorableId(key.id) || wanted.has(keyText(key)) || this.#records.has(keyText(key))) return false;
      wanted.set(keyText(key), key);
      return true;
    };
    created.forEach(add);
    for (let level = keys; level.length > 0; ) {
      const below = level.filter(add).filter(({ object }) => this.#typeOf(object).parent !== null);
      level = below.length === 0 ? [] : await this.#mastersOf(below);
    }
    const sorted = [...wanted.values()].sort(compareKeys);
    const locked = new Map((await this.#transaction.lockRecords(sorted)).map((record) => [keyText(record), record]));
    for (const key of sorted) await this.#take(key, locked.get(keyText(key)) ?? null);
  }

  async #mastersOf(keys: readonly RecordKey[]): Promise<RecordKey[]> {
    const records = await this.#transaction.getRecords(keys);
    return records.flatMap(({ object, parentId }) => (parentId === null ? [] : [{ object: this.#typeOf(object).parent!.target, id: parentId }]));
  }

  async #take(key: RecordKey, stored: StoredRecord | null): Promise<WorkingRecord> {
    const type = this.#typeOf(key.object);
    const row = stored === null ? null : await this.#archive.read(this.#transaction, type, stored);
    const record = { object: key.object, id: key.id, type, stored, before: row, row, isLive: stored !== null && !stored.isDeleted };
    this.#records.set(keyText(key), record);
    return record;
  }

  /** The record as it is now in this save; one that was never saved has no row. */
  async get(key: RecordKey): Promise<WorkingRecord> {
    const known = this.#records.get(keyText(key));
    if (known !== undefined) return known;
    if (!isStorableId(key.id)) return { ...key, type: this.#typeOf(key.object), stored: null, before: null, row: null, isLive: false };
    await this.lock([key]);
    return this.#records.get(keyText(key))!;
  }

  /** Changes a record that was taken in. */
  put(record: WorkingRecord, change: { readonly row?: Uint8Array; readonly isLive: boolean }): WorkingRecord {
    const changed = { ...record, ...change };
    this.#records.set(keyText(record), changed);
    return changed;
  }

  /** Live children of a record as they are now in this save, in id order. */
  async children(object: string, parentId: string): Promise<WorkingRecord[]> {
    if (!isStorableId(parentId)) return [];
    const found = new Map<string, WorkingRecord>();
    for (const stored of await this.#transaction.listChildren(object, parentId)) {
      found.set(stored.id, this.#records.get(keyText(stored)) ?? (await this.#peek(stored)));
    }
    for (const record of this.#records.values()) if (record.object === object) found.set(record.id, record);
    return [...found.values()]
      .filter((record) => record.isLive && parentOf(record) === parentId)
      .sort((left, right) => compareIds(left.id, right.id));
  }

  async #peek(stored: StoredRecord): Promise<WorkingRecord> {
    const type = this.#typeOf(stored.object);
    const row = await this.#archive.read(this.#transaction, type, stored);
    return { object: stored.object, id: stored.id, type, stored, before: row, row, isLive: !stored.isDeleted };
  }

  /** The records that differ from what is stored. */
  changed(): WorkingRecord[] {
    return [...this.#records.values()].filter(isChanged);
  }

  /** Writes what changed, each record at its next version; returns the versions by key. */
  async flush(epoch: number, rules: ServerRules): Promise<ReadonlyMap<string, RecordVersion>> {
    const writes: RecordWrite[] = [];
    for (const record of this.changed()) {
      const { layout, row } = await this.#archive.write(this.#transaction, record.type, record.row!, record.stored);
      const { object, id, isLive, type } = record;
      const parentId = parentOf(record);
      // Devices' references were checked: this one is a hook's. A store may not be able to keep it.
      if (parentId !== null && !isStorableId(parentId)) throw new SyncFault('ID_INVALID', `a ${object} is to hang on an id that cannot be stored`);
      const recordId = type.recordIdField === null ? null : textAt(record.row!, type, type.recordIdField);
      writes.push({ object, id, version: rules.nextVersion(record.stored, epoch), isDeleted: !isLive, layout, row, parentId, recordId });
    }
    await this.#transaction.putRecords(writes);
    return new Map(writes.map((write) => [keyText(write), write.version]));
  }

  #typeOf(object: string): ServerObject {
    return this.#schema.objects.get(object)!;
  }
}

/** Says whether a save changed a record. */
export function isChanged({ stored, before, row, isLive }: WorkingRecord): boolean {
  if (row === null) return false;
  // One that was created and deleted in the same save too: its device is owed an image of it.
  if (stored === null || before === null) return true;
  return isLive === stored.isDeleted || !bytesEqual(before, row);
}

/** The id of a record's master. */
export function parentOf({ type, row }: WorkingRecord): string | null {
  return type.parent === null || row === null ? null : textAt(row, type, type.parent.position);
}

/** The id of the master that a record had before this save. */
export function parentBefore({ type, before }: WorkingRecord): string | null {
  return type.parent === null || before === null ? null : textAt(before, type, type.parent.position);
}

function textAt(row: Uint8Array, type: ServerObject, position: number): string | null {
  return decodeValue(type.layout.fields[position]!.type, splitRow(row)[position]!) as string | null;
}
