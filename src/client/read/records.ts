import type { DeviceCore } from '../../core/core.ts';
import { ByteReader } from '../../protocol/byte-reader.ts';
import { decodeRow, namesInMask } from '../../protocol/row.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import type { RecordSyncState, RecordView } from '../engine.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { memberOn, type HeldImage } from '../store/rows.ts';

/** A record with the user's own changes on top of what the server last said. */
export interface WorkingRecord {
  readonly base: HeldImage | null;
  /** In the layout of this build's schema; `null` when the record does not exist for the user. */
  readonly row: Uint8Array | null;
}

/** From this many entries on, what came out of applying them is kept. */
const LONG = 8;

/** Reads records the way the user sees them: base, then refused and queued changes in the order of saves. */
export class Records {
  readonly #store: LocalStore;
  readonly #core: DeviceCore;
  /** What came out last where many entries of one record wait: the next save adds one, and must not begin from the first again. */
  readonly #applied = new Map<Key, { readonly start: Uint8Array | null; readonly entries: readonly QueueEntry[]; readonly row: Uint8Array | null }>();

  constructor(store: LocalStore, core: DeviceCore) {
    this.#store = store;
    this.#core = core;
  }

  async read(key: Key): Promise<WorkingRecord> {
    const base = await this.#store.readBase(key);
    return { base, row: this.#workingRow(key, base) };
  }

  async readAll(keys: readonly Key[]): Promise<ReadonlyMap<Key, WorkingRecord>> {
    const bases = await this.#store.readBases(keys);
    return new Map(
      keys.map((key) => {
        const base = bases.get(key) ?? null;
        return [key, { base, row: this.#workingRow(key, base) }];
      }),
    );
  }

  async view(key: Key): Promise<RecordView | null> {
    return (await this.views([key]))[0] ?? null;
  }

  async views(keys: readonly Key[]): Promise<(RecordView | null)[]> {
    const bases = await this.#store.readBases(keys);
    return keys.map((key) => this.#view(key, bases.get(key) ?? null));
  }

  /** Accepts a Record ID of the server in place of the id at birth (rule C1). */
  async resolve(object: string, id: string, read: (key: Key) => Promise<WorkingRecord> = (key) => this.read(key)): Promise<Key> {
    const key = keyOf(object, id);
    const { row, base } = await read(key);
    if (row !== null || base !== null || this.#store.entriesOf(key).length > 0) return key;
    const birthId = await this.#store.findByRecordId(object, id);
    return birthId === null ? key : keyOf(object, birthId);
  }

  /** An object's records page by page: those of the store in id order, then those that exist only in the queue so far. */
  async *scan(object: string): AsyncGenerator<RecordView[]> {
    for await (const rows of this.scanRows(object)) yield rows.map(([key, row]) => this.#viewOf(key, row));
  }

  /** The same as rows, in the layout of this build's schema. */
  async *scanRows(object: string): AsyncGenerator<(readonly [Key, Uint8Array])[]> {
    const working = (key: Key, base: HeldImage | null): (readonly [Key, Uint8Array])[] => {
      const row = this.#workingRow(key, base);
      return row === null ? [] : [[key, row]];
    };
    for await (const rows of this.#store.scanBases(object)) yield rows.flatMap(([key, base]) => working(key, base));
    const keys = [...this.#store.busyKeys].filter((key) => splitKey(key).object === object);
    const bases = await this.#store.readBases(keys);
    yield keys.filter((key) => bases.get(key)?.state !== 'live').flatMap((key) => working(key, bases.get(key) ?? null));
  }

  /** The fields in which two rows of an object differ; none unless there are two. */
  changedFields(object: string, before: Uint8Array | null, after: Uint8Array | null): string[] {
    const layout = this.#store.layout(object);
    return before === null || after === null ? [] : namesInMask(layout, this.#core.diffRows(layout, before, after));
  }

  syncState(key: Key): RecordSyncState {
    const entries = this.#store.entriesOf(key);
    if (entries.some(({ state }) => state === 'failed')) return 'error';
    if (entries.some(({ state }) => state === 'sending')) return 'sending';
    return entries.length > 0 ? 'waiting' : 'synced';
  }

  #view(key: Key, base: HeldImage | null): RecordView | null {
    const row = this.#workingRow(key, base);
    return row && this.#viewOf(key, row);
  }

  #viewOf(key: Key, row: Uint8Array): RecordView {
    const { object, id } = splitKey(key);
    return { object, id, values: decodeRow(this.#store.layout(object), row), syncState: this.syncState(key) };
  }

  #workingRow(key: Key, base: HeldImage | null): Uint8Array | null {
    const start = this.#store.rowOf(base, splitKey(key).object);
    const entries = this.#store.entriesOf(key);
    const known = this.#applied.get(key);
    const isPrefix = known !== undefined && isSameRow(known.start, start) && known.entries.every((entry, index) => entry === entries[index]);
    let row = isPrefix ? known.row : start;
    for (let index = isPrefix ? known.entries.length : 0; index < entries.length; index++) row = this.#apply(key, entries[index]!, row);
    if (entries.length >= LONG) this.#applied.set(key, { start, entries, row });
    else this.#applied.delete(key);
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

function isSameRow(left: Uint8Array | null, right: Uint8Array | null): boolean {
  return left === null || right === null ? left === right : bytesEqual(left, right);
}
