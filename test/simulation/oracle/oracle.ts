import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import { PATHS } from '../../../src/protocol/messages.ts';
import { parseUploadAnswer } from '../../../src/protocol/parse.ts';
import type { Core } from '../../../src/core/core.ts';
import type { RecordWrite } from '../../../src/server/store/server-store.ts';
import type { SyncResponse } from '../../../src/server/sync-request.ts';
import type { Storage, StorageAdapter } from '../../../src/storage/storage-adapter.ts';
import { MASTERS, type Values } from '../crm.ts';
import type { CommittedTransaction } from '../recorded-store.ts';
import { DeviceMirror } from './device-mirror.ts';
import { Decisions } from './decisions.ts';
import { GroupsOnline } from './groups-online.ts';
import type { Intent } from './intents.ts';
import { isSame, isVisible, OnlineHistory, type Writer } from './online-history.ts';
import { Pages } from './pages.ts';
import { Polls } from './polls.ts';
import { describeSave, keysOfSave, Saves, type Sending } from './saves.ts';
import type { Rule, Violation } from './violation.ts';

export interface OracleOptions {
  readonly core: Core;
  /** Virtual milliseconds since the run began. */
  readonly elapsed: () => number;
  /** The server's clock. */
  readonly serverNow: () => number;
  readonly retentionMs: number;
  /** Hears of the first broken promise. */
  readonly onViolation: (violation: Violation) => void;
}

/**
 * Knows every save and every feed row of a run, and what has to become of each. It hears of each durable commit of a device, each
 * committed transaction of the server and each answer of it, at the moment at which it happens; the first broken promise ends the run.
 */
export class Oracle {
  readonly history = new OnlineHistory();
  readonly saves = new Saves();
  readonly polls: Polls;
  readonly #options: OracleOptions;
  readonly #mirrors = new Map<string, DeviceMirror>();
  readonly #owners = new Map<string, string>();
  /** Upload numbers of which the server keeps what was decided. */
  readonly #decided = new Set<string>();
  readonly #decisions: Decisions;
  readonly #pages: Pages;
  readonly #groups: GroupsOnline;
  /** Records that a page named and did not bring, by user. */
  readonly #withheld = new Map<string, Set<string>>();
  #violation: Violation | null = null;

  constructor(options: OracleOptions) {
    this.#options = options;
    const { history, saves, fail } = this;
    this.polls = new Polls(fail);
    this.#groups = new GroupsOnline(history);
    this.#pages = new Pages({ core: options.core, history, groups: this.#groups, ownerOf: (store) => this.#owners.get(store), fail });
    this.#decisions = new Decisions({ history, saves, fail, mirror: (device) => this.mirror(device) });
  }

  get violation(): Violation | null {
    return this.#violation;
  }

