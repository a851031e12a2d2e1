import { SyncFault } from '../../shared/fault.ts';
import { createPostgresDriver } from './postgres-driver.ts';
import { isCreationRace } from './postgres-faults.ts';
import type { PostgresPool } from './postgres-pool.ts';
import type { Durability, ServerStore } from './server-store.ts';
import { partitionFeed } from './sql/feed-days.ts';
import type { FeedRetention, SqlDriver } from './sql/sql.ts';
import { createSqlStore, createTables } from './sql/sql-store.ts';

export type { PostgresConnection, PostgresPool, PostgresResult, PostgresStatement, PostgresTypes } from './postgres-pool.ts';

/** What can be set however the connections are made. */
export interface PostgresSettings {
  /** How long one statement may take, waiting for locks included, in milliseconds. 0 means for ever. @defaultValue 30_000 */
  readonly statementTimeoutMs?: number;
  /**
   * How long a transaction may do nothing before the database ends it, in milliseconds: a server that hangs or is cut off then gives its
   * locks back. More than the server's `hookTimeoutMs`. 0 means for ever. @defaultValue 60_000
   */
  readonly idleTimeoutMs?: number;
  /** Hears what is worth a line in a log. @defaultValue nobody */
  readonly log?: (message: string, cause?: unknown) => void;
}

/** A database by its address; the store makes the connections and ends them. */
export interface PostgresUrlOptions extends PostgresSettings {
  /** The address, such as `postgresql://user:password@host:5432/database?sslmode=verify-full`. What it leaves out comes from `PGHOST` and its kin. */
  readonly url: string;
  /** The most connections at a time; each is one transaction. @defaultValue 10 */
  readonly maxConnections?: number;
  /** How long to wait for a connection, be it that all are in use or that the database does not answer, in milliseconds. @defaultValue 10_000 */
  readonly connectTimeoutMs?: number;
}

/** Connections that the host makes. */
export interface PostgresPoolOptions extends PostgresSettings {
  /** A `Pool` of `pg`, or one that does as it does. `close` leaves it open: it is the host's. Give it an `error` listener and a `connectionTimeoutMillis`. */
  readonly pool: PostgresPool;
}

/** How to reach a database, and how long it may take. */
export type PostgresStoreOptions = PostgresUrlOptions | PostgresPoolOptions;

/** A store in a PostgreSQL database. */
export interface PostgresStore extends ServerStore {
  /** Resolves when the database was reached and its tables are there; fails with `STORAGE_FAILED`. Later calls try again: nothing has to be restarted. */
  readonly ready: Promise<void>;
}

const MOST_ATTEMPTS = 20;

/**
 * Keeps everything in a PostgreSQL database, through the package `pg` that the host installs. Any number of servers may share the
 * database. Tables begin with `fieldtide_` and are made where they are missing; a role without the right to make them can use those
 * that another has made.
 *
 * Faults: `STORAGE_FAILED` with `details.reason`: `unreachable`, `pool-exhausted`, `pg-missing`, `encoding`, `statement-timeout` or
 * `statement-failed`; `details.state` is PostgreSQL's own code, such as `28P01` for a wrong password. Deadlocks and serialization
 * failures are no faults: the transaction runs again.
 *
 * @throws SyncFault `OPTION_INVALID` when there is neither `url` nor `pool`.
 *
 * @example
 * ```ts
 * const server = createSyncServer({ schema, store: postgres({ url: process.env.DATABASE_URL }), authenticate });
 * ```
 */
