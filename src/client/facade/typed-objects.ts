import type { CreateInput, ObjectName, Schema, UpdateInput } from '../../protocol/schema.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';
import { copyValues } from './copy-values.ts';
import type { RecordView, SaveReceipt, SyncEngine } from '../engine.ts';
import type { Query } from '../read/query.ts';
import type { RecordQuery, SyncedRecord } from '../read/record-query.ts';
import type { LiveValue, SubscribeOptions, Subscriptions } from './subscription.ts';
import type { UpdateOptions } from './typed-changes.ts';
import { openDraft, type Draft } from './typed-drafts.ts';
import { askHandle, openRecord, type NewerOf, type OpenOptions, type OpenRecord } from './typed-handles.ts';

/** The records of one object. Changes are made on the device, online or not, and travel by themselves. */
export interface SyncObject<S extends Schema, O extends ObjectName<S>> {
  /**
   * Creates a record. Resolves when it is durable on this device. `id` is optional: a host can bring its own.
   *
   * @throws {@link SyncFault} `VALUE_INVALID`, `FIELD_REQUIRED`, `RECORD_EXISTS` and others, before anything is queued.
   */
  create(values: CreateInput<S, O>): Promise<SaveReceipt>;
  /**
   * Changes the given fields of a record. Resolves when that is durable on this device; `entry` is `null` when nothing really changed.
   * `null` takes a value away, a field left out (or `undefined`) stays.
   *
   * @throws {@link SyncFault} `RECORD_MISSING`, `RECORD_LOCKED`, `VALUE_INVALID`, `FIELD_SERVER_OWNED` and others, before anything is
   * queued.
   */
  update(id: string, values: UpdateInput<S, O>, options?: UpdateOptions<S, O>): Promise<SaveReceipt>;
  /**
   * Deletes a record, with the members of its group that hang on it. Resolves when that is durable on this device.
   *
   * @throws {@link SyncFault} `RECORD_MISSING`, `RECORD_LOCKED`
   */
  remove(id: string): Promise<SaveReceipt>;
  /**
   * Takes a delete back that was not sent yet, with all that was deleted with it: works offline. A delete that the server refused is a
   * sync error, and its undo restores it.
   *
   * @throws {@link SyncFault} `RECORD_MISSING` where no unsent delete waits
   */
  restore(id: string): Promise<SaveReceipt>;
  /**
   * Opens a draft on a record and its group, or on a record that it creates: edits that are saved together when all are done (rule A12).
   *
   * @throws {@link SyncFault} `RECORD_MISSING`, `RECORD_LOCKED`
   */
  draft(id?: string): Promise<Draft<S, O>>;
  /**
   * Opens a record that a person is going to look at or to edit (rule A36): it stays as it is under their eyes, whatever others do to it,
   * until it is closed.
   *
   * @throws {@link SyncFault} `RECORD_MISSING`; with `mode: 'edit'` also `RECORD_LOCKED` and `RECORD_CHANGED_ELSEWHERE`
   */
  open(id: string, options?: OpenOptions): Promise<OpenRecord<S, O>>;
  /**
   * Reads what is online of a record and waits until it may be merged, such as what a save was refused for with
   * `RECORD_CHANGED_ELSEWHERE`; `null` when nothing waits. Works offline.
   */
  newer(id: string): Promise<NewerOf<S, O> | null>;
  /** Reads a record on this device, by its id or the server's Record ID; `null` when there is none. */
  get(id: string): Promise<SyncedRecord<S, O> | null>;
  /** Asks the server for a record with its group and merges it. Needs the network; `null` when it does not exist or may not be seen. */
  fetch(id: string): Promise<SyncedRecord<S, O> | null>;
  /** Selects records on this device: read them once with `get`, follow them with `subscribe`. */
  query(query?: RecordQuery<S, O>): LiveValue<readonly SyncedRecord<S, O>[]>;
  /** Calls the listener with a record now and after each change of it; with `null` while there is none. */
  watch(id: string, listener: (record: SyncedRecord<S, O> | null) => void, options?: SubscribeOptions): Unsubscribe;
}

/** Makes what a client offers of one object. */
export function createSyncObject<S extends Schema, O extends ObjectName<S>>(
  schema: S,
  object: O,
  engine: SyncEngine,
  subscriptions: Subscriptions,
): SyncObject<S, O> {
  const fields = Object.keys(schema.objects[object]!.fields);
  const toRecord = (view: RecordView) => toSyncedRecord<S, O>(fields, view);
  const toRecordOrNull = (view: RecordView | null) => view && toRecord(view);
  return {
    create(input) {
      const { id, ...values } = copyValues(input);
      return engine.create(object, values, id as string | undefined);
    },
    update: (id, values, { seen } = {}) => engine.update(object, id, copyValues(values), seen && copyValues(seen)),
    remove: (id) => engine.remove(object, id),
    restore: (id) => engine.restore(object, id),
    draft: (id) => openDraft(engine, object, id ?? null),
    open: (id, { mode = 'view' } = {}) => openRecord(engine, subscriptions, toRecord, (hear) => engine.watchHandle(object, id, mode, hear)),
    async newer(id) {
      const found = await askHandle(engine, { kind: 'newer', object, id });
      return found && { ...found, record: toRecordOrNull(found.record) };
    },
    get: async (id) => toRecordOrNull(await engine.get(object, id)),
    fetch: async (id) => toRecordOrNull(await engine.fetch(object, id)),
    query(input) {
      const query = { ...copyValues(input ?? {}), object } as Query;
      return {
        get: async () => (await engine.query(query)).map(toRecord),
        subscribe: (listener, options) =>
          subscriptions.open<readonly RecordView[]>((hear) => engine.watchQuery(query, hear), (views) => listener(views.map(toRecord)), options),
      };
    },
    watch: (id, listener, options) =>
      subscriptions.open<RecordView | null>((hear) => engine.watchRecord(object, id, hear), (view) => listener(toRecordOrNull(view)), options),
  };
}

function toSyncedRecord<S extends Schema, O extends ObjectName<S>>(fields: readonly string[], { id, values, syncState }: RecordView): SyncedRecord<S, O> {
  const record = Object.fromEntries(fields.map((field) => [field, values[field] ?? null]));
  return { id, syncState, ...record } as unknown as SyncedRecord<S, O>;
}