  readonly fail = (rule: Rule, message: string): void => {
    if (this.#violation !== null) return;
    this.#violation = { rule, message, at: this.#options.elapsed() };
    this.#options.onViolation(this.#violation);
  };

  mirror(device: string): DeviceMirror {
    return this.#mirrors.get(device)!;
  }

  /** `null` before the device's first start. */
  mirrorOf(device: string): DeviceMirror | null {
    return this.#mirrors.get(device) ?? null;
  }

  /** Follows what becomes durable on a device, from its first store or from a new one. */
  observe(device: string, user: string, adapter: StorageAdapter): StorageAdapter {
    this.#mirrors.get(device)?.discard();
    const { history, saves, fail } = this;
    const mirror = new DeviceMirror({ name: device, user, history, groups: this.#groups, saves, fail, withheld: () => this.withheldFrom(user), feedFloor: () => this.#feedFloor(user) });
    this.#mirrors.set(device, mirror);
    return { open: async (owner) => witness(await adapter.open(owner), mirror) };
  }

  /** Positions of a user's feed that are older than what is kept. */
  #feedFloor(user: string): number {
    const kept = this.history.feed(user).findIndex(({ createdAt }) => createdAt >= this.#options.serverNow() - this.#options.retentionMs);
    return kept < 0 ? this.history.feed(user).length : kept;
  }

  /** A page names a record, and comes without it: nobody can have it from there. */
  withhold(user: string, key: string): void {
    this.#withheld.set(user, (this.#withheld.get(user) ?? new Set()).add(key));
  }

  /** Records that pages for a user came without. */
  withheldFrom(user: string): ReadonlySet<string> {
    return this.#withheld.get(user) ?? new Set();
  }

  /** A user asks for something; the answer to the call ends it. */
  intend(device: string, intent: Intent): () => void {
    return this.mirror(device).queue.intents.begin(intent);
  }

  /** A device's process ended: what it was asked for and had not done will not be done. */
  forgetIntents(device: string): void {
    this.#mirrors.get(device)?.queue.intents.forget();
    this.#mirrors.get(device)?.handles.forget();
  }

  /** The host's own logic failed on an entry: it may be overtaken. */
  noteDelay(store: string, number: number): void {
    const sending = this.saves.sentAs(store, number);
    if (sending !== null) sending.wasDeferred = true;
  }

  /** The device was told that a save is durable. */
  acknowledge(device: string, seq: number, changes: readonly { readonly key: string; readonly values: Values }[]): void {
    const save = this.mirror(device).queue.save(seq) ?? this.saves.all.findLast((known) => known.device === device && known.seq === seq) ?? null;
    if (save === null) return this.fail('durable-save', `${device} was told that save ${seq} of ${changes.map(({ key }) => key).join()} is durable, and it is not`);
    save.isAcknowledged = true;
    if (save.place === 'withdrawn') return; // Whether that is what was asked for was seen at the commit.
    const keys = keysOfSave(save);
    for (const { key, values } of changes) {
      const contents = save.contents.flatMap((members) => members.find((member) => member.key === key) ?? []);
      if (contents.length === 0 && Object.keys(values).length > 0 && changes.length === 1) this.fail('durable-save', `${device} was told of ${seq} for ${key}, which is ${describeSave(save)}`);
      // One that was so already, or was put back, is not among the fields; others may have joined since.
      const isHeld = (field: string, value: unknown): boolean => contents.some(({ op, fields }) => (op === 'update' && !fields.has(field)) || isSame(fields.get(field)?.next, value) || op === 'remove');
      for (const [field, value] of Object.entries(values)) if (contents.length > 0 && !isHeld(field, value)) this.fail('durable-save', `${describeSave(save)} does not hold ${field} ${JSON.stringify(value)} of ${keys.join()}`);
    }
  }

  /** Takes a transaction of the server that has just been committed. */
  commit({ records, receipts, feedRows, claims }: CommittedTransaction): void {
    this.history.beginCommit();
    for (const { store, user } of claims) this.#owners.set(store, user);
    for (const { key } of receipts) this.#decided.add(`${key.store}#${key.number}`);
    const writer: Writer = receipts[0]?.key ?? (feedRows[0] === undefined ? 'online' : { store: feedRows[0].row.store, number: feedRows[0].row.number });
    const sending = writer === 'online' ? null : this.saves.sentAs(writer.store, writer.number);
    if (receipts.length > 0 && writer !== 'online' && sending === null) this.fail('exactly-once', `number ${writer.number} of store ${writer.store} was saved, and no device sent it`);
    const results = receipts.flatMap(({ receipt }) => parseUploadAnswer(decodeEnvelope(receipt.result)).results);
    if (sending !== null) this.#decisions.take(sending, results, records);
    // The masters that records had before: one that is moved away from is fed too.
    const masters = new Map(records.map(({ object, id }) => [`${object}/${id}`, this.history.current(`${object}/${id}`)?.values ?? {}]));
    for (const record of records) {
      const before = this.history.current(`${record.object}/${record.id}`);
      const expected = before === null ? 1 : before.version[1] + 1;
      if (record.version[1] !== expected) this.fail('monotonic-version', `online, ${record.object}/${record.id} goes from ${String(before?.version)} to ${String(record.version)}`);
      this.history.put(record, writer);
    }
    for (const { user, row, position } of feedRows) {
      if (!this.history.append(user, row, position)) this.fail('feed-complete', `position ${position} of the feed of ${user} is not the next one`);
      if (receipts.length === 0) this.fail('isolation', `an edit made online is on the feed of ${user} at ${position}`);
      if (this.#owners.get(row.store) !== user) this.fail('isolation', `a save of ${String(this.#owners.get(row.store))} is on the feed of ${user}`);
    }
    if (sending !== null && records.length > 0) this.#checkFed(sending, records, masters);
  }

  /** Takes what the server answered, whether or not it comes through. */
  answer(device: string, path: string, { status, body }: SyncResponse): void {
    if (status !== 200 || body === null) return;
    if (path === PATHS.upload || path === PATHS.void) this.#checkAnswer(body);
    else if (path.startsWith(PATHS.feed)) this.#pages.take(device, body);
  }

  #checkAnswer(body: Uint8Array): void {
    const { store, results } = parseUploadAnswer(decodeEnvelope(body));
    for (const { number, outcome } of results) {
      if (outcome !== 'tryLater' && outcome !== 'copied' && !this.#decided.has(`${store}#${number}`)) this.fail('exactly-once', `number ${number} of store ${store} was answered as ${outcome}, and no receipt of that is kept`);
      const sending = this.saves.sentAs(store, number);
      if (sending === null) continue;
      if (outcome === 'tryLater') sending.wasDeferred = true;
      else if (outcome === 'copied') this.fail('exactly-once', `${describeSave(sending.save)} is taken for that of a copied store`);
      else if (outcome !== sending.decision) this.fail('exactly-once', `${describeSave(sending.save)} was answered as ${outcome}, and the decision is ${sending.decision}`);
    }
  }

  /** Rules A29, A30: the feed row of a save names every record that it wrote, with their masters. */
  #checkFed({ save, store, number }: Sending, records: readonly RecordWrite[], valuesBefore: ReadonlyMap<string, Values>): void {
    const row = this.history.feed(save.user).at(-1);
    if (row?.store !== store || row.number !== number) return this.fail('feed-complete', `${describeSave(save)} was saved, and is not on the feed`);
    for (const record of records) {
      const key = `${record.object}/${record.id}`;
      const { values } = this.history.current(key)!;
      if (!row.records.has(key) && isVisible(key, values, save.user)) this.fail('feed-complete', `${describeSave(save)} wrote ${key}, which its feed row leaves out`);
      const master = MASTERS[record.object];
      if (master === undefined) continue;
      for (const id of new Set([values[master.field], valuesBefore.get(key)![master.field]])) {
        const above = `${master.target}/${String(id)}`;
        if (typeof id === 'string' && this.history.current(above) !== null && !row.records.has(above)) this.fail('feed-complete', `${describeSave(save)} is fed without the master ${above}`);
      }
    }
  }
}

function witness(storage: Storage, mirror: DeviceMirror): Storage {
  return {
    ...storage,
    readRecords: (keys) => storage.readRecords(keys),
    scanRecords: (range) => storage.scanRecords(range),
    scanState: (range) => storage.scanState(range),
    async commit(commit) {
      const outcome = await storage.commit(commit);
      if (outcome === 'done') mirror.take(commit);
      return outcome;
    },
    close: () => storage.close(),
  };
}
