// W8: how long until a client that is started over a store with 100,000 rows has answered its first read?
import { Packr } from 'msgpackr';
import { createSyncClient } from '../../bindings/node/index.ts';
import { encodeImage, encodeLayout, STATE } from '../../src/client/store/stored.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { memory } from '../../src/storage/memory.ts';
import { compare } from './compare.ts';
import { FeedData } from './feed-data.ts';
import { feedSchema as schema } from './feed-server.ts';

const ROWS = 100_000;

const layout = layoutsOf(schema).get('order')!;
const records = [...new FeedData({ entries: 10, rows: ROWS }).rows()];
const storage = memory();
const filled = await storage.open({ tenant: '', user: 'ann' });
await filled.commit({
  putRecords: records.map(({ id, version, values }) => ({ object: 'order', id, bytes: encodeImage({ layout, version: [1, version], state: 'live', row: encodeRow(layout, values) }) })),
  putState: [{ key: STATE.layout + layout.hash, bytes: encodeLayout(layout) }],
  durability: 'relaxed',
});
await filled.close();

const packr = new Packr({ structures: [], maxSharedStructures: 32 });
const snapshot = Uint8Array.from(packr.pack(records));
const wanted = records[ROWS >> 1]!;

/** Opens a client, reads one record, and leaves. */
async function start(): Promise<unknown> {
  const client = createSyncClient({ schema, user: 'ann', storage, transport: { send: () => Promise.reject(new Error('there is no network')) } });
  const read = await client.objects.order.get(wanted.id);
  if (read?.amount !== wanted.values['amount']) throw new Error('the first read found another record');
  await client.close();
  return read;
}

await compare({
  id: 'w8-start',
  title: `W8: start over ${ROWS} rows, and the first read`,
  cases: [
    {
      name: 'by hand: decode all, read one',
      note: 'shared structures, one value of all rows, into a Map: what a store in memory does at its start',
      run: () => new Map((packr.unpack(snapshot) as typeof records).map((record) => [record.id, record])).get(wanted.id),
    },
    { name: 'fieldtide client', note: 'memory storage; opening, the read, and closing', run: start },
  ],
});
