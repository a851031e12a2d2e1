import type { RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Doc {
  readonly _id: string;
  readonly _rev?: string;
  readonly version: number;
  readonly values: RecordValues;
}

interface Database {
  bulkDocs(docs: readonly Doc[]): Promise<readonly object[]>;
  allDocs(options: object): Promise<{ readonly rows: readonly { readonly id?: string; readonly doc?: Doc }[] }>;
  destroy(): Promise<unknown>;
}

interface PouchDB {
  new (name: string, options: object): Database;
  plugin(plugin: unknown): void;
}

/** PouchDB with its memory adapter. */
export const pouchdb = tableContender({
  name: 'PouchDB',
  note: 'memory adapter; keeps earlier revisions of every document',
  async open() {
    const { default: Pouch } = await library<{ default: PouchDB }>('pouchdb-core');
    Pouch.plugin((await library<{ default: unknown }>('pouchdb-adapter-memory')).default);
    let opened = 0;
    const create = (): Database => new Pouch(`bench-${++opened}`, { adapter: 'memory' });
    let database = create();
    const revisions = new Map<string, string>();
    return {
      async load(rows) {
        await database.destroy();
        database = create();
        await database.bulkDocs(Array.from(rows, ({ id, version, values }) => ({ _id: id, version, values })));
      },
      async versionsOf(ids) {
        const { rows } = await database.allDocs({ keys: ids, include_docs: true });
        for (const { doc } of rows) if (doc?._rev !== undefined) revisions.set(doc._id, doc._rev);
        return rows.map(({ doc }) => doc?.version ?? 0);
      },
      async put(records) {
        const docs = records.map(({ id, version, values }) => {
          const revision = revisions.get(id);
          return { _id: id, version, values, ...(revision === undefined ? {} : { _rev: revision }) };
        });
        const failed = (await database.bulkDocs(docs)).find((answer) => 'error' in answer);
        if (failed !== undefined) throw new Error(`PouchDB did not write: ${JSON.stringify(failed)}`);
      },
      async *records() {
        for (const { doc } of (await database.allDocs({ include_docs: true })).rows) yield { id: doc!._id, version: doc!.version, values: doc!.values };
      },
      close: () => database.destroy(),
    };
  },
});
