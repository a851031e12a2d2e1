// Runs in a page in Chromium, driven by w4-client.bench.ts: the public client with its worker and IndexedDB, and rows put one by one as a
// program by hand does.
import { createSyncClient } from '../../bindings/web/index.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { orderId, orderRows, schema } from './order-pages.ts';

const PER_TRANSACTION = 10_000;

interface Row {
  readonly key: string;
  readonly bytes: ArrayBuffer;
}

function rowsOf(count: number, version: number): Row[] {
  const rowOf = orderRows();
  return Array.from({ length: count }, (_, place) => ({ key: orderId(place), bytes: rowOf(place, version).slice().buffer as ArrayBuffer }));
}

class ClientBench {
  readonly #client;

  constructor(name: string) {
    this.#client = createSyncClient({
      schema,
      user: 'ann',
      storage: indexedDb({ name }),
      transport: { url: '/sync', token: () => 'ann' },
      pollIntervalMs: 3_600_000,
      worker: () => new Worker('/sdk/worker/worker.js', { type: 'module' }),
    });
  }

  /** Waits until the client is up and has polled, and the page knows what it shows. */
  async open(): Promise<void> {
    await this.#client.ready;
    await this.#client.exchange();
    this.#client.status.subscribe(() => {});
    this.#client.objects['order']!.query({ where: { recordId: 'order 7' } }).subscribe(() => {});
  }

  /** @returns how long it took, in milliseconds */
  async download(): Promise<number> {
    const startedAt = performance.now();
    await this.#client.download();
    return performance.now() - startedAt;
  }

  /** Reads the feed to its end. @returns how long it took, in milliseconds */
  async exchange(): Promise<number> {
    const startedAt = performance.now();
    await this.#client.exchange();
    return performance.now() - startedAt;
  }

  /** Of every so manieth record: how many have the second version. */
  async countChanged(records: number, every: number): Promise<number> {
    let count = 0;
    for (let place = 0; place < records; place += every) {
      const record = await this.#client.objects['order']!.get(orderId(place));
      if ((record as Readonly<Record<string, unknown>> | null)?.['comment'] === 'looked at again, 2') count++;
    }
    return count;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

class RawBench {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(name: string): Promise<RawBench> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('rows');
    return new RawBench(await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }));
  }

  /** Puts so many rows, each once. @returns how long it took, in milliseconds */
  async put(count: number, version: number): Promise<number> {
    const rows = rowsOf(count, version);
    const startedAt = performance.now();
    for (let at = 0; at < rows.length; at += PER_TRANSACTION) {
      const transaction = this.#database.transaction('rows', 'readwrite', { durability: 'relaxed' });
      const store = transaction.objectStore('rows');
      for (const { key, bytes } of rows.slice(at, at + PER_TRANSACTION)) store.put(bytes, ['order', key]);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
    return performance.now() - startedAt;
  }

  close(): void {
    this.#database.close();
  }
}

const contenders = { openRaw: RawBench.open, openClient: (name: string) => new ClientBench(name) };

declare global {
  // What the driver calls.
  var contenders: { openRaw(name: string): Promise<RawBench>; openClient(name: string): ClientBench };
  var client: ClientBench;
}

Object.assign(globalThis, { contenders });
