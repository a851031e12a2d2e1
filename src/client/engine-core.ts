import type { DeviceCore } from '../core/core.ts';
import type { ProtocolLimits } from '../protocol/limits.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Clock } from '../shared/clock.ts';
import { createEmitter, type Emitter } from '../shared/emitter.ts';
import { isFault, SyncFault } from '../shared/fault.ts';
import type { Random } from '../shared/random.ts';
import { createSerial, type Serial } from '../shared/serial.ts';
import type { Storage, StorageAdapter, StoreOwner } from '../storage/storage-adapter.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import { createAnswerGate } from './network/answer-gate.ts';
import { Connection } from './network/connection.ts';
import type { DraftInfo } from './drafts/draft.ts';
import type { EngineContext } from './engine-context.ts';
import type { Lifecycle } from './engine.ts';
import { groupPlaces } from './queue/groups.ts';
import type { HandleDesk } from './handles/handle-desk.ts';
import { GuardWanted, NO_GUARD, type Guard, type HostGuards } from './queue/guard.ts';
import type { Inbox } from './inbox/inbox.ts';
import { LiveQueries } from './read/live-queries.ts';
import { LocalStore } from './store/local-store.ts';
import type { OutcomeWaiters } from './queue/outcome-waiters.ts';
import { createParts, preloadParts, type Parts } from './parts.ts';
import type { ChangedRecords } from './store/changed-records.ts';
import { Records } from './read/records.ts';
import { readOnly } from './read-only.ts';
import { clientRules, type ClientRules } from './rules.ts';
import { StatusBoard } from './status-board.ts';
import type { SyncEvent } from './sync-event.ts';

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
  /** How long what came out of scope stays though a download does not have it, in milliseconds of server time (rule A32). @defaultValue 604_800_000, seven days */
  readonly outOfScopeGraceMs?: number;
  /** Looks at the store and changes nothing, here or online (rule A10). @defaultValue false */
  readonly readOnly?: boolean;
  /** @defaultValue online and in the foreground */
  readonly lifecycle?: Lifecycle;
  /** What the host says of saves over something newer (rule A37). */
  readonly guards?: HostGuards;
  /** @internal */
  readonly rules?: Partial<ClientRules>;
  /** @internal */
  readonly parts?: Parts;
}

const DEFAULT_POLL_INTERVAL_MS = 30_000;
const DEFAULT_GRACE_MS = 604_800_000;

