import { CRM_LAYOUT } from '../crm-rows.ts';
import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

/** A record as RxDB keeps it. */
export type RxRecord = RecordValues & { readonly id: string; readonly version: number };

/** What is called of an RxDB collection. */
export interface RxCollection {
  bulkUpsert(docs: readonly RxRecord[]): Promise<{ readonly error: readonly object[] }>;
  findByIds(ids: readonly string[]): { exec(): Promise<ReadonlyMap<string, { readonly version: number }>> };
  find(): { exec(): Promise<readonly { toJSON(): RxRecord }[]>; remove(): Promise<unknown> };
}

interface RxDatabase {
  addCollections(collections: object): Promise<{ readonly orders: RxCollection }>;
  close(): Promise<unknown>;
}

/** A database with one collection in memory. */
export async function openRxDatabase(): Promise<{ readonly orders: RxCollection; close(): Promise<unknown> }> {
  const { createRxDatabase } = await library<{ createRxDatabase(options: object): Promise<RxDatabase> }>('rxdb');
  const { getRxStorageMemory } = await library<{ getRxStorageMemory(): object }>('rxdb/plugins/storage-memory');
  const database = await createRxDatabase({ name: `bench-${performance.now()}`, storage: getRxStorageMemory(), multiInstance: false });
  const fields = CRM_LAYOUT.fields.map(({ name, type }) => [name, propertyOf(type)]);
  const properties = { id: { type: 'string', maxLength: 40 }, version: { type: 'number' }, ...Object.fromEntries(fields) };
  const { orders } = await database.addCollections({ orders: { schema: { version: 0, primaryKey: 'id', type: 'object', properties } } });
  return { orders, close: () => database.close() };
}

/** A record as RxDB keeps it. */
export function rxRecord({ id, version, values }: FeedRecord): RxRecord {
  return { ...values, id, version };
}

/** RxDB with its memory storage, without replication: that is compared with the whole client. */
export const rxdb = tableContender({
  name: 'RxDB, bulkUpsert',
  note: 'memory storage; its replication is in the comparison of clients',
  async open() {
    let database = await openRxDatabase();
    return {
      async load(rows) {
        await database.close();
        database = await openRxDatabase();
        await write(database.orders, Array.from(rows, rxRecord));
      },
      async versionsOf(ids) {
        const held = await database.orders.findByIds(ids).exec();
        return ids.map((id) => held.get(id)?.version ?? 0);
      },
      put: (records) => write(database.orders, records.map(rxRecord)),
      async *records() {
        for (const doc of await database.orders.find().exec()) {
          const { id, version, ...values } = doc.toJSON();
          yield { id, version, values: values as unknown as RecordValues };
        }
      },
      close: () => database.close(),
    };
  },
});

async function write(orders: RxCollection, docs: readonly RxRecord[]): Promise<void> {
  const { error } = await orders.bulkUpsert(docs);
  if (error.length > 0) throw new Error(`RxDB did not write: ${JSON.stringify(error[0])}`);
}

function propertyOf(type: string): object {
  if (type === 'multiPicklist') return { type: ['array', 'null'], items: { type: 'string' } };
  if (type === 'boolean') return { type: ['boolean', 'null'] };
  return { type: [type === 'integer' || type === 'number' ? 'number' : 'string', 'null'] };
}
