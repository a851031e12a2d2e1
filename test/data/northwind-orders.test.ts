import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import type { Change } from '../../src/client/queue/transaction.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import type { Schema } from '../../src/schema.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { pglite } from '../../src/server/store/pglite.ts';
import { memory } from '../../src/storage/memory.ts';
import { http } from '../../src/transport/http.ts';
import { allRecordsOn, allRecordsOnline, type AllRecords } from '../support/all-records.ts';
import { loseEveryAnswerOnce, type LossyTransport } from '../support/lose-answers.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { findRealData, groupBy, readAll, type DataEdit, type DataRecord } from '../support/real-data.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { KNOWN_TOTALS, expectedOrderBook, orderBookFormulas, orderBookSchema, orderBookValues, withoutRecordIds } from './order-book.ts';

/** Transactions that one device saves before it is the other's turn. */
const TURN = 20;

/** An exchange is a handful of requests, and a read of each record whose change was undone: each of them is lost once, and ends the exchange. */
const MOST_ATTEMPTS = 200;

/** What no order line of the sample holds, so that it shows where it should not. */
const LATE_QUANTITY = 7_777;

const folder = findRealData('northwind');
if (folder === null) console.warn('skipped: the data set northwind is not beside the project');

describe('northwind, orders as groups', () => {
  test.skipIf(folder === null)('A15, A24, A27, A30, C2: with every answer lost once, both devices and the server have each order once, with its number, and the known totals', { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const first = await readAll<DataRecord>(join(folder!, 'snapshot-first.ndjson.gz'));
    const last = await readAll<DataRecord>(join(folder!, 'snapshot-last.ndjson.gz'));
    const edits = await readAll<DataEdit>(join(folder!, 'edits.ndjson.gz'));
    const schema = orderBookSchema([...first, ...last]);
    const backend = await startBackend(schema);
    const devices = [createDevice(schema, backend.url, 1), createDevice(schema, backend.url, 2)] as const;
    try {
      const seeded = await backend.server.online.save(first.map((record) => ({ op: 'create', object: record.object, id: record.id, values: orderBookValues(record) })));
      expect(seeded.kind).toBe('saved');
      for (const device of devices) expect(await downloadThrough(device)).toBe(first.length);

      const turns = turnsOf(edits);
      let late = 0;
      for (const [index, turn] of turns.entries()) {
        const [here, there] = index % 2 === 0 ? devices : [devices[1], devices[0]];
        for (const { engine } of devices) await engine.setLifecycle({ isOnline: false });
        late += await editWhatShips(there.engine, turn, edits);
        for (const transaction of turn) await here.engine.save(transaction.map(changeOf));
        for (const device of [here, there]) {
          await device.engine.setLifecycle({ isOnline: true });
          expect(await exchangeThrough(device)).toMatchObject({ pending: 0 });
        }
        await expectShippedLocked(there.engine, turn);
      }
      expect(late).toBeGreaterThan(50);

      const errors = await Promise.all(devices.map(({ engine }) => engine.listSyncErrors()));
      expect(errors.flat().map(({ class: reason }) => reason)).toEqual(Array.from({ length: late }, () => 'locked'));
      for (const { engine } of devices) await engine.resolveAll('all', 'undo');
      for (const device of devices) expect(await exchangeThrough(device)).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0 });
      for (const [at, { engine }] of devices.entries()) {
        const undone = await engine.readJournal();
        expect(undone.map(({ entry, reason, members }) => [entry, reason, members[0]!.mine])).toEqual(errors[at]!.map(({ id }) => [id, 'undone', { Quantity: LATE_QUANTITY }]));
      }

      const online = await allRecordsOnline(backend.server, schema);
      for (const { engine } of devices) expect(await allRecordsOn(engine, schema)).toEqual(online);
      expect(withoutRecordIds(online)).toEqual(expectedOrderBook(schema, last, edits));
      const recordIds = [...online].flatMap(([key, { serverId }]) => (key.startsWith('order/') ? [serverId] : []));
      expect(new Set(recordIds).size).toBe(recordIds.length);
      expect(recordIds).not.toContain(null);
      expect(totalsOf(online)).toEqual(KNOWN_TOTALS);
      const lost = devices.reduce((sum, { transport }) => sum + transport.lost, 0);
      console.log(`northwind orders: ${edits.length} edits in ${turns.flat().length} transactions, ${late} too late, ${lost} answers lost, in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    } finally {
      for (const { engine } of devices) await engine.close();
      await backend.close();
    }
  });
});

interface Device {
  readonly engine: SyncEngine;
  readonly transport: LossyTransport;
}

async function startBackend(schema: Schema) {
  const dataFolder = await mkdtemp(join(tmpdir(), 'fieldtide-orders-'));
  const store = pglite({ folder: dataFolder });
  const server = createSyncServer({ schema, store, authenticate: () => ({ user: 'u' }), objects: orderBookFormulas });
  const listener = createServer(server.nodeListener).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    server,
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`,
    async close() {
      await server.close();
      await new Promise((resolve) => listener.close(resolve));
      await store.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

function createDevice(schema: Schema, url: string, seed: number): Device {
  const transport = loseEveryAnswerOnce(http({ url }));
  const engine = createSyncEngine({
    schema,
    owner: { tenant: '', user: 'u' },
    storage: memory(),
    transport,
    core: createTwinCore(),
    // It stands still: nothing is polled but by `exchange`.
    clock: createManualClock(),
    random: createSeededRandom(seed),
  });
  return { engine, transport };
}

/** Tries again until everything was answered. */
async function exchangeThrough({ engine }: Device): Promise<SyncStatus> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const status = await engine.exchange();
    if (status.lastFault === null && status.retryInMs === null) return status;
  }
  throw new Error(`not answered after ${MOST_ATTEMPTS} attempts: ${JSON.stringify(await engine.status())}`);
}

async function downloadThrough({ engine, transport }: Device): Promise<number> {
  for (;;) {
    const { lost } = transport;
    try {
      return (await engine.download()).records;
    } catch (fault) {
      if (transport.lost === lost) throw fault;
    }
  }
}

/** The log's transactions, some to a turn. */
function turnsOf(edits: readonly DataEdit[]): (readonly DataEdit[])[][] {
  const transactions = [...groupBy(edits, ({ commit }) => commit).values()];
  return Array.from({ length: Math.ceil(transactions.length / TURN) }, (_, turn) => transactions.slice(turn * TURN, (turn + 1) * TURN));
}

function changeOf({ object, id, op, master, fields }: DataEdit): Change {
  if (op === 'delete') return { op: 'remove', object, id };
  const values = orderBookValues({ object, fields: Object.fromEntries(Object.entries(fields).map(([name, [, next]]) => [name, next])), ...(master === undefined ? {} : { master }) });
  return { op, object, id, values };
}

/** Edits a line of the first order that the other device ships in its turn, without knowing of it; answers how many. */
async function editWhatShips(there: SyncEngine, turn: readonly (readonly DataEdit[])[], edits: readonly DataEdit[]): Promise<number> {
  const shipped = turn.flat().find(({ op }) => op === 'update');
  const line = edits.find(({ master }) => master === `order/${shipped?.id}`);
  // Ordered and shipped in one turn: this device has never seen it.
  if (line === undefined || (await there.get('orderLine', line.id)) === null) return 0;
  await there.update('orderLine', line.id, { Quantity: LATE_QUANTITY });
  return 1;
}

/** Rule A24: nobody edits on a device what is known to have shipped. */
async function expectShippedLocked(there: SyncEngine, turn: readonly (readonly DataEdit[])[]): Promise<void> {
  const shipped = turn.flat().findLast(({ op }) => op === 'update');
  if (shipped !== undefined) await expect(there.update('order', shipped.id, { Freight: 1 })).rejects.toMatchObject({ code: 'RECORD_LOCKED' });
}

/** Sums of what the records hold, in ten-thousandths: nothing is lost to rounding. */
function totalsOf(records: AllRecords): typeof KNOWN_TOTALS {
  const sum = (object: string, field: string): number =>
    [...records].reduce((total, [key, values]) => (key.startsWith(`${object}/`) ? total + Math.round(Number(values[field] ?? 0) * 10_000) : total), 0);
  return { lines: sum('orderLine', 'net'), orders: sum('order', 'net'), customers: sum('customer', 'net'), gross: sum('order', 'gross') };
}
