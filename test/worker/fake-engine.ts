import type { FieldValue } from '../../src/protocol/field.ts';
import type { Change } from '../../src/client/queue/transaction.ts';
import type { EntryOutcome } from '../../src/client/queue/outcomes.ts';
import type { Notice } from '../../src/client/answers/notices.ts';
import type { RecordView, SyncEngine } from '../../src/client/engine.ts';
import type { SyncError } from '../../src/client/inbox/sync-error.ts';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import { createEmitter, type Emitter, type Unsubscribe } from '../../src/shared/emitter.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import type { EngineParts, EnginePlan } from '../../src/worker/engine-start.ts';

/** A status in which nothing is going on. */
export const CALM: SyncStatus = {
  state: 'upToDate',
  pending: 0,
  oldestPendingAt: null,
  syncErrors: 0,
  drafts: 0,
  parked: 0,
  oldestParkedAt: null,
  notices: 0,
  hasFeedGap: false,
  lastDownloadAt: null,
  storagePersisted: null,
  isOnline: true,
  needsAuth: false,
  revoked: false,
  upgradeRequired: false,
  retryInMs: null,
  progress: null,
  lastFault: null,
};

/**
 * An engine in a few lines, for tests of what lies around it. The user's name chooses how it fails: `locked` cannot be opened, `fragile`
 * throws out of band at `wake`, `silent` never answers `wake`.
 */
export async function startFakeEngine(plan: EnginePlan, parts: EngineParts): Promise<SyncEngine> {
  if (plan.user === 'locked') {
    throw new SyncFault('STORAGE_LOCKED', 'another client has this store open', {
      details: { user: plan.user },
      cause: new SyncFault('STORAGE_FAILED', 'the lock is taken', { cause: new RangeError('file is locked') }),
    });
  }
  return new FakeEngine(plan, parts);
}

class FakeEngine implements SyncEngine {
  readonly ready: Promise<void> = Promise.resolve();
  readonly #plan: EnginePlan;
  readonly #parts: EngineParts;
  readonly #records = new Map<string, RecordView>();
  readonly #changes: Emitter<void> = createEmitter();
  readonly #events: Emitter<SyncEvent> = createEmitter();
  #status = CALM;
  #entries = 0;
  #isClosed = false;

  constructor(plan: EnginePlan, parts: EngineParts) {
    this.#plan = plan;
    this.#parts = parts;
  }

  async create(object: string, values: Readonly<Record<string, unknown>>, id = `${object}-${this.#entries + 1}`) {
    this.#assertOpen();
    if (values.name === '') throw new SyncFault('FIELD_REQUIRED', `${object}.name is required`, { details: { object, field: 'name' } });
    return this.#save(object, id, values);
  }

  async update(object: string, id: string, values: Readonly<Record<string, unknown>>) {
    this.#assertOpen();
    const before = this.#records.get(id);
    if (before === undefined) throw new SyncFault('RECORD_MISSING', `there is no ${object} ${id}`, { details: { object, id } });
    return this.#save(object, id, { ...before.values, ...values });
  }

