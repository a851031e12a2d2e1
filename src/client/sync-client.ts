/// <reference lib="esnext.disposable" preserve="true" />
import type { CreateInput, ObjectName, Schema, UpdateInput } from '../protocol/schema.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import { untilAborted, type WaitOptions } from './abortable.ts';
import { copyValues } from './copy-values.ts';
import type {
  DownloadReceipt,
  EntryOutcome,
  JournalEntry,
  Lifecycle,
  RecordView,
  SaveReceipt,
  SyncEngine,
  SyncError,
  SyncEvent,
  SyncStatus,
  UndoReceipt,
} from './engine.ts';
import type { Query } from './query.ts';
import type { RecordQuery, SyncedRecord } from './record-query.ts';
import type { RuntimeEvent, RuntimeReport } from './runtime.ts';
import { createSubscriptions, type SubscribeOptions, type Subscriptions } from './subscription.ts';

/** Something that can be read now, or followed. */
export interface LiveValue<T> {
  /** Reads it once. */
  get(): Promise<T>;
  /** Calls the listener with it now and after each change, until the returned function is called. */
  subscribe(listener: (value: T) => void, options?: SubscribeOptions): Unsubscribe;
}

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
   * @throws {@link SyncFault} `RECORD_MISSING`, `VALUE_INVALID`, `FIELD_SERVER_OWNED` and others, before anything is queued.
   */
  update(id: string, values: UpdateInput<S, O>): Promise<SaveReceipt>;
  /** Deletes a record. Resolves when that is durable on this device. @throws {@link SyncFault} `RECORD_MISSING` */
  remove(id: string): Promise<SaveReceipt>;
  /** Reads a record on this device, by its id or the server's Record ID; `null` when there is none. */
  get(id: string): Promise<SyncedRecord<S, O> | null>;
  /** Asks the server for a record with its group and merges it. Needs the network; `null` when it does not exist or may not be seen. */
  fetch(id: string): Promise<SyncedRecord<S, O> | null>;
  /** Selects records on this device: read them once with `get`, follow them with `subscribe`. */
  query(query?: RecordQuery<S, O>): LiveValue<readonly SyncedRecord<S, O>[]>;
  /** Calls the listener with a record now and after each change of it; with `null` while there is none. */
  watch(id: string, listener: (record: SyncedRecord<S, O> | null) => void, options?: SubscribeOptions): Unsubscribe;
}

