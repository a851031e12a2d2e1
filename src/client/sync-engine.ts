import type { DeviceCore } from '../core/core.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { createEmitter, type Unsubscribe } from '../shared/emitter.ts';
import { SyncFault } from '../shared/fault.ts';
import { createId } from '../shared/ids.ts';
import type { Random } from '../shared/random.ts';
import { createSerial } from '../shared/serial.ts';
import type { StorageAdapter, StoreOwner } from '../storage/storage-adapter.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import { Conversation } from './conversation.ts';
import { createAnswerGate } from './answer-gate.ts';
import type { EngineContext } from './engine-context.ts';
import type {
  DownloadProgress,
  DownloadReceipt,
  EntryOutcome,
  Lifecycle,
  RecordView,
  SaveReceipt,
  SyncEngine,
  SyncError,
  SyncEvent,
  SyncStatus,
  UndoReceipt,
} from './engine.ts';
import { readJournal, type JournalEntry } from './journal.ts';
import { LiveQueries } from './live-queries.ts';
import { LocalStore } from './local-store.ts';
import { OutcomeWaiters } from './outcomes.ts';
import { startPurging } from './purge.ts';
import type { Query } from './query.ts';
import { keysOf, type QueueEntry } from './queue-entry.ts';
import { keyOf, splitKey, type Key } from './record-key.ts';
import { Records } from './records.ts';
import { versionOf, type Member } from './rows.ts';
import { clientRules, type ClientRules } from './rules.ts';
import { createParts, preloadParts, type Parts } from './parts.ts';
import { changedFields, planCreate, planRemove, planUpdate } from './save.ts';
import { ServerLink } from './server-link.ts';
import { Settlement } from './settle.ts';
import { oldestPending, summariseStatus } from './status.ts';
import { Step } from './step.ts';
import { listSyncErrors, undoSyncError } from './sync-error-list.ts';
import { sizeOf } from './uploader.ts';

/** What an engine is made of: everything it touches comes in here. */
export interface SyncEngineOptions {
  readonly schema: Schema;
  /** The store is this user's alone; the server checks the name against the token. */
  readonly owner: StoreOwner;
  readonly storage: StorageAdapter;
  readonly transport: TransportAdapter;
  readonly core: DeviceCore;
  readonly clock: Clock;
  readonly random: Random;
  /** Time between polls, in milliseconds; the server's word wins. @defaultValue 30_000 */
  readonly pollIntervalMs?: number;
  /** @defaultValue online and in the foreground */
  readonly lifecycle?: Lifecycle;
  /** @internal */
  readonly rules?: Partial<ClientRules>;
  /** @internal */
  readonly parts?: Parts;
}

const DEFAULT_POLL_INTERVAL_MS = 30_000;

/** Opens an engine over a host's storage and transport; it works at once, calls wait until the store is open. */
export function createSyncEngine(options: SyncEngineOptions): SyncEngine {
  return new Engine(options);
}

class Engine implements SyncEngine {
  readonly ready: Promise<void>;
  readonly #options: SyncEngineOptions;
  readonly #rules: ClientRules;
  readonly #steps = createSerial();
  readonly #abort = new AbortController();
  readonly #events = createEmitter<SyncEvent>();
  readonly #statuses = createEmitter<SyncStatus>();
  readonly #errorLists = createEmitter<readonly SyncError[]>();
  // Set once the store is open; every call waits for that.
  #context!: EngineContext;
  #live!: LiveQueries;
  #outcomes!: OutcomeWaiters;
  #conversation!: Conversation;
  /** What the host said of network and visibility before the store was open. */
  #lifecycle: Lifecycle;
  #isOpen = false;
  #isClosed = false;
  #closing: Promise<void> | null = null;
  #stopPurging: () => void = () => {};
  #progress: DownloadProgress | null = null;
  #lastStatus: SyncStatus | null = null;

  constructor(options: SyncEngineOptions) {
    this.#options = options;
    this.#rules = { ...clientRules, ...options.rules };
    this.#lifecycle = options.lifecycle ?? { isOnline: true, isForeground: true };
    this.ready = this.#open();
    // Every call awaits `ready` and gets its fault; nobody awaiting it must not be an unhandled rejection.
    this.ready.catch(() => {});
  }

