import { once } from 'node:events';
import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { postgres, type PostgresStore, type PostgresStoreOptions } from '../../src/server/store/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';

/** A server for the tests of a file, with a database, and stores that close after each test. Call it where hooks may be registered. */
export function usePostgres(settings: Readonly<Record<string, string>> = {}) {
  let server: TestPostgres | undefined;
  let url = '';
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await startPostgres(settings);
    url = await server.createDatabase();
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  function running(): TestPostgres {
    if (server === undefined) throw new Error('the server has not started');
    return server;
  }

  const CONNECTIONS = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';

  return {
    url: () => url,
    createDatabase: (options?: string) => running().createDatabase(options),
    query: (database: string, ...statements: readonly string[]) => running().query(database, ...statements),
    /** The connections to a database. */
    connections: (database: string) => running().query(database, `select pid ${CONNECTIONS}`),
    /** Ends the connections that are in a state. */
    breakConnections: (state: 'idle' | 'idle in transaction') => running().query(url, `select pg_terminate_backend(pid) ${CONNECTIONS} and state = '${state}'`),
    open(options: Partial<PostgresStoreOptions> = {}): PostgresStore {
      const store = postgres({ url, ...options } as PostgresStoreOptions);
      closing.push(() => store.close());
      return store;
    },
    /** A store on the host's own pool, and the first connection of that pool. */
    openOnPool(limits: { readonly idleTimeoutMs?: number } = {}) {
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      const connected = once(pool, 'connect') as Promise<[pg.PoolClient]>;
      const store = postgres({ pool, ...limits });
      pool.on('error', () => {});
      closing.push(async () => {
        await store.close();
        await pool.end();
      });
      return { pool, store, connected };
    },
  };
}