export function postgres(options: PostgresStoreOptions): PostgresStore {
  const { statementTimeoutMs = 30_000, idleTimeoutMs = 60_000, log = () => {} } = options;
  const connections = openConnections(options, log);
  const driver = createPostgresDriver(connections.pool, { statementTimeoutMs, idleTimeoutMs });
  let preparing: Promise<Durability> | undefined, retention: FeedRetention = 'delete';
  /** Once: again only after it failed. */
  const prepared = (): Promise<Durability> => (preparing ??= prepare(driver, log, () => (retention = 'partition')).catch((cause: unknown) => {
    preparing = undefined;
    throw cause;
  }));
  const patient: SqlDriver = {
    ...driver,
    async retention() {
      await prepared();
      return retention;
    },
    async transaction(mode, work) {
      await prepared();
      return driver.transaction(mode, work);
    },
    async close() {
      await preparing?.catch(() => {});
      await connections.end();
    },
  };
  const ready = prepared().then(() => {});
  ready.catch(() => {}); // Every call of the store fails with it; nobody has to listen here.
  return { ...createSqlStore(Promise.resolve(patient), () => 'none'), durability: prepared, ready };
}

interface Connections {
  pool(): Promise<PostgresPool>;
  end(): Promise<void>;
}

function openConnections(options: PostgresStoreOptions, log: (message: string, cause?: unknown) => void): Connections {
  if ('pool' in options) return { pool: async () => options.pool, end: async () => {} };
  const { url, maxConnections: max = 10, connectTimeoutMs: connectionTimeoutMillis = 10_000 } = options;
  if (typeof url !== 'string' || url === '') throw new SyncFault('OPTION_INVALID', 'postgres needs the url of a database, or a pool');
  // Loaded here: a host with a pool of another library need not have it.
  const opening = import('pg').then(({ Pool }) => {
    const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis, keepAlive: true });
    pool.on('error', (cause) => log('a connection to the database broke while nobody used it', cause));
    return pool;
  });
  opening.catch(() => {});
  return { pool: () => opening, end: async () => (await opening.catch(() => null))?.end() };
}

/** Makes the tables, and looks what kind of database it is. */
async function prepare(driver: Omit<SqlDriver, 'close' | 'retention'>, log: (message: string, cause?: unknown) => void, onPartitioned: () => void): Promise<Durability> {
  const { encoding, isFlushed, hasPartitions } = await inspect(driver);
  // Other encodings cannot hold every text, and compare and order it in other ways.
  if (encoding !== 'UTF8') {
    throw new SyncFault('STORAGE_FAILED', `the database is encoded in ${encoding}: make one in UTF8`, { details: { reason: 'encoding', encoding } });
  }
  await amongOthers(() => createTables(driver));
  if (hasPartitions) await amongOthers(() => partitionFeed(driver)).then(() => onPartitioned(), (cause: unknown) => log('feeds are not kept by days: what is over is deleted row by row', cause));
  if (!isFlushed) log('commits do not reach the disk at once (fsync or synchronous_commit is off): they survive the end of the process, not a loss of power');
  return isFlushed ? 'power-loss' : 'process-crash';
}

async function inspect(driver: Pick<SqlDriver, 'transaction'>): Promise<{ readonly encoding: string; readonly isFlushed: boolean; readonly hasPartitions: boolean }> {
  const [row] = await driver.transaction('read', (sql) =>
    sql.query(`select current_setting('server_encoding') as encoding, current_setting('fsync', true) as fsync,
      current_setting('synchronous_commit', true) as synchronous_commit, version() as version`, []),
  );
  const { encoding, fsync, synchronous_commit: commit, version } = row!;
  return { encoding: encoding as string, isFlushed: fsync === 'on' && commit !== null && commit !== 'off', hasPartitions: isPostgreSql(version as string) };
}

/** Partitions with a primary key came with PostgreSQL 11; of what only speaks its language, not all have them. */
function isPostgreSql(version: string): boolean {
  return Number(/^PostgreSQL (\d+)/.exec(version)?.[1] ?? 0) >= 11 && !/cockroach|yugabyte|-YB-|dsql/i.test(version);
}

/** Servers that start together make the tables together: who comes second looks again. */
async function amongOthers(make: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await make();
    } catch (thrown) {
      if (!isCreationRace(thrown) || attempt === MOST_ATTEMPTS) throw thrown;
    }
  }
}
