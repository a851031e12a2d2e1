// Runs in a page of its own in Chromium, driven by w4-adapter.bench.ts: rows in IndexedDB, one by one as a program by hand writes them, and
// through the adapter.
import { countOf, idAt, rowBlock } from '../../src/core/row-block.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import type { PackedStorage, Storage } from '../../src/storage/storage-adapter.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CRM_LAYOUT, makeRecord } from './crm-rows.ts';

const OBJECT = 'order', PER_TRANSACTION = 10_000, PER_PAGE = 5_000, PER_READ = 4 << 20;
const OWNER = { tenant: 'bench', user: 'bench' };

interface Row {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** What a page of the browser can be asked for; each call does one thing that is timed, or prepares it. */
class Bench {
  readonly #random = createSeededRandom(7);
  readonly #rows: readonly Row[];
  #raw: IDBDatabase | null = null;
  #storage: Storage | null = null;
  #changed: readonly Row[] = [];
  #changedBlock = rowBlock([]);
  #changedIds = rowBlock([]);
  /** Pages as a download brings them. */
  readonly #pages: readonly Uint8Array[];

  constructor(count: number) {
    const hex = (byte: number) => byte.toString(16).padStart(2, '0');
    const rows = Array.from({ length: count }, () => ({ id: Array.from(this.#random.bytes(16), hex).join(''), bytes: encodeRow(CRM_LAYOUT, makeRecord(this.#random)) }));
    this.#rows = rows.sort((left, right) => (left.id < right.id ? -1 : 1));
    this.#pages = Array.from({ length: Math.ceil(count / PER_PAGE) }, (_, page) => rowBlock(this.#rows.slice(page * PER_PAGE, (page + 1) * PER_PAGE)));
  }

  get bytesPerRow(): number {
    return this.#rows.reduce((sum, { bytes }) => sum + bytes.length, 0) / this.#rows.length;
  }

  /** Chooses rows that change, in the order of a feed. */
  chooseChanged(count: number): void {
    const ids = new Map<string, Row>();
    while (ids.size < count) {
      const { id } = this.#rows[Math.floor(this.#random.next() * this.#rows.length)]!;
      ids.set(id, { id, bytes: encodeRow(CRM_LAYOUT, makeRecord(this.#random)) });
    }
    this.#changed = [...ids.values()];
    const sorted = this.#changed.toSorted((left, right) => (left.id < right.id ? -1 : 1));
    this.#changedBlock = rowBlock(sorted);
    this.#changedIds = rowBlock(sorted.map(({ id }) => ({ id, bytes: new Uint8Array() })));
  }

  async openRaw(): Promise<void> {
    this.#raw?.close();
    await deleted('raw');
    const request = indexedDB.open('raw', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('rows');
    this.#raw = await resultOf(request);
  }

  async openPacked(): Promise<void> {
    await this.#storage?.close();
    await deleted(`fieldtide ${JSON.stringify(['bench', OWNER.tenant, OWNER.user])}`);
    await this.reopenPacked();
  }

  async reopenPacked(): Promise<void> {
    this.#storage = await indexedDb({ name: 'bench' }).open(OWNER);
  }

  async rawFirst(): Promise<void> {
    await this.#putRaw(this.#rows);
  }

  async rawMerge(): Promise<void> {
    await this.#putRaw(this.#changed);
  }

  async rawReadAll(): Promise<number> {
    const rows = await resultOf(this.#raw!.transaction('rows').objectStore('rows').getAll());
    return rows.length;
  }

  /** Writes all rows page by page, as a download does, and waits for whatever the adapter does behind that. */
  async packedFirst(): Promise<void> {
    for (const page of this.#pages) await this.#putPacked(page);
    await this.#settle();
  }

  async packedMerge(): Promise<void> {
    await this.#putPacked(this.#changedBlock);
    await this.#settle();
  }

  /** Reads the rows around those that change, as a merge does before it writes. */
  async packedReadAround(): Promise<number> {
    return count(await this.#packed.readAround({ object: OBJECT, ids: this.#changedIds }));
  }

  async packedReadAll(): Promise<number> {
    let rows = 0;
    for (let after: string | undefined; ; ) {
      const blocks = await this.#packed.scan({ object: OBJECT, limitBytes: PER_READ, ...(after === undefined ? {} : { after }) });
      if (blocks.length === 0) return rows;
      rows += count(blocks);
      after = lastId(blocks.at(-1)!);
    }
  }

  async scanPage(limit: number): Promise<number> {
    return (await this.#storage!.scanRecords({ object: OBJECT, after: this.#changed[0]!.id, limit })).length;
  }

  async saveOne(): Promise<void> {
    const [row] = this.#changed;
    await this.#storage!.commit({ durability: 'strict', putRecords: [{ object: OBJECT, ...row! }], putState: [{ key: 'queue/1', bytes: new Uint8Array(300) }] });
  }

  async readMany(limit: number): Promise<number> {
    const rows = await this.#storage!.readRecords(this.#changed.slice(0, limit).map(({ id }) => ({ object: OBJECT, id })));
    return rows.filter((bytes) => bytes !== undefined).length;
  }

  async #putRaw(rows: readonly Row[]): Promise<void> {
    for (let at = 0; at < rows.length; at += PER_TRANSACTION) {
      const transaction = this.#raw!.transaction('rows', 'readwrite', { durability: 'relaxed' });
      const store = transaction.objectStore('rows');
      for (const { id, bytes } of rows.slice(at, at + PER_TRANSACTION)) store.put(bytes.buffer, [OBJECT, id]);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
  }

  async #putPacked(block: Uint8Array): Promise<void> {
    const answer = await this.#storage!.commit({ durability: 'relaxed', putPacked: [{ object: OBJECT, block }] });
    if (answer !== 'done') throw new Error(answer);
  }

  /** Closing waits for what is under way. */
  async #settle(): Promise<void> {
    // The adapter looks after its blocks once the commit is done: it has begun by the next turn.
    await new Promise((resolve) => setTimeout(resolve));
    await this.#storage!.close();
    await this.reopenPacked();
  }

  get #packed(): PackedStorage {
    return this.#storage!.packed!;
  }
}

function count(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, block) => sum + countOf(block), 0);
}

function lastId(block: Uint8Array): string {
  return idAt(block, countOf(block) - 1);
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function deleted(name: string): Promise<void> {
  await resultOf(indexedDB.deleteDatabase(name));
}

Object.assign(globalThis, { createBench: (count: number) => Object.assign(globalThis, { bench: new Bench(count) }) && undefined });