  create(object: string, values: Readonly<Record<string, unknown>>, id?: string): Promise<SaveReceipt> {
    return this.#step(async ({ store, records, schema, clock, random }) => {
      const layout = store.layout(object);
      const birthId = id ?? createId(clock, random);
      const member = planCreate(schema, layout, birthId, values);
      if ((await records.read(keyOf(object, birthId))).row !== null) {
        throw new SyncFault('RECORD_EXISTS', `${object} ${birthId} exists already`, { details: { object, id: birthId } });
      }
      return this.#enqueue(member);
    });
  }

  update(object: string, id: string, values: Readonly<Record<string, unknown>>): Promise<SaveReceipt> {
    return this.#step(async ({ store, schema }) => {
      const { key, row, version } = await this.#readExisting(object, id);
      const birthId = splitKey(key).id;
      const member = planUpdate(schema, store.layout(object), birthId, values, row, version);
      return member === null ? { object, id: birthId, entry: null } : this.#enqueue(member);
    });
  }

  remove(object: string, id: string): Promise<SaveReceipt> {
    return this.#step(async ({ store, schema }) => {
      const { key, row, version } = await this.#readExisting(object, id);
      return this.#enqueue(planRemove(schema, store.layout(object), splitKey(key).id, row, version));
    });
  }

  get(object: string, id: string): Promise<RecordView | null> {
    return this.#step(async ({ store, records }) => {
      store.layout(object);
      return records.view(await records.resolve(object, id));
    });
  }

  async query(query: Query): Promise<readonly RecordView[]> {
    await this.#assertOpen();
    return this.#live.run(query);
  }

  async watchQuery(query: Query, listener: (records: readonly RecordView[]) => void): Promise<Unsubscribe> {
    await this.#assertOpen();
    return this.#live.watch(query, listener);
  }

  watchRecord(object: string, id: string, listener: (record: RecordView | null) => void): Promise<Unsubscribe> {
    return this.#step(async ({ store, records }) => {
      store.layout(object);
      const key = await records.resolve(object, id);
      listener(await records.view(key));
      return this.#live.watchRecord(key, listener);
    });
  }

  outcome(entry: number): Promise<EntryOutcome> {
    return this.#step(() => this.#outcomes.wait(entry)).then(({ settled }) => settled);
  }

  readJournal(entry?: number): Promise<readonly JournalEntry[]> {
    return this.#step(({ store }) => readJournal(store, entry));
  }

  async status(): Promise<SyncStatus> {
    await this.#assertOpen();
    return this.#readStatus();
  }

  async watchStatus(listener: (status: SyncStatus) => void): Promise<Unsubscribe> {
    await this.#assertOpen();
    listener(this.#readStatus());
    return this.#statuses.subscribe(listener);
  }

  async listSyncErrors(): Promise<readonly SyncError[]> {
    await this.#assertOpen();
    return listSyncErrors(this.#context);
  }

  async watchSyncErrors(listener: (errors: readonly SyncError[]) => void): Promise<Unsubscribe> {
    await this.#assertOpen();
    listener(listSyncErrors(this.#context));
    return this.#errorLists.subscribe(listener);
  }

  async undo(syncError: number): Promise<UndoReceipt> {
    const undone = await this.#step((context) => undoSyncError(context, syncError));
    this.#refreshFromServer(new Set(undone.flatMap(keysOf)));
    return { entries: undone.map(({ seq }) => seq) };
  }

  async watchEvents(listener: (event: SyncEvent) => void): Promise<Unsubscribe> {
    return this.#events.subscribe(listener);
  }

  async download(): Promise<DownloadReceipt> {
    await this.#assertOpen();
    return this.#conversation.download();
  }

  async fetch(object: string, id: string): Promise<RecordView | null> {
    await this.#assertOpen();
    const { store, link, rules, records, steps, answers } = this.#context;
    store.layout(object);
    return answers.pass(async () => {
      const answer = await this.#conversation.ask('record', () => link.record(store.meta.store, { object, id }));
      return steps.run(async () => {
        const images = link.images(answer);
        const settlement = new Settlement(store, rules, await store.readBases(images.keys));
        images.keys.forEach((key, index) => settlement.offer(key, images.image(index)));
        await store.commit(settlement.step, 'relaxed');
        return records.view(await records.resolve(object, id));
      });
    });
  }

  async wake(): Promise<void> {
    await this.#assertOpen();
    this.#conversation.wake();
    this.#showStatus();
  }

  async exchange(): Promise<SyncStatus> {
    await this.#assertOpen();
    await this.#conversation.exchange();
    await this.#steps.idle();
    return this.#readStatus();
  }

  async setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void> {
    this.#lifecycle = { ...this.#lifecycle, ...lifecycle };
    await this.#assertOpen();
    this.#conversation.setLifecycle(this.#lifecycle);
    this.#showStatus();
  }

  close(): Promise<void> {
    // Whoever closes a second time waits for the first: the store is free only then.
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#abort.abort();
    await this.ready.catch(() => {});
    this.#stopPurging();
    await this.#conversation?.close();
    await this.#steps.idle();
    this.#live?.clear();
    for (const emitter of [this.#events, this.#statuses, this.#errorLists]) emitter.clear();
    await this.#context?.store.close();
  }

  async #open(): Promise<void> {
    const { schema, owner, storage, transport, core, clock, random } = this.#options;
    const store = await LocalStore.open({ schema, owner, storage, clock, random, rules: this.#rules, onCommitted: (keys) => this.#onCommitted(keys) });
    const records = new Records(store, core);
    this.#context = {
      schema,
      user: owner.user,
      core,
      clock,
      random,
      rules: this.#rules,
      store,
      records,
      link: new ServerLink({ transport, core, clock, random, rules: this.#rules, signal: this.#abort.signal }),
      parts: this.#options.parts ?? createParts(),
      steps: this.#steps,
      answers: createAnswerGate(),
      emit: (event) => this.#events.emit(event),
      showProgress: (progress) => {
        this.#progress = progress;
        this.#showStatus();
      },
    };
    this.#outcomes = new OutcomeWaiters(store);
    this.#live = new LiveQueries({ schema, records, between: (read) => this.#steps.run(read), onFault: (thrown) => this.#conversation.noteThrown(thrown) });
    this.#conversation = new Conversation({
      context: this.#context,
      lifecycle: this.#lifecycle,
      pollIntervalMs: this.#options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
      onChange: () => this.#showStatus(),
    });
    this.#stopPurging = await startPurging(this.#context, (thrown) => this.#conversation.noteThrown(thrown));
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.#conversation.start();
    preloadParts(this.#context.parts);
  }

  async #assertOpen(): Promise<void> {
    if (this.#isClosed) throw closed();
    await this.ready;
    if (this.#isClosed) throw closed();
  }

  async #step<T>(step: (context: EngineContext) => Promise<T>): Promise<T> {
    await this.#assertOpen();
    return this.#steps.run(() => step(this.#context));
  }

  async #readExisting(object: string, id: string): Promise<{ readonly key: Key; readonly row: Uint8Array; readonly version: Member['base'] }> {
    const { store, records } = this.#context;
    store.layout(object);
    const key = await records.resolve(object, id);
    const { row, base } = await records.read(key);
    if (row === null) throw new SyncFault('RECORD_MISSING', `there is no ${object} ${id} on this device`, { details: { object, id } });
    return { key, row, version: versionOf(base) };
  }

  /** Rule A11: the change and its queue entry are one durable commit; only then the save resolves. */
  async #enqueue(member: Member): Promise<SaveReceipt> {
    const { store, clock, emit } = this.#context;
    const { object, id, op } = member;
    const seq = store.meta.nextSeq;
    const entry: QueueEntry = { seq, state: 'queued', number: null, savedAt: clock.now(), members: [member], headers: [], duplicateOf: null, deferrals: 0, deferredSince: null, refusal: null };
    if (sizeOf(entry) > this.#conversation.limits.entryBytes) {
      throw new SyncFault('CHANGE_TOO_LARGE', `${object} ${id}: this save is larger than ${this.#conversation.limits.entryBytes} bytes`, { details: { object, id, bytes: sizeOf(entry) } });
    }
    const step = new Step();
    step.putEntry(entry);
    step.meta = { nextSeq: seq + 1 };
    await store.commit(step, 'strict');
    emit({ type: 'change:queued', entry: seq, object, id, op, fields: changedFields(member) });
    this.#conversation.wakeUpload();
    return { object, id, entry: seq };
  }

  #onCommitted(keys: ReadonlySet<Key>): void {
    if (!this.#isOpen) return;
    for (const step of [() => this.#live.refresh(keys), () => this.#outcomes.tell()]) {
      void this.#steps.run(step).catch((thrown: unknown) => this.#conversation.noteThrown(thrown));
    }
    this.#showStatus();
  }

  #refreshFromServer(keys: Iterable<Key>): void {
    if (!this.#conversation.state.isOnline) return;
    for (const key of keys) {
      const { object, id } = splitKey(key);
      // Best effort: the record already is what the server last said; a failure shows in the status.
      void this.fetch(object, id).catch(() => {});
    }
  }

  #readStatus(): SyncStatus {
    const { store } = this.#context;
    const { pending, failed } = store.counts;
    return summariseStatus({
      pending,
      syncErrors: failed,
      drafts: 0,
      notices: 0,
      oldestPendingAt: oldestPending(store.entries),
      hasFeedGap: store.meta.hasFeedGap,
      lastDownloadAt: store.meta.lastDownloadAt,
      ...this.#conversation.state,
      progress: this.#progress,
    });
  }

  #showStatus(): void {
    if (!this.#isOpen) return;
    const status = this.#readStatus();
    const before = this.#lastStatus;
    if (JSON.stringify(before) === JSON.stringify(status)) return;
    this.#lastStatus = status;
    this.#statuses.emit(status);
    if (before === null || before.state !== status.state) this.#events.emit({ type: 'status:changed', state: status.state });
    if (before === null || before.syncErrors !== status.syncErrors) this.#errorLists.emit(listSyncErrors(this.#context));
  }
}

function closed(): SyncFault {
  return new SyncFault('CLIENT_CLOSED', 'the client is closed');
}
