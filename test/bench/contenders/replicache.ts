import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { tableContender } from './record-table.ts';

interface Kept {
  readonly version: number;
  readonly values: RecordValues;
}

type Patch = readonly ({ readonly op: 'clear' } | { readonly op: 'put'; readonly key: string; readonly value: Kept })[];

interface ReadTransaction {
  get(key: string): Promise<Kept | undefined>;
  scan(): { entries(): AsyncIterable<readonly [string, Kept]> };
}

interface Replicache {
  pull(): Promise<void>;
  query<Answer>(work: (transaction: ReadTransaction) => Promise<Answer>): Promise<Answer>;
  close(): Promise<void>;
}

interface PullAnswer {
  readonly httpRequestInfo: { readonly httpStatusCode: number; readonly errorMessage: string };
  readonly response: { readonly cookie: number; readonly lastMutationIDChanges: object; readonly patch: Patch };
}

/** Replicache with its store in memory: a pull whose answer is a patch. It needs no key, and runs without a network. */
export const replicache = tableContender({
  name: 'Replicache',
  note: 'a pull with a patch of whole values, store in memory; nothing is pending, so nothing is rebased',
  async open() {
    type Options = { readonly name: string; readonly kvStore: 'mem'; readonly pullInterval: null; readonly logLevel: 'error'; puller(): Promise<PullAnswer> };
    const { Replicache } = await library<{ Replicache: new (options: Options) => Replicache }>('replicache');
    let patch: Patch = [], cookie = 0;
    const replica = new Replicache({
      name: 'bench',
      kvStore: 'mem',
      pullInterval: null,
      logLevel: 'error',
      puller: () => Promise.resolve({ httpRequestInfo: { httpStatusCode: 200, errorMessage: '' }, response: { cookie: ++cookie, lastMutationIDChanges: {}, patch } }),
    });
    const puts = (records: Iterable<FeedRecord>): Patch => Array.from(records, ({ id, version, values }) => ({ op: 'put', key: id, value: { version, values } }));
    const pull = async (next: Patch): Promise<void> => {
      patch = next;
      await replica.pull();
    };
    return {
      load: (rows) => pull([{ op: 'clear' }, ...puts(rows)]),
      versionsOf: (ids) =>
        replica.query(async (transaction) => {
          const versions: number[] = [];
          for (const id of ids) versions.push((await transaction.get(id))?.version ?? 0);
          return versions;
        }),
      put: (records) => pull(puts(records)),
      async *records() {
        const all: [string, Kept][] = [];
        await replica.query(async (transaction) => {
          for await (const [id, kept] of transaction.scan().entries()) all.push([id, kept]);
        });
        for (const [id, kept] of all) yield { id, ...kept };
      },
      close: () => replica.close(),
    };
  },
});
