import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { defineSchema, type Schema } from '../../src/schema.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { pglite } from '../../src/server/store/pglite.ts';
import { memory } from '../../src/storage/memory.ts';
import { http } from '../../src/transport/http.ts';
import { allRecords, allRecordsOn, allRecordsOnline } from '../support/all-records.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { findRealData, readAll, SchemaFromData, valuesOf, type DataEdit, type DataRecord } from '../support/real-data.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

/** Transactions that one device saves before it is the other's turn. */
const TURN = 20;

const folder = findRealData('northwind');
if (folder === null) console.warn('skipped: the data set northwind is not beside the project');

describe('northwind, the whole order book', () => {
  test.skipIf(folder === null)('C3, A29: two devices in turn over HTTP and PGlite; both and the server end as the last snapshot', { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const first = await readAll<DataRecord>(join(folder!, 'snapshot-first.ndjson.gz'));
    const last = await readAll<DataRecord>(join(folder!, 'snapshot-last.ndjson.gz'));
    const edits = await readAll<DataEdit>(join(folder!, 'edits.ndjson.gz'));
    const schema = schemaOf([...first, ...last]);
    const dataFolder = await mkdtemp(join(tmpdir(), 'fieldtide-northwind-'));
    const store = pglite({ folder: dataFolder });
    const server = createSyncServer({ schema, store, authenticate: () => ({ user: 'u' }) });
    const listener = createServer(server.nodeListener).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
    const devices = [createDevice(schema, url, 1), createDevice(schema, url, 2)] as const;
    try {
      const seeded = await server.online.save(first.map((record) => ({ op: 'create', object: record.object, id: record.id, values: valuesOf(record) })));
      expect(seeded.kind).toBe('saved');
      for (const device of devices) expect((await device.download()).records).toBe(first.length);

      const turns = turnsOf(edits);
      for (const [index, turn] of turns.entries()) {
        const [here, there] = index % 2 === 0 ? devices : [devices[1], devices[0]];
        for (const edit of turn) await play(here, edit);
        expect(await here.exchange()).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0 });
        expect(await there.exchange()).toMatchObject({ state: 'upToDate' });
      }

      const expected = allRecords(schema, last.map((record) => ({ object: record.object, id: record.id, values: valuesOf(record) })));
      for (const device of devices) expect(await allRecordsOn(device, schema)).toEqual(expected);
      expect(await allRecordsOnline(server, schema)).toEqual(expected);
      console.log(`northwind: ${edits.length} edits in ${turns.length} turns in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    } finally {
      for (const device of devices) await device.close();
      await server.close();
      await new Promise((resolve) => listener.close(resolve));
      await store.close();
      await rm(dataFolder, { recursive: true, force: true });
    }
  });
});

function schemaOf(records: readonly DataRecord[]): Schema {
  const collected = new SchemaFromData();
  for (const { object, master, fields } of records) collected.add(object, master, Object.entries(fields));
  return defineSchema({ version: 1, objects: collected.objects('group') });
}

function createDevice(schema: Schema, url: string, seed: number): SyncEngine {
  return createSyncEngine({
    schema,
    owner: { tenant: '', user: 'u' },
    storage: memory(),
    transport: http({ url }),
    core: createTwinCore(),
    // It stands still: nothing is polled but by `exchange`.
    clock: createManualClock(),
    random: createSeededRandom(seed),
  });
}

function turnsOf(edits: readonly DataEdit[]): DataEdit[][] {
  const turns: DataEdit[][] = [];
  const commits = [...new Set(edits.map(({ commit }) => commit))];
  const turnOf = new Map(commits.map((commit, index) => [commit, Math.floor(index / TURN)]));
  for (const edit of edits) (turns[turnOf.get(edit.commit)!] ??= []).push(edit);
  return turns;
}

async function play(device: SyncEngine, { object, id, op, master, fields }: DataEdit): Promise<void> {
  const next = Object.fromEntries(Object.entries(fields).map(([name, [, value]]) => [name, value]));
  if (op === 'delete') await device.remove(object, id);
  else if (op === 'create') await device.create(object, valuesOf({ fields: next, ...(master === undefined ? {} : { master }) }), id);
  else await device.update(object, id, next);
}
