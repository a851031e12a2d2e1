import type { DeviceCore } from '../core/core.ts';
import type { ProtocolLimits } from '../protocol/messages.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { createEmitter, type Unsubscribe } from '../shared/emitter.ts';
import { SyncFault } from '../shared/fault.ts';
import type { Random } from '../shared/random.ts';
import { createSerial } from '../shared/serial.ts';
import type { StorageAdapter, StoreOwner } from '../storage/storage-adapter.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import { Connection } from './connection.ts';
import { createAnswerGate } from './answer-gate.ts';
import type { EngineContext } from './engine-context.ts';
import { oldestPending, summariseStatus, type DownloadProgress, type SyncStatus } from './status.ts';
import type { DownloadReceipt, Lifecycle, RecordView, SaveReceipt, SyncEngine, TransactionReceipt } from './engine.ts';
import { OutcomeWaiters, type EntryOutcome } from './outcomes.ts';
import type { ExportedEntry, Fix, Resolution, ResolutionOutcome, ResolutionReceipt, SyncError, UndoReceipt } from './sync-error.ts';
import { assertNothingUnsent, type SignOutOptions, type Unsent, type WipeOptions } from './sign-out.ts';
import type { SyncEvent } from './sync-event.ts';
import type { SyncReason } from './explain.ts';
import { groupPlaces } from './groups.ts';
import type { Inbox } from './inbox.ts';
import { readJournal, type JournalEntry } from './journal.ts';
import type { DraftAnswer, DraftInfo, DraftRequest } from './draft.ts';
import { LiveQueries } from './live-queries.ts';
import { LocalStore } from './local-store.ts';
import { acknowledgeNotice, countNotices, type Notice } from './notices.ts';
import { startPurging } from './purge.ts';
import type { Query } from './query.ts';
import type { Key } from './record-key.ts';
import { readOnly } from './read-only.ts';
import { Records } from './records.ts';
import { clientRules, type ClientRules } from './rules.ts';
import { createParts, preloadParts, type Parts } from './parts.ts';
import { restoreRecord, saveChange, saveChanges } from './save-changes.ts';
import type { Change } from './transaction.ts';

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
  /** Looks at the store and changes nothing, here or online (rule A10). @defaultValue false */
  readonly readOnly?: boolean;
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
  readonly #draftLists = createEmitter<readonly DraftInfo[]>();
  readonly #statuses = createEmitter<SyncStatus>();
  readonly #noticeLists = createEmitter<readonly Notice[]>();
  // Set once the store is open; every call waits for that.
  #context!: EngineContext;
  #live!: LiveQueries;
  #outcomes!: OutcomeWaiters;
  #connection!: Connection;
  /** There is one once somebody has asked for it. */
  #inbox: Inbox | null = null;
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
    return this.#save((context, limits) => saveChange(context, limits, { op: 'create', object, id, values }));
  }

  update(object: string, id: string, values: Readonly<Record<string, unknown>>, seen?: Readonly<Record<string, unknown>>): Promise<SaveReceipt> {
    return this.#save((context, limits) => saveChange(context, limits, { op: 'update', object, id, values, seen }));
  }

  remove(object: string, id: string): Promise<SaveReceipt> {
    return this.#save((context, limits) => saveChange(context, limits, { op: 'remove', object, id }));
  }

  save(changes: readonly Change[]): Promise<TransactionReceipt> {
    return this.#save((context, limits) => saveChanges(context, limits, changes));
  }

  async draft(request: DraftRequest): Promise<DraftAnswer> {
    await this.#assertOpen();
    const { answerDraft } = await this.#context.parts.drafts();
    const answer = await this.#save((context, limits) => answerDraft(context, limits, request));
    if (request.kind !== 'list' && request.kind !== 'read') {
      this.#draftLists.emit((await this.draft({ kind: 'list' })) as readonly DraftInfo[]);
      this.#showStatus();
    }
    return answer;
  }

  async watchDrafts(listener: (drafts: readonly DraftInfo[]) => void): Promise<Unsubscribe> {
    listener((await this.draft({ kind: 'list' })) as readonly DraftInfo[]);
    return this.#draftLists.subscribe(listener);
  }

  restore(object: string, id: string): Promise<SaveReceipt> {
    return this.#save((context) => restoreRecord(context, object, id));
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
    return (await this.#openInbox()).list();
  }

  async watchSyncErrors(listener: (errors: readonly SyncError[]) => void): Promise<Unsubscribe> {
    return (await this.#openInbox()).watch(listener);
  }

  async undo(syncError: number): Promise<UndoReceipt> {
    return (await this.#openInbox()).undo(syncError);
  }

  async resolve(syncError: number, action: Resolution, fix?: Fix): Promise<ResolutionReceipt> {
    const { resolve } = await this.#byHand();
    return resolve(await this.#openInbox(), syncError, action, fix);
  }

  async resolveAll(syncErrors: readonly number[] | 'all', action: Resolution): Promise<readonly ResolutionOutcome[]> {
    const { resolveAll } = await this.#byHand();
    return resolveAll(await this.#openInbox(), syncErrors, action);
  }

  async exportEntries(entries: readonly number[] | 'all'): Promise<readonly ExportedEntry[]> {
    const { exportEntries } = await this.#byHand();
    return this.#step((context) => exportEntries(context, entries));
  }

  async explain(object: string, id: string): Promise<readonly SyncReason[]> {
    const { explain } = await this.#byHand();
    return this.#step(async ({ schema, store, records }) => {
      store.layout(object);
      const key = await records.resolve(object, id);
      return explain({ key, schema, entries: store.entries, drafts: [store.drafts.byRecord.get(key) ?? []].flat(), isKeptAside: store.side(key) !== null, ...this.#connection.state, ...this.#lifecycle, deferredMs: this.#connection.deferredMs });
    });
  }

  async signOut({ unsent }: SignOutOptions): Promise<Unsent> {
    if (unsent === 'upload') await this.exchange();
    return this.#leave(unsent === 'keep');
  }

  async wipe({ exported }: WipeOptions): Promise<void> {
    const { schema, storage, owner } = this.#options;
    if (this.#options.readOnly === true) throw readOnly();
    const { wipeStore } = await this.#byHand();
    await this.#leave(exported === true);
    await wipeStore(storage, owner, Object.keys(schema.objects), this.#context.store.fence);
  }

  async listNotices(): Promise<readonly Notice[]> {
    await this.#assertOpen();
    return [...this.#context.store.notices.values()];
  }

  async watchNotices(listener: (notices: readonly Notice[]) => void): Promise<Unsubscribe> {
    listener(await this.listNotices());
    return this.#noticeLists.subscribe(listener);
  }

  acknowledgeNotice(notice: number): Promise<void> {
    return this.#step((context) => acknowledgeNotice(context, notice));
  }

  async watchEvents(listener: (event: SyncEvent) => void): Promise<Unsubscribe> {
    return this.#events.subscribe(listener);
  }

  async download(): Promise<DownloadReceipt> {
    await this.#assertOpen();
    return (await this.#connection.open()).download();
  }

  async fetch(object: string, id: string): Promise<RecordView | null> {
    await this.#assertOpen();
    this.#context.store.layout(object);
    await (await this.#connection.open()).fetchRecord(object, id);
    return this.#step(async ({ records }) => records.view(await records.resolve(object, id)));
  }

  async wake(): Promise<void> {
    await this.#assertOpen();
    this.#connection.wake();
    this.#showStatus();
  }

  async exchange(): Promise<SyncStatus> {
    await this.#assertOpen();
    await (await this.#connection.open()).exchange();
    await this.#steps.idle();
    return this.#readStatus();
  }

  async setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void> {
    this.#lifecycle = { ...this.#lifecycle, ...lifecycle };
    await this.#assertOpen();
    this.#connection.setLifecycle(this.#lifecycle);
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
    await this.#connection?.close();
    await this.#steps.idle();
    this.#live?.clear();
    this.#outcomes?.close(closed());
    this.#inbox?.close();
    for (const emitter of [this.#events, this.#statuses, this.#noticeLists, this.#draftLists]) emitter.clear();
    await this.#context?.store.close();
  }

  async #open(): Promise<void> {
    const { schema, owner, storage, transport, core, clock, random } = this.#options;
    const isReadOnly = this.#options.readOnly === true;
    const store = await LocalStore.open({ schema, owner, storage, clock, random, isReadOnly, rules: this.#rules, onCommitted: (keys) => this.#onCommitted(keys) });
    const records = new Records(store, core);
    this.#context = {
      schema,
      places: groupPlaces(schema),
      user: owner.user,
      core,
      clock,
      random,
      rules: this.#rules,
      store,
      records,
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
    this.#live = new LiveQueries({ schema, records, between: (read) => this.#steps.run(read), onFault: (thrown) => this.#connection.noteThrown(thrown) });
    this.#connection = new Connection({
      context: this.#context,
      transport,
      signal: this.#abort.signal,
      lifecycle: this.#lifecycle,
      isReadOnly,
      pollIntervalMs: this.#options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
      onChange: () => this.#showStatus(),
    });
    if (!isReadOnly) this.#stopPurging = await startPurging(this.#context, (thrown) => this.#connection.noteThrown(thrown));
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.#connection.start();
    for (const draft of new Set(store.drafts.byRecord.values())) this.#events.emit({ type: 'draft:found', draft });
    preloadParts(this.#context.parts);
  }

  async #assertOpen(): Promise<void> {
    if (this.#isClosed) throw closed();
    await this.ready;
    if (this.#isClosed) throw closed();
  }

  async #openInbox(): Promise<Inbox> {
    const { Inbox } = await this.#byHand();
    this.#inbox ??= new Inbox({
      context: this.#context,
      conversation: () => this.#connection.open(),
      wakeUpload: () => this.#wakeUpload(),
      canAsk: () => this.#isOpen && this.#connection.state.isOnline,
      onFault: (thrown) => this.#connection.noteThrown(thrown),
    });
    return this.#inbox;
  }

  async #byHand() {
    await this.#assertOpen();
    return this.#context.parts.byHand();
  }

  /** Closes, unless there is unsent work and nobody said that it may stay behind. */
  async #leave(mayLeave: boolean): Promise<Unsent> {
    const unsent = await this.#step(async () => {
      const { pending, syncErrors, drafts } = this.#readStatus();
      if (!mayLeave) assertNothingUnsent({ pending, syncErrors, drafts });
      // From here on nothing is saved any more, or it would be left behind unseen.
      this.#isClosed = true;
      return { pending, syncErrors, drafts };
    });
    await this.close();
    return unsent;
  }

  async #step<T>(step: (context: EngineContext) => Promise<T>): Promise<T> {
    await this.#assertOpen();
    return this.#steps.run(() => {
      // It may have been closed while this waited its turn.
      if (this.#isClosed) throw closed();
      return step(this.#context);
    });
  }

  /** Rule A13: what is saved goes up at once. */
  async #save<T>(save: (context: EngineContext, limits: ProtocolLimits) => Promise<T>): Promise<T> {
    const saved = await this.#step((context) => save(context, this.#connection.limits));
    this.#wakeUpload();
    return saved;
  }

  #wakeUpload(): void {
    this.#connection.tell((conversation) => conversation.wakeUpload());
  }

  #onCommitted(keys: ReadonlySet<Key>): void {
    if (!this.#isOpen) return;
    for (const step of [() => this.#live.refresh(keys), () => this.#outcomes.tell()]) {
      void this.#steps.run(step).catch((thrown: unknown) => this.#connection.noteThrown(thrown));
    }
    this.#inbox?.look();
    this.#showStatus();
  }

  #readStatus(): SyncStatus {
    const { store } = this.#context;
    const { pending, failed } = store.counts;
    return summariseStatus({
      pending,
      syncErrors: failed,
      drafts: store.drafts.count,
      notices: countNotices(store),
      oldestPendingAt: oldestPending(store.entries),
      hasFeedGap: store.meta.hasFeedGap,
      lastDownloadAt: store.meta.lastDownloadAt,
      ...this.#connection.state,
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
    if (before?.notices !== status.notices) this.#noticeLists.emit([...this.#context.store.notices.values()]);
  }
}

function closed(): SyncFault {
  return new SyncFault('CLIENT_CLOSED', 'the client is closed');
}
