import { EventEmitter, once } from 'node:events';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { postgres, type PostgresPool } from '../../src/server/store/postgres.ts';
import { CREATE_TABLES } from '../../src/server/store/sql/tables.ts';
import { note, noteKey } from '../../src/testing/server-store-suite/context.ts';
import { freePort } from '../package/free-port.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { usePostgres } from './postgres-stores.ts';

describeOnPostgres('PostgreSQL store', { timeout: 60_000 }, () => {
  const { url, breakConnections, open, openOnPool } = usePostgres();

  describe('when the database is not to be had', () => {
    test('says that nobody answers, and that the database or the user is none', async () => {
      const nobody = open({ url: `postgresql://fieldtide@127.0.0.1:${await freePort()}/test` });
      await expect(nobody.ready).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'unreachable', state: 'ECONNREFUSED' } });
      await expect(nobody.read('t', (view) => view.epoch())).rejects.toMatchObject({ details: { reason: 'unreachable' } });
      await expect(nobody.durability()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await expect(open({ url: url().replace(/test_\d+/, 'none') }).ready).rejects.toMatchObject({ details: { reason: 'unreachable', state: '3D000' } });
      await expect(open({ url: url().replace('fieldtide@', 'stranger@') }).ready).rejects.toMatchObject({ details: { reason: 'unreachable', state: '28000' } });
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
      const store = open({ maxConnections: 1, log: (line) => log.emit('line', line) });
      await store.ready;
      const heard = once(log, 'line');
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
});

/** Resolves when a connection has ended, with whatever error. */
function endOf(client: pg.PoolClient): Promise<void> {
  return new Promise((resolve) => client.once('end', () => resolve()));
}
