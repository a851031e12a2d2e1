/**
 * Storage in memory.
 *
 * @module fieldtide/storage/memory
 */
import { countOf } from '../core/row-block.ts';
import { bytesEqual, copyBytes } from '../shared/bytes.ts';
import { SyncFault } from '../shared/fault.ts';
import { RecordTable } from './record-table.ts';
import { SortedTable } from './sorted-table.ts';
import type { Commit, PackedStorage, RecordKey, Storage, StorageAdapter, StoreOwner } from './storage-adapter.ts';

/**
 * Makes an adapter that keeps everything in memory, for tests and for hosts that want nothing on the device. Data lives as long as the
 * adapter object: opening a store again finds it, and all that have it open share it.
 */
export function memory(): StorageAdapter {
  const stores = new Map<string, MemoryStore>();
  return {
    open(owner) {
      const name = nameOf(owner);
      const store = stores.get(name) ?? new MemoryStore();
      stores.set(name, store);
      return Promise.resolve(new MemoryStorage(store));
    },
  };
}

// As JSON, so that no tenant and user run together into another pair.
function nameOf({ tenant, user }: StoreOwner): string {
  return JSON.stringify([tenant, user]);
}

class MemoryStore {
  readonly state = new SortedTable();
  readonly #records = new Map<string, RecordTable>();

  recordsOf(object: string): RecordTable {
    const known = this.#records.get(object);
    if (known !== undefined) return known;
    const fresh = new RecordTable();
    this.#records.set(object, fresh);
    return fresh;
  }

  meets(expect: Commit['expect']): boolean {
    return (expect ?? []).every(({ key, bytes }) => {
      const held = this.state.get(key);
      return held === undefined || bytes === null ? held === undefined && bytes === null : bytesEqual(held, bytes);
    });
  }

  /** A row of the same size is overwritten: reads hand out copies, and a buffer costs more than its bytes. */
  #putState(key: string, bytes: Uint8Array): void {
    const held = this.state.get(key);
    if (held?.length === bytes.length) held.set(bytes);
    else this.state.put(key, copyBytes(bytes));
  }

  write({ putRecords = [], putPacked = [], removeRecords = [], putState = [], removeState = [] }: Commit): void {
    for (const { object, id } of removeRecords) this.recordsOf(object).remove(id);
    for (const { object, block } of putPacked) this.recordsOf(object).putPacked(block);
    for (const { object, id, bytes } of putRecords) this.recordsOf(object).put(id, bytes);
    for (const key of removeState) this.state.remove(key);
    for (const { key, bytes } of putState) this.#putState(key, bytes);
  }
}

// Each call does all of its work before it returns its promise: nothing of another call, and no later mutation of the caller's own
// arrays, comes between.
class MemoryStorage implements Storage {
  readonly #store: MemoryStore;
  #isClosed = false;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async readRecords(keys: readonly RecordKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#assertOpen('read records');
    return keys.map(({ object, id }) => this.#store.recordsOf(object).get(id));
  }

  async scanRecords({ object, after, limit }: Parameters<Storage['scanRecords']>[0]): ReturnType<Storage['scanRecords']> {
    this.#assertOpen(`scan records of ${object}`);
    return this.#store.recordsOf(object).rows({ after, limit }).map(([id, bytes]) => ({ object, id, bytes }));
  }

  async scanState({ prefix, after, limit }: Parameters<Storage['scanState']>[0]): ReturnType<Storage['scanState']> {
    this.#assertOpen(`scan state under ${prefix}`);
    const table = this.#store.state;
    return table.keys({ prefix, after, limit }).map((key) => ({ key, bytes: copyBytes(table.get(key)!) }));
  }

  async commit(commit: Commit): Promise<'done' | 'stale'> {
    this.#assertOpen('commit');
    if (!this.#store.meets(commit.expect)) return 'stale';
    this.#store.write(commit);
    return 'done';
  }

  readonly packed: PackedStorage = {
    readAround: async ({ object, ids }) => {
      this.#assertOpen(`read records of ${object}`);
      return [this.#store.recordsOf(object).pick(ids)].filter((block) => countOf(block) > 0);
    },
    scan: async ({ object, ...range }) => {
      this.#assertOpen(`scan records of ${object}`);
      return this.#store.recordsOf(object).scan(range);
    },
  };

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  #assertOpen(what: string): void {
    if (this.#isClosed) throw new SyncFault('STORAGE_CLOSED', `cannot ${what}: the storage is closed`);
  }
}