/** The life of an engine, from the opening of its store to the last step, and how calls get their turn in it. */
export class EngineCore {
  readonly options: SyncEngineOptions;
  readonly ready: Promise<void>;
  readonly steps: Serial = createSerial(() => (this.#isHalf ? this.#finish() : null));
  readonly events: Emitter<SyncEvent> = createEmitter();
  readonly draftLists: Emitter<readonly DraftInfo[]> = createEmitter();
  // Set once the store is open; every call waits for that.
  context!: EngineContext;
  live!: LiveQueries;
  connection!: Connection;
  board!: StatusBoard;
  /** There is one once somebody has opened a record. */
  handles: HandleDesk | null = null;
  /** What the host last said of network and visibility, before the store was open too. */
  lifecycle: Lifecycle;
  readonly #abort = new AbortController();
  /** There are these once somebody has asked for them. */
  #inbox: Inbox | null = null;
  #outcomes: OutcomeWaiters | null = null;
  #isOpen = false;
  #isClosed = false;
  #closing: Promise<void> | null = null;
  #storage: Storage | null = null;
  #stopUpkeep: () => void = () => {};

  constructor(options: SyncEngineOptions) {
    this.options = options;
    this.lifecycle = options.lifecycle ?? { isOnline: true, isForeground: true };
    this.ready = this.#open();
    // Every call awaits `ready` and gets its fault; nobody awaiting it must not be an unhandled rejection.
    this.ready.catch(() => {});
  }

  /** Waits until the store is open. @throws {@link SyncFault} `CLIENT_CLOSED`, and why it could not be opened */
  async assertOpen(): Promise<void> {
    if (this.#isClosed) throw closed();
    await this.ready;
    if (this.#isClosed) throw closed();
  }

  /** Runs what reads or changes the store, when it is its turn. */
  async step<T>(step: (context: EngineContext) => Promise<T>): Promise<T> {
    await this.assertOpen();
    try {
      return await this.steps.run(() => {
        // It may have been closed while this waited its turn.
        if (this.#isClosed) throw closed();
        return step(this.context);
      });
    } catch (fault) {
      // Rule C10: whoever finds the store in other hands says so, and asks the server for nothing any more.
      if (isFault(fault, 'CLIENT_TAKEN_OVER')) this.connection.noteThrown(fault);
      throw fault;
    }
  }

  /** Rule A13: what is saved goes up at once. */
  async save<T>(save: (context: EngineContext, limits: ProtocolLimits) => Promise<T>, guard?: Guard): Promise<T> {
    try {
      const saved = await this.step((context) => save(guard === undefined ? context : { ...context, guard }, this.connection.limits));
      this.#wakeUpload();
      return saved;
    } catch (thrown) {
      if (!(thrown instanceof GuardWanted)) throw thrown;
      await thrown.ask();
      return this.save(save, guard ?? (await this.#openGuard()));
    }
  }

  /** Where its file cannot be loaded, nobody is kept from saving: the server decides in the end. */
  async #openGuard(): Promise<Guard> {
    const part = await this.context.parts.handles().catch(() => null);
    return part === null ? NO_GUARD : new part.SaveGuard(this.options.guards);
  }

  /** Opens the part that keeps open records. */
  async openHandles(): Promise<HandleDesk> {
    await this.assertOpen();
    const { HandleDesk } = await this.context.parts.handles();
    return (this.handles ??= new HandleDesk(this.context));
  }

  /** The part of what people do about their changes. */
  async byHand(): ReturnType<Parts['byHand']> {
    await this.assertOpen();
    return this.context.parts.byHand();
  }

  async openInbox(): Promise<Inbox> {
    const { createInbox } = await this.byHand();
    this.#inbox ??= createInbox(this, () => this.#wakeUpload());
    return this.#inbox;
  }

  /** The calls that wait for entries to end. */
  async openOutcomes(): Promise<OutcomeWaiters> {
    const { OutcomeWaiters } = await this.byHand();
    return (this.#outcomes ??= new OutcomeWaiters(this.context.store));
  }

  /** Asks again whether the store is safe from the platform (rule A8). */
  async checkStorage(): Promise<boolean | null> {
    await this.assertOpen();
    const { readPersisted } = await this.context.parts.upkeep();
    return this.board.showPersisted(await readPersisted(this.#storage!));
  }

  /** From here on no call gets its turn any more; those that have theirs end, and so does the engine with {@link close}. */
  refuseCalls(): void {
    this.#isClosed = true;
  }

  close(): Promise<void> {
    // Whoever closes a second time waits for the first: the store is free only then.
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { schema, owner, storage, transport, core, clock, random } = this.options;
    const { readOnly: isReadOnly = false, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, outOfScopeGraceMs = DEFAULT_GRACE_MS } = this.options;
    const rules = { ...clientRules, ...this.options.rules };
    const store = await LocalStore.open({ schema, owner, storage: { open: async (of) => (this.#storage = await storage.open(of)) }, clock, random, isReadOnly, rules, onCommitted: (keys) => this.#onCommitted(keys) });
    const records = new Records(store, core);
    const { steps } = this;
    const emit = (event: SyncEvent): void => this.events.emit(event);
    const onFault = (thrown: unknown): void => this.connection.noteThrown(thrown);
    this.board = new StatusBoard({ store, conversation: () => this.connection.state, isOpen: () => this.#isOpen, events: this.events });
    this.context = {
      schema,
      places: groupPlaces(schema),
      user: owner.user,
      core,
      clock,
      random,
      rules,
      outOfScopeGraceMs,
      store,
      records,
      parts: this.options.parts ?? createParts(),
      steps,
      answers: createAnswerGate(),
      noteSaved: (saved) => this.handles?.noteSaved(saved),
      emit,
      isHeard: () => this.events.isHeard,
      showProgress: (progress) => this.board.showProgress(progress),
    };
    this.live = new LiveQueries({ schema, records, between: (read) => steps.run(read), onFault });
    this.connection = new Connection({
      context: this.context,
      transport,
      signal: this.#abort.signal,
      lifecycle: this.lifecycle,
      isReadOnly,
      pollIntervalMs,
      onChange: () => this.board.show(),
    });
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.connection.start();
    for (const draft of new Set(store.drafts.byRecord.values())) emit({ type: 'draft:found', draft });
    preloadParts(this.context.parts);
    void this.#startUpkeep(isReadOnly, onFault).catch(() => {}); // the next start tries again
  }

  async #startUpkeep(isReadOnly: boolean, onFault: (thrown: unknown) => void): Promise<void> {
    const { startUpkeep } = await this.context.parts.upkeep();
    if (this.#isOpen) this.#stopUpkeep = startUpkeep(this.context, { storage: this.#storage!, isReadOnly, board: this.board, onFault });
  }

  /** Rules A31, A35: what was begun of a large transaction, or of a download, is ended before anything is read. */
  get #isHalf(): boolean {
    const { rules, store } = this.context ?? {};
    return rules?.finishesFirst() === true && Boolean(store!.meta.part?.applying ?? store!.meta.download?.applying);
  }

  async #finish(): Promise<void> {
    const { parts, store } = this.context;
    // Half of it must not be seen, and who looks on changes nothing (rule A10).
    if (store.isReadOnly) throw readOnly('a large transaction, or a download, was being taken in: the user’s own client has to end that first, and this one to be opened again');
    if (store.meta.part?.applying) await (await parts.conversation()).finishParts(this.context);
    else await (await parts.snapshotDownload()).finishDownload(this.context);
  }

  #onCommitted(keys: ChangedRecords): void {
    if (!this.#isOpen) return;
    // Whoever begins to listen from now on reads what is in the store by then.
    if (this.live.isWatched) this.#tell(() => this.live.refresh(keys));
    if (this.handles !== null) this.#tell(async () => this.handles?.refresh(keys));
    if (this.#outcomes !== null) this.#tell(async () => this.#outcomes?.tell());
    this.#inbox?.look();
    this.board.show();
  }

  #tell(step: () => Promise<void>): void {
    this.steps.run(step).catch((thrown: unknown) => this.connection.noteThrown(thrown));
  }

  #wakeUpload(): void {
    this.connection.tell((conversation) => conversation.wakeUpload());
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#isOpen = false;
    this.#abort.abort();
    await this.ready.catch(() => {});
    this.#stopUpkeep();
    await this.connection?.close();
    await this.steps.idle();
    this.live?.clear();
    this.#outcomes?.close(closed());
    this.#inbox?.close();
    this.handles?.clear();
    this.board?.close();
    this.events.clear();
    this.draftLists.clear();
    await this.context?.store.close();
  }
}

function closed(): SyncFault {
  return new SyncFault('CLIENT_CLOSED', 'the client is closed');
}
