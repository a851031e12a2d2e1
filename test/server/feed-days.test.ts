import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planPoll, readable } from '../../src/server/feed/plan-poll.ts';
import { pglite, type PGliteStore } from '../../src/server/store/pglite.ts';
import { postgres } from '../../src/server/store/postgres.ts';
import { CREATE_TABLES } from '../../src/server/store/sql/tables.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { createFakeClock, createWorld, type TestChange } from './harness.ts';

const DAY = 86_400_000;
const account = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });
const START = Date.UTC(2026, 0, 1);

describeOnPostgres('feeds that are kept by days', { timeout: 120_000 }, () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const partitions = async (url: string): Promise<string[]> => {
    const rows = await server.query(url, "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'fieldtide_feed_row'::regclass order by 1");
    return rows.map(({ name }) => String(name));
  };
  const dayOf = (time: number): string => `fieldtide_feed_row_d${Math.floor(time / DAY)}`;

  test('A31: a day that is over is dropped whole, and what is kept is read on', async () => {
    const url = await server.createDatabase();
    const store = postgres({ url });
    const clock = createFakeClock(START);
    const { device } = createWorld({ store, tenant: 't', clock });
    await store.turnDays!(clock.now(), 7 * DAY);
    expect(await partitions(url)).toEqual([dayOf(START), dayOf(START + DAY), dayOf(START + 2 * DAY), 'fieldtide_feed_row_rest']);
    const cursor = (await device('ann').poll(null))!.next;
    for (let number = 1; number <= 12; number++) {
      await device('ann').save(number, account(`a${number}`));
      await clock.advance(DAY);
    }
    const kept = await partitions(url);
    expect(kept).not.toContain(dayOf(START));
    expect(kept).toContain(dayOf(clock.now() - 8 * DAY));
    const rows = await server.query(url, 'select count(*)::int as rows from fieldtide_feed_row_rest');
    expect(rows).toEqual([{ rows: 0 }]);
    const page = (await device('ann').poll(cursor))!;
    expect(page).toMatchObject({ gap: 'expired', from: { position: 5 }, next: { position: 12 } });
    expect(await device('ann').poll(page.next)).toBeNull();
    expect((await device('ann').poll({ ...cursor, position: 5 }))!.gap).toBeNull();
    await store.close();
  });

  test('A31: rows of a table made before go along, and a server that starts beside does not make it twice', async () => {
    const url = await server.createDatabase();
    await server.query(url, ...CREATE_TABLES);
    const insert = (position: number, time: number): string => `insert into fieldtide_feed_row values ('t', 'ann', ${position}, ${time}, 's', ${position}, '[]')`;
    await server.query(url, `insert into fieldtide_feed values ('t', 'ann', 'f', 2, 0)`, insert(1, START), insert(2, START + 5));
    const stores = [0, 1, 2].map(() => postgres({ url }));
    await Promise.all(stores.map(({ ready }) => ready));
    const [store] = stores;
    expect((await store!.read('t', (view) => view.listFeed('ann', 0, 9))).map(({ position }) => position)).toEqual([1, 2]);
    await store!.turnDays!(START, 7 * DAY);
    // The day that has rows elsewhere stays without a partition.
    expect(await partitions(url)).toEqual([dayOf(START + DAY), dayOf(START + 2 * DAY), 'fieldtide_feed_row_rest']);
    await store!.run('t', (transaction) => transaction.prune({ feedBefore: START + 1, receiptsBefore: 0 }));
    expect((await store!.read('t', (view) => view.getFeed('ann')))?.floor).toBe(1);
    await Promise.all(stores.map((opened) => opened.close()));
  });

  test('A31: what was saved while the clock was behind goes with the day that it fell in, and who has not read it hears of a gap', async () => {
    const url = await server.createDatabase();
    const store = postgres({ url });
    const clock = createFakeClock(START);
    const { device } = createWorld({ store, tenant: 't', clock });
    await device('ann').save(1, account('a1'));
    const { next } = (await device('ann').poll(null))!;
    await clock.advance(-15 * DAY);
    await store.turnDays!(clock.now(), 7 * DAY);
    for (const number of [2, 3]) await device('ann').save(number, account(`a${number}`));
    await clock.advance(15 * DAY);
    await store.turnDays!(clock.now(), 7 * DAY);
    const page = (await device('ann').poll(next))!;
    expect(page).toMatchObject({ gap: 'expired', transactions: [], from: { position: 3 }, next: { position: 3 }, more: false });
    expect(await device('ann').poll(page.next)).toBeNull();
    const first = (await device('ann', 'ann-phone').poll(null))!;
    expect([first.saves.map(({ number }) => number), first.more]).toEqual([[1], true]);
    await device('ann').save(4, account('a4'));
    expect(await device('ann').poll(next)).toMatchObject({ gap: 'expired', from: { position: 3 }, next: { position: 4 } });
    await store.close();
  });

  test('A31: servers that turn the days at the same time do not hinder each other, and a day that cannot be dropped keeps none from being made', async () => {
    const url = await server.createDatabase();
    const stores = [0, 1, 2].map(() => postgres({ url }));
    await Promise.all(stores.map((store) => store.turnDays!(START, 7 * DAY)));
    expect(await partitions(url)).toEqual([0, 1, 2].map((day) => dayOf(START + day * DAY)).concat('fieldtide_feed_row_rest'));
    await server.query(url, `create view looks_on as select * from ${dayOf(START)}`);
    await expect(stores[0]!.turnDays!(START + 30 * DAY, 7 * DAY)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await partitions(url)).toEqual([dayOf(START), ...[30, 31, 32].map((day) => dayOf(START + day * DAY)), 'fieldtide_feed_row_rest']);
    await server.query(url, 'drop view looks_on');
    await Promise.all(stores.map((store) => store.turnDays!(START + 60 * DAY, 7 * DAY)));
    expect(await partitions(url)).toEqual([...[60, 61, 62].map((day) => dayOf(START + day * DAY)), 'fieldtide_feed_row_rest']);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('A31: a role that may not change tables deletes row by row', async () => {
    const url = await server.createDatabase();
    await server.query(url, ...CREATE_TABLES, 'create role plain login', 'grant select, insert, update, delete on all tables in schema public to plain');
    const said: string[] = [];
    const store = postgres({ url: url.replace('fieldtide@', 'plain@'), log: (message) => said.push(message) });
    await store.ready;
    expect(said).toContainEqual(expect.stringContaining('not kept by days'));
    await store.run('t', async (transaction) => {
      await transaction.openFeed('ann', 'f');
      for (const createdAt of [1, 2, 3]) await transaction.appendFeed('ann', { createdAt, store: 's', number: createdAt, records: [] });
    });
    await store.turnDays!(START, 7 * DAY);
    await store.run('t', (transaction) => transaction.prune({ feedBefore: 3, receiptsBefore: 0 }));
    expect((await store.read('t', (view) => view.listFeed('ann', 0, 9))).map(({ position }) => position)).toEqual([3]);
    await store.close();
  });
});

describe('feeds that are kept by days, on PGlite', { timeout: 60_000 }, () => {
  let folder = '', store: PGliteStore | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fieldtide-days-'));
    store = pglite({ folder, seedFolder: join(tmpdir(), 'fieldtide-test-seed') });
    await store.ready;
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('A31: what is over is gone, and what is kept is read on', async () => {
    const clock = createFakeClock(START);
    const { device } = createWorld({ store: store!, tenant: 't', clock });
    await store!.turnDays!(clock.now(), 7 * DAY);
    const cursor = (await device('ann').poll(null))!.next;
    for (let number = 1; number <= 12; number++) {
      await device('ann').save(number, account(`a${number}`));
      await clock.advance(DAY);
    }
    expect((await store!.read('t', (view) => view.listFeed('ann', 0, 99)))[0]?.position).toBeGreaterThan(1);
    expect(await device('ann').poll(cursor)).toMatchObject({ gap: 'expired', from: { position: 5 }, next: { position: 12 } });
  });
});

describe('a feed with a hole', () => {
  const row = (position: number) => ({ position, createdAt: 0, store: 's', number: position, records: [] });
  test.each([
    ['none', 3, [4, 5, 6], 3, [4, 5, 6]],
    ['at its beginning', 3, [6, 7], 5, [6, 7]],
    ['further on', 3, [4, 5, 8], 3, [4, 5]],
    ['at its end', 3, [], 9, []],
  ])('A31: is read up to the hole, or from behind it: %s', (_case, from, positions, begin, read) => {
    const found = readable(from, positions.map(row), 9);
    expect([found.from, found.rows.map(({ position }) => position)]).toEqual([begin, read]);
  });

  test('A31: a plan never goes below the floor', () => {
    expect(planPoll(null, { feed: { feed: 'f', epoch: 1, head: 9, floor: 4 }, oldest: 5 })).toEqual({ from: 4, gap: 'expired' });
  });
});
