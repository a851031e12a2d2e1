import { decodeEnvelope } from '../../../src/protocol/envelope.ts';
import { PATHS } from '../../../src/protocol/messages.ts';
import { parseFeedAnswer, parseLayouts, parseUploadAnswer } from '../../../src/protocol/parse.ts';
import { compareVersions } from '../../../src/protocol/version.ts';
import type { Core } from '../../../src/core/core.ts';
import type { RecordWrite } from '../../../src/server/store/server-store.ts';
import type { SyncResponse } from '../../../src/server/sync-request.ts';
import type { Storage, StorageAdapter } from '../../../src/storage/storage-adapter.ts';
import { cityOf, DEVICE_FIELDS, isChecked, rewriteNote, schema, type ObjectName, type Values } from '../crm.ts';
import type { CommittedTransaction } from '../recorded-store.ts';
import { DeviceMirror } from './device-mirror.ts';
import { isSame, isVisible, OnlineHistory, type OnlineVersion, type Writer } from './online-history.ts';
import { applySave, describeSave, Saves, type Save } from './saves.ts';
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
  readonly #options: OracleOptions;
  readonly #mirrors = new Map<string, DeviceMirror>();
  readonly #owners = new Map<string, string>();
  #violation: Violation | null = null;

  constructor(options: OracleOptions) {
    this.#options = options;
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

  /** Follows what becomes durable on a device, from its first store or from a new one. */
  observe(device: string, user: string, adapter: StorageAdapter): StorageAdapter {
    this.#mirrors.get(device)?.discard();
    const { history, saves, fail } = this;
    const mirror = new DeviceMirror({ name: device, user, history, saves, fail, feedFloor: () => this.#feedFloor(user) });
    this.#mirrors.set(device, mirror);
    return { open: async (owner) => witness(await adapter.open(owner), mirror) };
  }

  /** Positions of a user's feed that are older than what is kept. */
  #feedFloor(user: string): number {
    const kept = this.history.feed(user).findIndex(({ createdAt }) => createdAt >= this.#options.serverNow() - this.#options.retentionMs);
    return kept < 0 ? this.history.feed(user).length : kept;
  }

  /** The host's own logic failed on an entry: it may be overtaken. */
  noteDelay(store: string, number: number): void {
    const save = this.saves.sentAs(store, number);
    if (save !== null) save.wasDeferred = true;
  }

  /** The device was told that a save is durable. */
  acknowledge(device: string, seq: number, expected: { readonly object: string; readonly id: string; readonly values: Values }): void {
    const save = this.mirror(device).save(seq) ?? this.saves.all.findLast((known) => known.device === device && known.seq === seq) ?? null;
    if (save === null) return this.fail('durable-save', `${device} was told that save ${seq} of ${expected.object}/${expected.id} is durable, and it is not`);
    save.isAcknowledged = true;
    if (save.key !== `${expected.object}/${expected.id}`) this.fail('durable-save', `${device} was told of ${seq}, which is ${describeSave(save)}`);
    for (const [field, value] of Object.entries(expected.values)) {
      const saved = save.fields.get(field);
      if (save.op === 'update' && saved === undefined) continue; // It was so already.
      if (!isSame(saved?.next, value)) this.fail('durable-save', `${describeSave(save)} does not hold ${field} ${JSON.stringify(value)}`);
    }
  }

  /** Takes a transaction of the server that has just been committed. */
  commit({ records, receipts, feedRows, claims }: CommittedTransaction): void {
    for (const { store, user } of claims) this.#owners.set(store, user);
    const writer: Writer = receipts[0]?.key ?? (feedRows[0] === undefined ? 'online' : { store: feedRows[0].row.store, number: feedRows[0].row.number });
    const save = writer === 'online' ? null : this.saves.sentAs(writer.store, writer.number);
    if (writer !== 'online' && save === null) this.fail('exactly-once', `number ${writer.number} of store ${writer.store} was saved, and no device sent it`);
    for (const { receipt } of receipts) if (save !== null) this.#decide(save, receipt.result, records.length > 0);
    if (records.length > 0 && save !== null) this.#checkApplied(save, records);
    // The masters that records had before: one that is moved away from is fed too.
    const masters = new Map(records.map(({ object, id }) => [`${object}/${id}`, this.history.current(`${object}/${id}`)?.values.account]));
    for (const record of records) {
      const before = this.history.current(`${record.object}/${record.id}`);
      const expected = before === null ? 1 : before.version[1] + 1;
      if (record.version[1] !== expected) this.fail('monotonic-version', `online, ${record.object}/${record.id} goes from ${String(before?.version)} to ${String(record.version)}`);
      this.history.put(record, writer);
    }
    for (const { user, row, position } of feedRows) {
      if (!this.history.append(user, row, position)) this.fail('feed-complete', `position ${position} of the feed of ${user} is not the next one`);
      if (this.#owners.get(row.store) !== user) this.fail('isolation', `a save of ${String(this.#owners.get(row.store))} is on the feed of ${user}`);
    }
    if (save !== null && records.length > 0) this.#checkFed(save, records, masters);
  }

  /** Takes what the server answered, whether or not it comes through. */
  answer(device: string, path: string, { status, body }: SyncResponse): void {
    if (status !== 200 || body === null) return;
    if (path === PATHS.upload) this.#checkAnswer(body);
    else if (path.startsWith(PATHS.feed)) this.#checkPage(device, body);
  }

  #checkAnswer(body: Uint8Array): void {
    const { store, results } = parseUploadAnswer(decodeEnvelope(body));
    for (const { number, outcome } of results) {
      const save = this.saves.sentAs(store, number);
      if (save === null) continue;
      if (outcome === 'tryLater') save.wasDeferred = true;
      else if (outcome === 'copied') this.fail('exactly-once', `${describeSave(save)} is taken for that of a copied store`);
      else if (outcome !== save.decision) this.fail('exactly-once', `${describeSave(save)} was answered as ${outcome}, and the decision is ${save.decision}`);
    }
  }

  /** A receipt stands: from now on, this is what became of the entry. */
  #decide(save: Save, receipt: Uint8Array, isWritten: boolean): void {
    const [result] = parseUploadAnswer(decodeEnvelope(receipt)).results;
    if (result?.outcome !== 'saved' && result?.outcome !== 'refused') return this.fail('exactly-once', `${describeSave(save)} has a receipt that decides nothing`);
    if (save.decision !== 'open') return this.fail('exactly-once', `${describeSave(save)} was ${save.decision}, and was decided again: ${result.outcome}`);
    save.decision = result.outcome;
    if (result.outcome === 'refused') {
      if (save.isApplied || isWritten) this.fail('exactly-once', `${describeSave(save)} was saved online, and then refused (${result.refusal.message})`);
      this.#checkRefused(save, result.refusal);
    } else if (!isWritten) this.#checkNothingToDo(save);
  }

  /** An entry that was saved without a write: the record must have been so already. */
  #checkNothingToDo(save: Save): void {
    const current = this.history.current(save.key);
    const isLive = current !== null && !current.isDeleted;
    const isSo = save.op === 'remove' ? !isLive : isLive && [...save.fields].every(([field, { next }]) => isSame(current.values[field], next) || !this.#isDeviceField(save, field));
    if (!isSo) this.fail('content', `${describeSave(save)} was answered as saved, and online there is ${JSON.stringify(current?.values)}`);
  }

  #isDeviceField({ object }: Save, field: string): boolean {
    return DEVICE_FIELDS[object]!.includes(field);
  }

  /** Rule C5: the values in the way must be somebody else's. */
  #checkRefused(save: Save, { class: reason, fields }: { readonly class: string; readonly fields: readonly string[] }): void {
    if (reason !== 'conflict' && reason !== 'delete-vs-edit') return;
    const current = this.history.current(save.key);
    for (const field of fields) {
      const writer = current?.writers[field];
      if (writer === undefined || writer === 'online' || writer.store !== save.sentAs!.store) continue;
      const earlier = this.saves.sentAs(writer.store, writer.number);
      // What a trigger did to a field that the earlier save did not touch is a conflict indeed.
      if (earlier?.fields.has(field) === true) this.fail('self-conflict', `${describeSave(save)} was refused because of ${field}, which ${describeSave(earlier)} had set`);
    }
  }

  #checkApplied(save: Save, records: readonly RecordWrite[]): void {
    if (save.isApplied) this.fail('exactly-once', `${describeSave(save)} was saved twice`);
    if (save.place === 'undone') this.fail('no-lost-write', `${describeSave(save)} was undone, and then saved`);
    save.isApplied = true;
    this.#checkOrder(save);
    for (const record of records) {
      const before = this.history.current(`${record.object}/${record.id}`);
      const after = { key: `${record.object}/${record.id}`, isDeleted: record.isDeleted, values: this.history.read(record) };
      if (after.key === save.key) this.#checkWritten(save, before, after);
      else this.#checkBystander(save, before, after);
    }
  }

  /** A record besides the one saved: only what the server itself computes may change. */
  #checkBystander(save: Save, before: OnlineVersion | null, after: WrittenRecord): void {
    const object = after.key.slice(0, after.key.indexOf('/'));
    for (const field of DEVICE_FIELDS[object]!) {
      if (before === null || before.isDeleted !== after.isDeleted || !isSame(before.values[field], after.values[field])) this.fail('content', `${describeSave(save)} changed ${field} of ${after.key}`);
    }
  }

  #checkWritten(save: Save, before: OnlineVersion | null, after: WrittenRecord): void {
    if (after.isDeleted !== (save.op === 'remove')) this.fail('content', `${describeSave(save)} left a record that is ${after.isDeleted ? 'deleted' : 'live'}`);
    const wasLive = before !== null && !before.isDeleted;
    if (save.op !== 'create' && !wasLive) this.fail('content', `${describeSave(save)} was saved on a record that did not exist`);
    if (save.op === 'create' && wasLive) this.fail('exactly-once', `${describeSave(save)} was saved over a record that exists`);
    const old = wasLive ? before.values : {};
    const expected = expectedValues(save, old);
    for (const field of DEVICE_FIELDS[save.object]!) {
      const [was, is] = [old[field] ?? null, after.values[field] ?? null];
      if (save.op !== 'remove' && !isSame(is, expected[field])) this.fail('content', `${describeSave(save)} made ${field} ${JSON.stringify(is)} of ${JSON.stringify(was)}`);
      const isReplaced = save.op === 'remove' || (save.op === 'update' && save.fields.has(field) && !isSame(was, is));
      if (isReplaced && wasLive && isChecked(save.object)) this.#checkSeen(save, field, before);
    }
  }

  /** Rule A19: a value may be replaced by whoever saw it, and by whoever made it. */
  #checkSeen(save: Save, field: string, before: OnlineVersion): void {
    const saved = save.fields.get(field);
    const value = before.values[field] ?? null;
    if (saved === undefined || isSame(value, saved.previous) || isSame(value, saved.next)) return;
    const writer = before.writers[field];
    const earlier = writer === undefined || writer === 'online' ? null : this.saves.sentAs(writer.store, writer.number);
    if (earlier !== null && earlier.sentAs!.store === save.sentAs!.store && earlier.fields.has(field)) return;
    this.fail('silent-overwrite', `${describeSave(save)} replaced ${field} ${JSON.stringify(value)}, which its user never saw`);
  }

  /** Rule A17: everything that the user saved before is settled, or may be overtaken. */
  #checkOrder(save: Save): void {
    const mirror = this.mirror(save.device);
    if (mirror.meta?.store !== save.sentAs!.store) return; // Its store is gone; what was on its way still arrives.
    const held = new Set<string>();
    for (const earlier of mirror.queue) {
      if (earlier.seq >= save.seq) break;
      // One that was deferred may have been saved by a late copy of its request: its device does not know, and still holds what follows.
      if ((earlier.decision === 'saved' || earlier.isApplied) && !earlier.wasDeferred) continue;
      const isHeld = earlier.decision === 'refused' || earlier.place === 'failed' || earlier.wasDeferred || held.has(earlier.key) || referencesOf(earlier).some((key) => held.has(`+${key}`));
      if (!isHeld) return this.fail('fifo', `${describeSave(save)} was saved before ${describeSave(earlier)}`);
      held.add(earlier.key);
      if (earlier.op === 'create') held.add(`+${earlier.key}`);
    }
    if (held.has(save.key) || referencesOf(save).some((key) => held.has(`+${key}`))) this.fail('fifo', `${describeSave(save)} was saved although it depends on one that is not`);
  }

  /** Rules A29, A30: the feed row of a save names every record that it wrote, with their masters. */
  #checkFed(save: Save, records: readonly RecordWrite[], masters: ReadonlyMap<string, unknown>): void {
    const { store, number } = save.sentAs!;
    const row = this.history.feed(save.user).at(-1);
    if (row?.store !== store || row.number !== number) return this.fail('feed-complete', `${describeSave(save)} was saved, and is not on the feed`);
    for (const record of records) {
      const key = `${record.object}/${record.id}`;
      const { values } = this.history.current(key)!;
      if (!row.records.has(key) && isVisible(key, values, save.user)) this.fail('feed-complete', `${describeSave(save)} wrote ${key}, which its feed row leaves out`);
      if (record.object !== 'visit') continue;
      for (const account of new Set([values.account, masters.get(key)])) {
        if (account !== undefined && this.history.current(`account/${String(account)}`) !== null && !row.records.has(`account/${String(account)}`)) this.fail('feed-complete', `${describeSave(save)} is fed without the master account/${String(account)}`);
      }
    }
  }

  /** Rules A7, A28: a page holds what its user's own devices saved, and nothing else. */
  #checkPage(device: string, body: Uint8Array): void {
    const page = parseFeedAnswer(decodeEnvelope(body));
    const user = this.#owners.get(page.store);
    const feed = this.history.feed(user ?? '');
    const layouts = parseLayouts(page.layouts);
    const table = this.#options.core.readImages(page.items, layouts);
    if (!table.ok) return this.fail('true-images', `a feed page for ${device} cannot be read`);
    const keys = Array.from({ length: table.count }, (_, index) => `${layouts[table.layout(index)]!.object}/${table.id(index)}`);
    const fed = new Set<string>();
    for (const { position, store, number, items } of page.transactions) {
      const row = feed[position - 1];
      if (row === undefined || row.store !== store || row.number !== number) return this.fail('isolation', `a page for ${device} holds a save that is not on the feed of ${String(user)} at ${position}`);
      for (const index of items) if (row.records.has(keys[index]!)) fed.add(keys[index]!);
      for (const [key, version] of row.records) {
        const index = items.find((item) => keys[item] === key);
        if (index === undefined || compareVersions(table.version(index), version) < 0) this.fail('feed-complete', `position ${position} for ${device} comes without ${key} at version ${String(version)}`);
      }
    }
    for (const key of keys) if (!fed.has(key)) this.fail('isolation', `a page for ${device} holds ${key}, which none of its saves concerns`);
  }
}

type WrittenRecord = Pick<OnlineVersion, 'key' | 'isDeleted' | 'values'>;

/** What a save makes of a record, triggers included. */
function expectedValues(save: Save, old: Values): Values {
  const values = applySave(old, save) ?? {};
  if (save.object !== 'account') return values;
  return {
    ...values,
    ...(isSame(values.note, old.note) ? {} : { note: rewriteNote(values.note ?? null) }),
    ...(isSame(values.revenue, old.revenue) ? {} : { city: cityOf(values.revenue ?? null) }),
  };
}

/** The records that a save's new values name. */
function referencesOf({ object, fields }: Save): string[] {
  const definitions = schema.objects[object as ObjectName].fields as Readonly<Record<string, { readonly target?: string }>>;
  return [...fields].flatMap(([name, { next }]) => (definitions[name]?.target !== undefined && typeof next === 'string' ? [`${definitions[name].target}/${next}`] : []));
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
