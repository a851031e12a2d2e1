import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import { parseUploadAnswer } from '../../../src/protocol/parse.ts';
import { layoutsOf } from '../../../src/protocol/layout.ts';
import { decodeRow } from '../../../src/protocol/row.ts';
import type { Schema } from '../../../src/schema.ts';
import type { RecordWrite } from '../../../src/server/store/server-store.ts';
import type { CommittedTransaction } from '../recorded-store.ts';

/** The columns of the model's table. */
export interface ModelCounts {
  edits: number;
  conflicts: number;
  selfConflicts: number;
  silentOverwrites: number;
  duplicateCreates: number;
}

interface OnlineField {
  readonly value: unknown;
  /** The device that wrote it; `null` for the back office. */
  readonly by: string | null;
}

interface OnlineRecord {
  readonly object: string;
  readonly isDeleted: boolean;
  readonly fields: Readonly<Record<string, OnlineField>>;
}

/** Watches the server's commits, and counts what should not happen. */
export class ModelObserver {
  readonly counts: ModelCounts = { edits: 0, conflicts: 0, selfConflicts: 0, silentOverwrites: 0, duplicateCreates: 0 };
  readonly #schema: Schema;
  readonly #layouts: ReturnType<typeof layoutsOf>;
  readonly #deviceOf: (store: string) => string | null;
  readonly #online = new Map<string, OnlineRecord>();
  /** Every value that a device ever showed, by device. */
  readonly #shown = new Map<string, Set<unknown>>();
  /** Where each value that is entered once was created. */
  readonly #names = new Map<unknown, string>();

  constructor(schema: Schema, deviceOf: (store: string) => string | null) {
    this.#schema = schema;
    this.#layouts = layoutsOf(schema);
    this.#deviceOf = deviceOf;
  }

  /** The records online, by key. */
  get online(): ReadonlyMap<string, OnlineRecord> {
    return this.#online;
  }

  /** A device shows values, or its user entered them. */
  show(device: string, values: Readonly<Record<string, unknown>>): void {
    const shown = this.#shown.get(device) ?? new Set();
    this.#shown.set(device, shown);
    for (const value of Object.values(values)) shown.add(value);
  }

  readonly commit = ({ records, receipts }: CommittedTransaction): void => {
    const store = receipts[0]?.key.store ?? null;
    const device = store === null ? null : this.#deviceOf(store);
    for (const { receipt } of receipts) this.#countRefusals(receipt.result, device);
    const isCopy = records.some((record) => (this.#read(record).copyOf ?? null) !== null);
    for (const record of records) this.#take(record, device, isCopy);
  };

  #read({ object, row }: RecordWrite): Readonly<Record<string, unknown>> {
    return decodeRow(this.#layouts.get(object)!, row);
  }

  #countRefusals(receipt: Uint8Array, device: string | null): void {
    const stored = decodeEnvelope(receipt);
    for (const result of parseUploadAnswer(stored).results) {
      if (result.outcome !== 'refused' || result.refusal.class !== 'conflict') continue;
      this.counts.conflicts++;
      // A receipt keeps the entry's records beside the result.
      const [object, id] = (stored as { readonly members: readonly (readonly [string, string])[] }).members[result.refusal.member]!;
      const online = this.#online.get(`${object}/${id}`);
      if (result.refusal.fields.some((field) => online?.fields[field]?.by === device)) this.counts.selfConflicts++;
    }
  }

  #take(record: RecordWrite, device: string | null, isCopy: boolean): void {
    const { object, id, isDeleted } = record;
    const key = `${object}/${id}`;
    const definition = this.#schema.objects[object]!;
    const values = this.#read(record);
    const before = this.#online.get(key);
    const fields: Record<string, OnlineField> = {};
    for (const [name, value] of Object.entries(values)) {
      const was = before?.fields[name];
      const isSame = was !== undefined && was.value === value;
      fields[name] = isSame ? was : { value, by: device };
      const isReplaced = before !== undefined && !before.isDeleted && !isSame && was!.value !== null && definition.fields[name]!.owner === 'device';
      if (isReplaced && definition.mode !== 'override' && device !== null && was!.by !== device && !this.#shown.get(device)!.has(was!.value)) this.counts.silentOverwrites++;
    }
    if (before === undefined && values.name !== null && !isCopy) {
      if (this.#names.has(values.name)) this.counts.duplicateCreates++;
      this.#names.set(values.name, key);
    }
    this.#online.set(key, { object, isDeleted, fields });
  }
}
