/// <reference lib="esnext.disposable" preserve="true" />
import type { CreateInput, ObjectName, Schema, UpdateInput } from '../protocol/schema.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import { untilAborted, type WaitOptions } from './abortable.ts';
import { copyValues } from './copy-values.ts';
import type { DownloadReceipt, Lifecycle, RecordView, SaveReceipt, SyncEngine, TransactionReceipt } from './engine.ts';
import type { EntryOutcome } from './outcomes.ts';
import type {
  ExportedEntry,
  Fix,
  FixedMember,
  Resolution,
  ResolutionOutcome,
  ResolutionReceipt,
  SyncError,
  UndoReceipt,
} from './sync-error.ts';
import type { JournalEntry } from './journal.ts';
import type { Notice } from './notices.ts';
import type { SignOutOptions, Unsent, WipeOptions } from './sign-out.ts';
import type { SyncEvent } from './sync-event.ts';
import type { SyncReason } from './explain.ts';
import type { SyncStatus } from './status.ts';
import type { Query } from './query.ts';
import type { RecordQuery, SyncedRecord } from './record-query.ts';
import type { RuntimeEvent, RuntimeReport } from './runtime.ts';
import { createDrafts, openDraft, type Draft, type Drafts } from './typed-drafts.ts';
import { plainChange, type TransactionChange, type UpdateOptions } from './typed-changes.ts';
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
  /**
   * Sends a refused change again, as it is: after somebody made room for it online, or gave the permission.
   *
   * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`, `SYNC_ERROR_ACTION_UNAVAILABLE` where it is not among the error's `actions`
   */
  retry(syncError: number): Promise<ResolutionReceipt>;
  /** Sends a change in conflict again, over what is online as the sync error shows it. Throws as `retry` does. */
  keepMine(syncError: number): Promise<ResolutionReceipt>;
  /**
   * Sends other values in the place of the refused ones: of the record that was refused, or of any records of its group. What it replaces
   * goes to the journal. Later saves that wait behind it follow. Throws as `retry` does, and what `update` throws for values.
   */
  fix(syncError: number, fix: Fix): Promise<ResolutionReceipt>;
  /**
   * Saves what the user has of a record that is gone online as a new one, with all that hangs on it in its group; changes that wait and
   * refer to it follow. Throws as `retry` does.
   */
  recreate(syncError: number): Promise<ResolutionReceipt>;
  /** Hands refused changes out as plain data, for support or another system. It resolves nothing. */
  export(syncErrors?: readonly number[]): Promise<readonly ExportedEntry[]>;
  /**
   * Resolves several sync errors in one way, one after another, and answers for each what happened: what fails for one does not stop the
   * others. `undo` takes deletes back too.
   */
  resolve(syncErrors: readonly number[] | 'all', action: BulkResolution): Promise<readonly ResolutionOutcome[]>;
}

/** How several sync errors can be resolved in one call. */
export type BulkResolution = Exclude<Resolution, 'fix'>;

/** What left the queue without being saved online: taken back, discarded, or replaced. Kept for 30 days (rule C11). */
export interface Journal {
  /** Reads all of it, by entry. */
  list(): Promise<readonly JournalEntry[]>;
  /** Reads what one entry has lost, oldest first: usually one content, or none. */
  get(entry: number): Promise<readonly JournalEntry[]>;
}