  async remove(object: string, id: string) {
    this.#records.delete(id);
    this.#changes.emit();
    return { object, id, entry: ++this.#entries };
  }

  async save(changes: readonly Change[]) {
    for (const { object, id, op, values } of changes) await (op === 'remove' ? this.remove(object, id!) : this.create(object, values ?? {}, id));
    return { entry: this.#entries, records: changes.map(({ object, id }) => ({ object, id: id! })) };
  }

  async draft(): Promise<never> {
    throw new SyncFault('DRAFT_UNKNOWN', 'there are no drafts here');
  }

  async watchDrafts() {
    return () => {};
  }

  async handle(): Promise<never> {
    throw new SyncFault('HANDLE_CLOSED', 'there are no handles here');
  }

  async watchHandle() {
    return () => {};
  }

  async restore(object: string, id: string) {
    return { object, id, entry: this.#entries };
  }

  async get(_object: string, id: string) {
    this.#assertOpen();
    return this.#records.get(id) ?? null;
  }

  async query({ object }: { readonly object: string }) {
    this.#assertOpen();
    return [...this.#records.values()].filter((record) => record.object === object);
  }

  watchQuery(query: { readonly object: string }, listener: (records: readonly RecordView[]) => void) {
    return this.#watch(() => this.query(query), listener);
  }

  watchRecord(object: string, id: string, listener: (record: RecordView | null) => void) {
    return this.#watch(() => this.get(object, id), listener);
  }

  async outcome(entry: number): Promise<EntryOutcome> {
    // Entry 404 never ends.
    return entry === 404 ? new Promise(() => {}) : entry % 2 === 1 ? { kind: 'saved' } : { kind: 'refused', syncError: entry };
  }

  async status() {
    return this.#status;
  }

  watchStatus(listener: (status: SyncStatus) => void) {
    return this.#watch(() => this.status(), listener);
  }

  async listSyncErrors(): Promise<readonly SyncError[]> {
    return [];
  }

  watchSyncErrors(listener: (errors: readonly SyncError[]) => void) {
    return this.#watch(() => this.listSyncErrors(), listener);
  }

  async undo(syncError: number) {
    return { entries: [syncError] };
  }

  async resolve(syncError: number) {
    return { kind: 'resolved' as const, undone: [syncError], recreated: [] };
  }

  async resolveAll() {
    return [];
  }

  async exportEntries() {
    return [];
  }

  async explain() {
    return [];
  }

  async signOut() {
    return { pending: 0, syncErrors: 0, drafts: 0 };
  }

  async wipe() {}

  async readJournal() {
    return [];
  }

  async listNotices() {
    return [];
  }

  watchNotices(listener: (notices: readonly Notice[]) => void) {
    return this.#watch(() => this.listNotices(), listener);
  }

  async acknowledgeNotice() {}

  async watchEvents(listener: (event: SyncEvent) => void) {
    return this.#events.subscribe(listener);
  }

  async download() {
    return { records: this.#records.size, removed: 0, bytes: 0 };
  }

  async fetch(object: string, id: string) {
    return this.get(object, id);
  }

  async checkStorage() {
    return null;
  }

  async exchange() {
    return this.status();
  }

  /** Sends one request with a body and a token, and writes the answer into the store. */
  async wake() {
    if (this.#plan.user === 'silent') return new Promise<void>(() => {});
    if (this.#plan.user === 'fragile') {
      setTimeout(() => {
        throw new Error('nobody caught this');
      });
      return new Promise<void>(() => {});
    }
    const { storage, transport, token } = this.#parts;
    const store = await storage.open({ tenant: this.#plan.tenant, user: this.#plan.user });
    const whole = new Uint8Array([9, 9, 1, 2, 3, 9]);
    const authorization = (await token?.({ reason: 'start' })) ?? 'nobody';
    const answer = await transport!.send({ method: 'POST', path: 'upload', headers: { authorization }, body: whole.subarray(2, 5) });
    await store.commit({ durability: 'strict', putState: [{ key: 'answer', bytes: answer.body }] });
    const rows = await store.scanState({ prefix: 'answer', limit: 10 });
    this.#events.emit({ type: 'upload:started', entries: [], bytes: rows[0]!.bytes.length });
    await store.close();
  }

  async setLifecycle(lifecycle: { readonly isOnline?: boolean }) {
    this.#status = { ...this.#status, isOnline: lifecycle.isOnline ?? this.#status.isOnline };
    this.#changes.emit();
  }

  async close() {
    this.#isClosed = true;
    this.#changes.clear();
  }

  #save(object: string, id: string, values: Readonly<Record<string, unknown>>) {
    this.#records.set(id, { object, id, values: values as Readonly<Record<string, FieldValue>>, syncState: 'waiting' });
    this.#entries += 1;
    this.#status = { ...this.#status, state: 'pending', pending: this.#entries };
    this.#changes.emit();
    this.#events.emit({ type: 'change:queued', entry: this.#entries, object, id, op: 'create', fields: Object.keys(values) });
    return { object, id, entry: this.#entries };
  }

  async #watch<T>(read: () => Promise<T>, listener: (value: T) => void): Promise<Unsubscribe> {
    const stop = this.#changes.subscribe(() => void read().then(listener));
    listener(await read());
    return stop;
  }

  #assertOpen() {
    if (this.#isClosed) throw new SyncFault('CLIENT_CLOSED', 'the client is closed');
  }
}
