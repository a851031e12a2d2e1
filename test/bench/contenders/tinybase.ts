import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Store {
  setTables(tables: Readonly<Record<string, Readonly<Record<string, object>>>>): void;
  setRow(table: string, id: string, row: object): void;
  getRow(table: string, id: string): { version?: number };
  getTable(table: string): Readonly<Record<string, { version: number; values: RecordValues }>>;
  transaction(work: () => void): void;
}

const rowOf = ({ version, values }: FeedRecord): object => ({ ...values, version });

/** TinyBase: a store in memory, a cell per field. Its own merge is by cell and clock, without checks; here the plain decisions are made before. */
export const tinybase = tableContender({
  name: 'TinyBase',
  note: 'store in memory, a cell per field; no groups, no conflict check, no versions of its own',
  async open() {
    const { createStore } = await library<{ createStore(): Store }>('tinybase');
    let store = createStore();
    return {
      load(rows) {
        store = createStore();
        store.setTables({ orders: Object.fromEntries(Array.from(rows, (row) => [row.id, rowOf(row)])) });
      },
      versionsOf: (ids) => ids.map((id) => store.getRow('orders', id).version ?? 0),
      put: (records) => store.transaction(() => records.forEach((record) => store.setRow('orders', record.id, rowOf(record)))),
      *records() {
        for (const [id, { version, ...values }] of Object.entries(store.getTable('orders'))) yield { id, version, values: values as unknown as RecordValues };
      },
    };
  },
});