/** Changes that the server refused. They are data: durable, and kept until the user decides. */
export interface SyncErrors {
  /** Reads all of them, the oldest save first. */
  list(): Promise<readonly SyncError[]>;
  /** Calls the listener with all of them now and after each change. */
  subscribe(listener: (errors: readonly SyncError[]) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Takes a refused change back, with everything that depends on it; the record becomes what it is online.
   *
   * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`, `SYNC_ERROR_ACTION_UNAVAILABLE`
   */
  undo(syncError: number): Promise<UndoReceipt>;
}

/** What left the queue without being saved online: taken back, discarded, or replaced. Kept for 30 days (rule C11). */
export interface Journal {
  /** Reads all of it, by entry. */
  list(): Promise<readonly JournalEntry[]>;
  /** Reads what one entry has lost, oldest first: usually one content, or none. */
  get(entry: number): Promise<readonly JournalEntry[]>;
}

/** What can be heard of a client: what the engine did, and where it runs. */
export type ClientEvent = SyncEvent | RuntimeEvent;

/** A log of what the client does, without values: for logs, badges and debugging. */
export interface ClientEvents {
  /** Calls the listener with each event from now on, and at once with how the runtime started, until the returned function is called. */
  subscribe(listener: (event: ClientEvent) => void, options?: SubscribeOptions): Unsubscribe;
}

/** What a host holds: the records of one user on one device, kept in step with the server. */
export interface SyncClient<S extends Schema = Schema> {
  /** The objects of the schema by name. */
  readonly objects: { readonly [O in ObjectName<S>]: SyncObject<S, O> };
  /** Where the device stands: the numbers behind a status widget. */
  readonly status: LiveValue<SyncStatus>;
  /** Changes that the server refused, waiting for the user (rule B13). */
  readonly syncErrors: SyncErrors;
  /** What left the queue without being saved online (rule C11). */
  readonly journal: Journal;
  /** What the client does, as it happens. */
  readonly events: ClientEvents;
  /** Where the engine runs, known once it does. */
  readonly runtime: Promise<RuntimeReport>;
  /** Resolves when the store is open; rejects when it cannot be opened. Every call waits for it by itself. */
  readonly ready: Promise<void>;
  /** Waits until a save is settled: on the server, refused, or gone another way. `null`, the entry of a save that changed nothing, is saved. */
  outcome(entry: number | null, options?: WaitOptions): Promise<EntryOutcome>;
  /** Downloads all that the user may see and applies it at once. A download that was cut off resumes where it stopped. */
  download(options?: WaitOptions): Promise<DownloadReceipt>;
  /** Sends what waits and asks for news, now. */
  wake(): Promise<void>;
  /** Sends what can be sent and reads the feed to its end; resolves when both are done or cannot go on. For background tasks. */
  exchange(options?: WaitOptions): Promise<SyncStatus>;
  /** Says what the host knows of network and visibility. The web client follows the page's own events. */
  setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void>;
  /** Stops everything and lets go of the store; subscriptions end at once. What waits to be sent goes on with the next start. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What carries a client out. */
export interface TypedClientOptions<S extends Schema> {
  readonly schema: S;
  readonly engine: SyncEngine;
  readonly runtime: {
    readonly report: Promise<RuntimeReport>;
    readonly subscribe: (listener: (event: RuntimeEvent) => void) => Unsubscribe;
  };
  /** Runs once when the client is closed. */
  readonly onClose?: () => void;
}

/** Puts the types of a schema on an engine. It decides nothing: checks and rules are the engine's. */
export function createTypedClient<S extends Schema>({ schema, engine, runtime, onClose }: TypedClientOptions<S>): SyncClient<S> {
  const subscriptions = createSubscriptions();
  let closing: Promise<void> | null = null;

  const close = () => {
    if (closing === null) {
      subscriptions.close();
      onClose?.();
      closing = engine.close();
    }
    return closing;
  };

  const client: Omit<SyncClient<S>, typeof Symbol.asyncDispose> = {
    objects: Object.fromEntries(
      Object.keys(schema.objects).map((name) => [name, createSyncObject(schema, name, engine, subscriptions)]),
    ) as SyncClient<S>['objects'],
    status: {
      get: () => engine.status(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchStatus(hear), listener, options),
    },
    syncErrors: {
      list: () => engine.listSyncErrors(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchSyncErrors(hear), listener, options),
      undo: (syncError) => engine.undo(syncError),
    },
    journal: { list: () => engine.readJournal(), get: (entry) => engine.readJournal(entry) },
    events: { subscribe: (listener, options) => subscribeToEvents(subscriptions, engine, runtime, listener, options) },
    runtime: runtime.report,
    ready: engine.ready,
    outcome: (entry, options) => (entry === null ? Promise.resolve({ kind: 'saved' }) : untilAborted(() => engine.outcome(entry), options)),
    download: (options) => untilAborted(() => engine.download(), options),
    wake: () => engine.wake(),
    exchange: (options) => untilAborted(() => engine.exchange(), options),
    setLifecycle: (lifecycle) => engine.setLifecycle({ ...lifecycle }),
    close,
  };
  return withAsyncDispose(client, close);
}

function createSyncObject<S extends Schema, O extends ObjectName<S>>(
  schema: S,
  object: O,
  engine: SyncEngine,
  subscriptions: Subscriptions,
): SyncObject<S, O> {
  const fields = Object.keys(schema.objects[object]!.fields);
  const toRecord = (view: RecordView) => toSyncedRecord<S, O>(fields, view);
  const toRecordOrNull = (view: RecordView | null) => (view === null ? null : toRecord(view));
  return {
    create(input) {
      const { id, ...values } = copyValues(input);
      return engine.create(object, values, id as string | undefined);
    },
    update: (id, values) => engine.update(object, id, copyValues(values)),
    remove: (id) => engine.remove(object, id),
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

function subscribeToEvents(
  subscriptions: Subscriptions,
  engine: SyncEngine,
  runtime: TypedClientOptions<Schema>['runtime'],
  listener: (event: ClientEvent) => void,
  options: SubscribeOptions | undefined,
): Unsubscribe {
  const stops = [
    subscriptions.open<RuntimeEvent>((hear) => Promise.resolve(runtime.subscribe(hear)), listener, options),
    subscriptions.open<SyncEvent>((hear) => engine.watchEvents(hear), listener, options),
  ];
  return () => stops.forEach((stop) => stop());
}

function withAsyncDispose<T extends object>(client: T, close: () => Promise<void>): T & { [Symbol.asyncDispose](): Promise<void> } {
  // Older platforms have no such symbol; `await using` compiled for them brings its own.
  return Object.assign(client, Symbol.asyncDispose ? { [Symbol.asyncDispose]: close } : {}) as T & { [Symbol.asyncDispose](): Promise<void> };
}
