import type { RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Kept {
  readonly version: number;
  readonly values: RecordValues;
}

interface Doc {
  getMap(name: string): { get(id: string): Kept | undefined; set(id: string, value: Kept): void; entries(): Iterable<[string, Kept]> };
  transact(work: () => void): void;
}

/** Yjs: a map of whole records. A map per record would merge fields, and take several times as long. */
export const yjs = tableContender({
  name: 'Yjs',
  note: 'one map of whole records, the last writer of a record wins; keeps what it needs to merge with other replicas',
  async open() {
    const { Doc } = await library<{ Doc: new () => Doc }>('yjs');
    let doc = new Doc();
    return {
      load(rows) {
        doc = new Doc();
        const orders = doc.getMap('orders');
        doc.transact(() => {
          for (const { id, version, values } of rows) orders.set(id, { version, values });
        });
      },
      versionsOf: (ids) => ids.map((id) => doc.getMap('orders').get(id)?.version ?? 0),
      put: (records) => doc.transact(() => records.forEach(({ id, version, values }) => doc.getMap('orders').set(id, { version, values }))),
      *records() {
        for (const [id, kept] of doc.getMap('orders').entries()) yield { id, ...kept };
      },
    };
  },
});
