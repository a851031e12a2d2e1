import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { postgres } from '../../src/server/store/postgres.ts';
import type { StoreTransaction } from '../../src/server/store/server-store.ts';
import { note, noteKey } from '../../src/testing/server-store-suite/context.ts';
import { createMeeting } from '../support/meeting.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { usePostgres } from './postgres-stores.ts';

describeOnPostgres('PostgreSQL store', { timeout: 60_000 }, () => {
  const { url, createDatabase, query, connections, open, openOnPool } = usePostgres({ fsync: 'on' });

  describe('at its start', () => {
    test('makes its tables together with others that start at the same time', async () => {
      for (let round = 0; round < 5; round++) {
        const empty = await createDatabase();
        const stores = Array.from({ length: 6 }, () => open({ url: empty }));
        await Promise.all(stores.map((store) => store.ready));
        expect(await Promise.all(stores.map((store) => store.run('t', (transaction) => transaction.nextNumber('note', 'n'))))).toHaveLength(6);
      }
    });

    test('needs no right to make tables where they are', async () => {
      const shared = await createDatabase();
      const plain = shared.replace('fieldtide@', 'plain@');
      await query(shared, 'create role plain login');
      await expect(open({ url: plain }).ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'statement-failed', state: '42501' } });
      await open({ url: shared }).ready;
      await query(shared, 'grant select, insert, update, delete on all tables in schema public to plain');
      const store = open({ url: plain });
      await store.run('t', (transaction) => transaction.putRecords([note('a', 'x')]));
      expect(await store.read('t', (view) => view.getRecords([noteKey('a')]))).toHaveLength(1);
    });

    test('says what a commit survives', async () => {
      expect(await open().durability()).toBe('power-loss');
      const said: string[] = [];
      const careless = open({ url: `${url()}&options=${encodeURIComponent('-c synchronous_commit=off')}`, log: (message) => said.push(message) });
      expect(await careless.durability()).toBe('process-crash');
      expect(said).toEqual([expect.stringContaining('loss of power')]);
    });

    test('refuses a database that cannot hold every text', async () => {
      const latin = await createDatabase("encoding 'LATIN1' template template0");
      await expect(open({ url: latin }).ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'encoding', encoding: 'LATIN1' } });
    });

    test('refuses options that name no database', () => {
      expect(() => postgres({ url: '' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    });
  });

  describe('transactions', () => {
    test('two that create the same record: the second finds the record of the first', async () => {
      const store = open();
      const met = createMeeting(2);
      const attempts: number[] = [0, 0];
      const create = (index: number) =>
        store.run('create', async (transaction) => {
          attempts[index]! += 1;
          const found = await transaction.lockRecords([noteKey('a')]);
          if (attempts[index] === 1) await met();
          if (found.length === 0) await transaction.putRecords([note('a', `by ${index}`)]);
          return found.length === 0 ? 'created' : 'found';
        });
      expect((await Promise.all([create(0), create(1)])).sort()).toEqual(['created', 'found']);
      expect(attempts.toSorted()).toEqual([1, 2]);
    });

    test('read from one snapshot, whatever others commit meanwhile', async () => {
      const store = open();
      await store.run('snapshot', (transaction) => transaction.putRecords([note('a', 'x')]));
      const seen = await store.read('snapshot', async (view) => {
        const before = await view.scanRecords('note', null, 9);
        await store.run('snapshot', (transaction) => transaction.putRecords([note('a', 'y', 2), note('b', 'z')]));
        return [before, await view.scanRecords('note', null, 9)];
      });
      expect(seen[1]).toEqual(seen[0]);
    });

    test('commit nothing once a statement has failed, even if the work goes on', async () => {
      const store = open();
      const work = async (transaction: StoreTransaction): Promise<void> => {
        await transaction.putRecords([note('a', 'x')]);
        await transaction.putRecords([note('no\0id', 'x')]).catch(() => {});
      };
      await expect(store.run('failed', work)).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'statement-failed', state: '22021' } });
      expect(await store.read('failed', (view) => view.scanRecords('note', null, 9))).toEqual([]);
    });

    test('run again after a deadlock, also when the work made another error of it', async () => {
      const store = open();
      await store.run('dead', (transaction) => transaction.putRecords([note('a', 'x'), note('b', 'x')]));
      const met = createMeeting(2);
      let attempts = 0;
      const cross = (first: string, second: string) =>
        store.run('dead', async (transaction) => {
          attempts++;
          await transaction.lockRecords([noteKey(first)]);
          if (attempts <= 2) await met();
          await transaction.lockRecords([noteKey(second)]).catch((cause: unknown) => { throw new Error('a hook failed', { cause }); });
          return 'done';
        });
      expect(await Promise.all([cross('a', 'b'), cross('b', 'a')])).toEqual(['done', 'done']);
      expect(attempts).toBeGreaterThan(2);
    });

    test('run statements one after another that were asked for at once', async () => {
      const store = open();
      const warnings: string[] = [];
      const onWarning = ({ message }: Error): void => void warnings.push(message);
      process.on('warning', onWarning);
      const numbers = await store.run('many', (transaction) => Promise.all(Array.from({ length: 20 }, () => transaction.nextNumber('note', 'n'))));
      await new Promise(setImmediate);
      process.off('warning', onWarning);
      expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(warnings).toEqual([]);
    });

    test('read the same whatever the host has made of pg and of its database', async () => {
      const own = await createDatabase();
      await query(own, `do $$ begin execute format('alter database %I set bytea_output = escape', current_database()); end $$`);
      const asNumber = pg.types.getTypeParser(20), asJson = pg.types.getTypeParser(3802);
      pg.types.setTypeParser(20, BigInt);
      pg.types.setTypeParser(3802, (text) => text);
      try {
        const store = open({ url: own });
        const written = note('a', 'bytes \u0001 \\ \u{1F600}', 2 ** 40);
        const [read] = await store.run('t', async (transaction) => {
          await transaction.putRecords([written]);
          return transaction.getRecords([noteKey('a')]);
        });
        expect(read).toMatchObject({ version: [1, 2 ** 40], isDeleted: false, row: written.row });
        expect(Object.getPrototypeOf(read!.row)).toBe(Uint8Array.prototype);
        expect(await store.read('t', (view) => view.getLayout(read!.layout))).toEqual(written.layout);
      } finally {
        pg.types.setTypeParser(20, asNumber);
        pg.types.setTypeParser(3802, asJson);
      }
    });
  });

  describe('when it is closed', () => {
    test('finishes what is under way, also what still waits for a connection, and leaves none behind', async () => {
      const own = await createDatabase();
      const store = open({ url: own, maxConnections: 2 });
      await store.ready;
      const running = Array.from({ length: 12 }, () => store.run('t', (transaction) => transaction.nextNumber('note', 'n')));
      const closed = Promise.all([store.close(), store.close()]);
      await expect(store.run('t', (transaction) => transaction.epoch())).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await closed;
      expect((await Promise.all(running)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
      expect(await connections(own)).toEqual([]);
    });

    test('leaves the pool of the host open', async () => {
      const { pool, store } = openOnPool();
      await store.ready;
      await store.close();
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });
  });
});