/** What the user is to know and need not repair. Notices are durable, and kept for 30 days after they were acknowledged. */
export interface Notices {
  /** Reads all of them, oldest first. */
  list(): Promise<readonly Notice[]>;
  /** Calls the listener with all of them now and after each change. */
  subscribe(listener: (notices: readonly Notice[]) => void, options?: SubscribeOptions): Unsubscribe;
  /** Notes that the user has read a notice. @throws {@link SyncFault} `NOTICE_UNKNOWN` */
  acknowledge(notice: number): Promise<void>;
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
  /**
   * Saves several records of one transaction group as one (rule A15): one entry, all of it or nothing online. A record that moves may bring
   * in a second group. Resolves when it is durable on this device.
   *
   * @throws {@link SyncFault} what the single saves throw, with `change`, the place of the change in the list; `GROUP_MIXED`,
   * `CHANGE_TOO_LARGE`; nothing is queued then.
   */
  transaction(changes: readonly TransactionChange<S>[]): Promise<TransactionReceipt>;
  /** Edits that are not saved yet (rule A12). */
  readonly drafts: Drafts<S>;
  /** Where the device stands: the numbers behind a status widget. */
  readonly status: LiveValue<SyncStatus>;
  /** Changes that the server refused, waiting for the user (rule B13). */
  readonly syncErrors: SyncErrors;
  /** What the user is to know and need not repair: duplicates, dropped edits, values that were overwritten. */
  readonly notices: Notices;
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
  /**
   * Says why a record is not in step with the server yet, the reason to look at first at the front; nothing when it is. Works offline.
   */
  explain(object: ObjectName<S>, id: string): Promise<readonly SyncReason[]>;
  /** Hands out everything that the server does not have, as plain data. It changes nothing, and works offline and on a revoked device. */
  exportUnsent(): Promise<readonly ExportedEntry[]>;
  /**
   * Signs the user out of this device: stops everything and lets go of the store, which stays. Nobody else ever sees it, and what is in it
   * goes up when the same user comes back. Answers what stays unsent.
   *
   * @throws {@link SyncFault} `SIGN_OUT_UNSENT` when there is unsent work and `unsent` does not say what is to become of it, or when
   * `upload` could not send all of it; the client then stays open
   */
  signOut(options?: SignOutOptions): Promise<Unsent>;
  /**
   * Removes everything of this user from this device and closes the client. What was unsent is lost, so `exportUnsent` comes first. The
   * next client opens an empty store, with an identity of its own.
   *
   * @throws {@link SyncFault} `SIGN_OUT_UNSENT` when there is unsent work and `exported` is not `true`; storage faults: the store is then
   * as good as new, and wiping goes on with the next call
   */
  wipe(options: WipeOptions): Promise<void>;
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
    drafts: createDrafts(engine, subscriptions),
    transaction: async (changes) => engine.save(changes.map(plainChange<S>)),
    status: {
      get: () => engine.status(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchStatus(hear), listener, options),
    },
    syncErrors: {
      list: () => engine.listSyncErrors(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchSyncErrors(hear), listener, options),
      undo: (syncError) => engine.undo(syncError),
      retry: (syncError) => engine.resolve(syncError, 'retry'),
      keepMine: (syncError) => engine.resolve(syncError, 'keepMine'),
      fix: (syncError, fix) => engine.resolve(syncError, 'fix', Array.isArray(fix) ? fix.map((one: FixedMember) => ({ ...one, values: copyValues(one.values) })) : copyValues(fix)),
      recreate: (syncError) => engine.resolve(syncError, 'recreate'),
      export: async (syncErrors) => (await engine.exportEntries(syncErrors ?? 'all')).filter(({ state }) => state === 'failed'),
      resolve: (syncErrors, action) => engine.resolveAll(syncErrors, action),
    },
    notices: {
      list: () => engine.listNotices(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchNotices(hear), listener, options),
      acknowledge: (notice) => engine.acknowledgeNotice(notice),
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
    explain: (object, id) => engine.explain(object, id),
    exportUnsent: () => engine.exportEntries('all'),
    async signOut(options = {}) {
      const unsent = await engine.signOut({ ...options });
      await close();
      return unsent;
    },
    async wipe(options) {
      await engine.wipe({ ...options });
      await close();
    },
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
    update: (id, values, { seen } = {}) => engine.update(object, id, copyValues(values), seen && copyValues(seen)),
    remove: (id) => engine.remove(object, id),
    restore: (id) => engine.restore(object, id),
    draft: (id) => openDraft(engine, object, id ?? null),
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
