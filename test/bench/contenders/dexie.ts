import type { FeedRecord } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Table {
  bulkPut(rows: readonly FeedRecord[]): Promise<unknown>;
  bulkGet(ids: readonly string[]): Promise<readonly (FeedRecord | undefined)[]>;
  clear(): Promise<void>;
  toArray(): Promise<readonly FeedRecord[]>;
}

interface Dexie {
  version(number: number): { stores(schema: Readonly<Record<string, string>>): void };
  table(name: string): Table;
  close(): void;
}

interface FakeIndexedDB {
  readonly indexedDB: unknown;
  readonly IDBKeyRange: unknown;
}

/** Dexie over an IndexedDB in memory: what that emulation costs counts too. */
export const dexie = tableContender({
  name: 'Dexie, fake-indexeddb',
  note: 'the emulated IndexedDB, which clones each row, takes most of the time; not what Dexie takes in a browser',
  async open() {
    const { Dexie } = await library<{ Dexie: new (name: string, options: FakeIndexedDB) => Dexie }>('dexie');
    const { indexedDB, IDBKeyRange } = await library<FakeIndexedDB>('fake-indexeddb');
    const database = new Dexie('bench', { indexedDB, IDBKeyRange });
    database.version(1).stores({ orders: 'id' });
    const orders = database.table('orders');
    return {
      async load(rows) {
        await orders.clear();
        await orders.bulkPut([...rows]);
      },
      versionsOf: async (ids) => (await orders.bulkGet(ids)).map((row) => row?.version ?? 0),
      put: (records) => orders.bulkPut(records),
      async *records() {
        yield* await orders.toArray();
      },
      close: () => database.close(),
    };
  },
});
