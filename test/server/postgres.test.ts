import { EventEmitter, once } from 'node:events';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postgres, type PostgresPool, type PostgresStore, type PostgresStoreOptions } from '../../src/server/store/postgres.ts';
import { CREATE_TABLES } from '../../src/server/store/sql/tables.ts';
import type { StoreTransaction } from '../../src/server/store/server-store.ts';
import { note, noteKey } from '../../src/testing/server-store-suite/context.ts';
import { freePort } from '../package/free-port.ts';
import { describeOnPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

describeOnPostgres('PostgreSQL store', { timeout: 60_000 }, () => {
  let server: TestPostgres;
  let url = '';
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await startPostgres({ fsync: 'on' });
    url = await server.createDatabase();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  function open(options: Partial<PostgresStoreOptions> = {}): PostgresStore {
    const store = postgres({ url, ...options } as PostgresStoreOptions);
    closing.push(() => store.close());
    return store;
  }

  /** A store on the host's own pool, and the first connection of that pool. */
  function openOnPool(settings: { readonly idleTimeoutMs?: number } = {}) {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const connected = once(pool, 'connect') as Promise<[pg.PoolClient]>;
    const store = postgres({ pool, ...settings });
    pool.on('error', () => {});
    closing.push(async () => {
      await store.close();
      await pool.end();
    });
    return { pool, store, connected };
  }

  const connectionsOf = (state: string) => `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state like '${state}'`;
  const breakConnections = (state: string) => server.query(url, `select pg_terminate_backend(pid) ${connectionsOf(state)}`);

  describe('at its start', () => {
    test('makes its tables together with others that start at the same time', async () => {
      for (let round = 0; round < 5; round++) {
        const empty = await server.createDatabase();
        const stores = Array.from({ length: 6 }, () => open({ url: empty }));
        await Promise.all(stores.map((store) => store.ready));
        expect(await Promise.all(stores.map((store) => store.run('t', (transaction) => transaction.nextNumber('note', 'n'))))).toHaveLength(6);
      }
    });

    test('needs no right to make tables where they are', async () => {
      const shared = await server.createDatabase();
      const plain = shared.replace('fieldtide@', 'plain@');
      await server.query(shared, 'create role plain login');
      await expect(open({ url: plain }).ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'statement-failed', state: '42501' } });
      await open({ url: shared }).ready;
      await server.query(shared, 'grant select, insert, update, delete on all tables in schema public to plain');
      const store = open({ url: plain });
      await store.run('t', (transaction) => transaction.putRecords([note('a', 'x')]));
      expect(await store.read('t', (view) => view.getRecords([noteKey('a')]))).toHaveLength(1);
    });

    test('says what a commit survives', async () => {
      expect(await open().durability()).toBe('power-loss');
      const said: string[] = [];
      const careless = open({ url: `${url}&options=${encodeURIComponent('-c synchronous_commit=off')}`, log: (message) => said.push(message) });
      expect(await careless.durability()).toBe('process-crash');
      expect(said).toEqual([expect.stringContaining('loss of power')]);
    });

    test('refuses a database that cannot hold every text', async () => {
      const latin = await server.createDatabase("encoding 'LATIN1' template template0");
      await expect(open({ url: latin }).ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'encoding', encoding: 'LATIN1' } });
    });

    test('refuses options that name no database', () => {
      expect(() => postgres({ url: '' })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    });
  });

  describe('when the database is not to be had', () => {
    test('says that nobody answers, and that the database or the user is none', async () => {
      const nobody = open({ url: `postgresql://fieldtide@127.0.0.1:${await freePort()}/test` });
      await expect(nobody.ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'unreachable', state: 'ECONNREFUSED' } });
      await expect(nobody.read('t', (view) => view.epoch())).rejects.toMatchObject({ details: { reason: 'unreachable' } });
      await expect(nobody.durability()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(open({ url: url.replace(/test_\d+/, 'none') }).ready).rejects.toMatchObject({ details: { reason: 'unreachable', state: '3D000' } });
      await expect(open({ url: url.replace('fieldtide@', 'stranger@') }).ready).rejects.toMatchObject({ details: { reason: 'unreachable', state: '28000' } });
    });

    test('goes on by itself once the database is there', async () => {
      const { pool } = openOnPool();
      let isThere = false;
      const late: PostgresPool = {
        connect: async () => (isThere ? pool.connect() : Promise.reject(Object.assign(new Error('starting up'), { code: '57P03' }))),
      };
      const store = postgres({ pool: late });
      await expect(store.run('t', (transaction) => transaction.epoch())).rejects.toMatchObject({ details: { reason: 'unreachable', state: '57P03' } });
      isThere = true;
      expect(await store.run('t', (transaction) => transaction.epoch())).toBe(1);
    });

    test('says that every connection is in use, and serves again when one is free', async () => {
      const store = open({ maxConnections: 1, connectTimeoutMs: 50 });
      await store.ready;
      await store.run('t', async () => {
        await expect(store.read('t', (view) => view.epoch())).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'pool-exhausted' } });
      });
      expect(await store.read('t', (view) => view.epoch())).toBe(1);
    });

    test('ends a statement that takes too long, and uses the connection again', async () => {
      const holder = open(), store = open({ maxConnections: 1, statementTimeoutMs: 100 });
      await holder.run('slow', (transaction) => transaction.putRecords([note('a', 'x')]));
      await holder.run('slow', async (held) => {
        await held.lockRecords([noteKey('a')]);
        await expect(store.run('slow', (transaction) => transaction.lockRecords([noteKey('a')]))).rejects.toMatchObject({
          code: 'STORAGE_FAILED',
          details: { reason: 'statement-timeout', state: '57014' },
        });
      });
      expect(await store.run('slow', (transaction) => transaction.lockRecords([noteKey('a')]))).toHaveLength(1);
    });
  });

  describe('when a connection breaks', () => {
    test('in the middle of a transaction, nothing is written and the next one has another', async () => {
      const { store, connected } = openOnPool();
      const [client] = await connected;
      await store.ready;
      const broken = store.run('broken', async (transaction) => {
        await transaction.putRecords([note('a', 'x')]);
        const heard = endOf(client);
        await breakConnections('idle in transaction');
        await heard;
        await transaction.putRecords([note('b', 'y')]);
      });
      await expect(broken).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      expect(await store.run('broken', (transaction) => transaction.scanRecords('note', null, 9))).toEqual([]);
    });

    test('it is not used again when what it was doing could not be undone', async () => {
      const released: (boolean | undefined)[] = [];
      const pool: PostgresPool = {
        connect: async () => ({
          query: async (statement) => {
            if (statement === 'rollback') throw new Error('gone');
            return { rows: [{ encoding: 'UTF8', tables: CREATE_TABLES.length }] };
          },
          release: (isBroken) => void released.push(isBroken),
          on: () => {},
          removeListener: () => {},
        }),
      };
      const store = postgres({ pool });
      await store.ready;
      await expect(store.run('t', async () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
      expect(released).toEqual([false, false, true]);
    });

    test('while nobody uses it, it is replaced and the log says so', async () => {
      const log = new EventEmitter();
      const heard = once(log, 'line');
      const store = open({ maxConnections: 1, log: (line) => log.emit('line', line) });
      await store.ready;
      await breakConnections('idle');
      expect(await heard).toEqual([expect.stringContaining('broke')]);
      expect(await store.run('t', (transaction) => transaction.epoch())).toBe(1);
    });

    test('a transaction that does nothing for too long gives its locks back', async () => {
      const waiting = open();
      const { store, connected } = openOnPool({ idleTimeoutMs: 50 });
      await waiting.run('idle', (transaction) => transaction.putRecords([note('a', 'x')]));
      const [client] = await connected;
      const idle = store.run('idle', async (transaction) => {
        await transaction.lockRecords([noteKey('a')]);
        await endOf(client);
        await transaction.putRecords([note('a', 'late', 2)]);
      });
      await expect(idle).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      expect(await waiting.run('idle', (transaction) => transaction.lockRecords([noteKey('a')]))).toMatchObject([{ version: [1, 1] }]);
    });
  });

  describe('transactions', () => {
    test('two that create the same record: the second finds the record of the first', async () => {
      const store = open();
      const met = meeting(2);
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
      const met = meeting(2);
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
      expect(attempts).toBe(3);
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
      const own = await server.createDatabase();
      await server.query(own, `do $$ begin execute format('alter database %I set bytea_output = escape', current_database()); end $$`);
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
      const own = await server.createDatabase();
      const store = open({ url: own, maxConnections: 2 });
      await store.ready;
      const running = Array.from({ length: 12 }, () => store.run('t', (transaction) => transaction.nextNumber('note', 'n')));
      const closed = Promise.all([store.close(), store.close()]);
      await expect(store.run('t', (transaction) => transaction.epoch())).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await closed;
      expect((await Promise.all(running)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
      expect(await server.query(own, `select pid ${connectionsOf('%')}`)).toEqual([]);
    });

    test('leaves the pool of the host open', async () => {
      const { pool, store } = openOnPool();
      await store.ready;
      await store.close();
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    });
  });
});

/** Resolves for everybody when so many have come. */
function meeting(size: number): () => Promise<void> {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  let present = 0;
  return () => {
    if (++present === size) open();
    return isOpen;
  };
}

function endOf(client: pg.PoolClient): Promise<void> {
  return new Promise((resolve) => client.once('end', () => resolve()));
}
