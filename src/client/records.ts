import type { Core } from '../core/core.ts';
import { ByteReader } from '../protocol/byte-reader.ts';
import { decodeRow } from '../protocol/row.ts';
import type { RecordSyncState, RecordView } from './engine.ts';
import type { LocalStore } from './local-store.ts';
import type { QueueEntry } from './queue-entry.ts';
import { keyOf, splitKey, type Key } from './record-key.ts';
import { memberOn, type HeldImage } from './rows.ts';

const PAGE = 500;

/** A record with the user's own changes on top of what the server last said. */
export interface WorkingRecord {
  readonly base: HeldImage | null;
  /** In the layout of this build's schema; `null` when the record does not exist for the user. */
  readonly row: Uint8Array | null;
}

/** Reads records the way the user sees them: base, then refused and queued changes in the order of saves. */
export class Records {
  readonly #store: LocalStore;
  readonly #core: Core;

  constructor(store: LocalStore, core: Core) {
    this.#store = store;
    this.#core = core;
  }

  async read(key: Key): Promise<WorkingRecord> {
    const [base] = await this.#store.readBases([key]);
    return { base: base ?? null, row: this.#workingRow(key, base ?? null) };
  }

  async view(key: Key): Promise<RecordView | null> {
    const { row } = await this.read(key);
    return row === null ? null : this.#viewOf(key, row);
  }

  async views(keys: readonly Key[]): Promise<(RecordView | null)[]> {
    const bases = await this.#store.readBases(keys);
    return keys.map((key, index) => {
      const row = this.#workingRow(key, bases[index] ?? null);
      return row === null ? null : this.#viewOf(key, row);
    });
  }

  /** Accepts a Record ID of the server in place of the id at birth (rule C1). */
  async resolve(object: string, id: string): Promise<Key> {
    const key = keyOf(object, id);
    const { row, base } = await this.read(key);
    if (row !== null || base !== null) return key;
    const birthId = await this.#store.findByRecordId(object, id);
    return birthId === null ? key : keyOf(object, birthId);
  }

  /** One page of an object's records in id order; `next` is where to go on, `null` at the end. */
  async scan(object: string, after: string | undefined): Promise<{ readonly views: RecordView[]; readonly next: string | null }> {
    const rows = await this.#store.scanBases(object, after, PAGE);
    const views: RecordView[] = [];
    for (const { id, base } of rows) {
      const key = keyOf(object, id);
      const row = this.#workingRow(key, base);
      if (row !== null) views.push(this.#viewOf(key, row));
    }
    return { views, next: rows.length < PAGE ? null : rows.at(-1)!.id };
  }

  /** Records that exist only in the queue so far. */
  async createdHere(object: string): Promise<RecordView[]> {
    const keys = [...this.#store.busyKeys].filter((key) => splitKey(key).object === object);
    const bases = await this.#store.readBases(keys);
    return keys.flatMap((key, index) => {
      const base = bases[index] ?? null;
      if (base?.state === 'live') return [];
      const row = this.#workingRow(key, base);
      return row === null ? [] : [this.#viewOf(key, row)];
    });
  }

  syncState(key: Key): RecordSyncState {
    const entries = this.#store.entriesOf(key);
    if (entries.some(({ state }) => state === 'failed')) return 'error';
    if (entries.some(({ state }) => state === 'sending')) return 'sending';
    return entries.length > 0 ? 'waiting' : 'synced';
  }

  #viewOf(key: Key, row: Uint8Array): RecordView {
    const { object, id } = splitKey(key);
    return { object, id, values: decodeRow(this.#store.layout(object), row), syncState: this.syncState(key) };
  }

  #workingRow(key: Key, base: HeldImage | null): Uint8Array | null {
    const { object } = splitKey(key);
    let row = this.#store.rowOf(base, object);
    for (const entry of this.#store.entriesOf(key)) row = this.#apply(key, entry, row);
    return row;
  }

  #apply(key: Key, entry: QueueEntry, row: Uint8Array | null): Uint8Array | null {
    const { object, id } = splitKey(key);
    const layout = this.#store.layout(object);
    const member = entry.members.find((candidate) => candidate.object === object && candidate.id === id)!;
    if (member.op === 'remove') return null;
    const { mask, previous, next } = memberOn(layout, member);
    if (next === null) return row;
    if (mask === null) return next;
    if (row === null || previous === null) return row;
    return new ByteReader(next).array() === 0 ? row : this.#core.applyEdit(layout, { mask, previous, next }, mask, row);
  }
}
