import type { PGlite } from '@electric-sql/pglite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CancelTimer, Clock } from '../../shared/clock.ts';
import { platformClock } from '../../shared/platform.ts';
import { SyncFault } from '../../shared/fault.ts';
import { lockFolder, type FolderLock } from './pglite-lock.ts';
import { openDatabase, type OpenDatabase } from './pglite-database.ts';
import type { Durability, ServerStore } from './server-store.ts';
import type { Sql, SqlDriver } from './sql/sql.ts';
import { partitionFeed } from './sql/feed-days.ts';
import { createSqlStore, createTables } from './sql/sql-store.ts';

/** Where and how to keep a database. */
export interface PGliteStoreOptions {
  /** The folder of the database, made where there is none. One process at a time may have it open. */
  readonly folder: string;
  /**
   * A folder for an empty database in an archive, made at the first use and unpacked for each new database after that: a first start
   * then takes about a second instead of five. @defaultValue none
   */
  readonly seedFolder?: string;
  /** How often to run `vacuum (analyze)`, in milliseconds: PGlite has no process of its own that would. @defaultValue 600_000 */
  readonly vacuumIntervalMs?: number;
  /** Hears what is worth a line in a log. @defaultValue nobody */
  readonly log?: (message: string, cause?: unknown) => void;
  /** The time by which the vacuum runs. @defaultValue the platform's clock */
  readonly clock?: Clock;
}

/** A store in a folder. */
export interface PGliteStore extends ServerStore {
  /** Resolves when the database is open. Every call waits for it and fails as it does: `STORAGE_LOCKED`, `STORAGE_FAILED`. */
  readonly ready: Promise<void>;
}

/**
 * Keeps everything in a folder, in PostgreSQL compiled to WebAssembly: a server without a database server. Commits are flushed to disk.
 * Call `close` before the process ends; what was committed survives without it, but the next start has to recover.
 *
 * @example
 * ```ts
 * const server = createSyncServer({ schema, store: pglite({ folder: './data' }), authenticate });
 * ```
 */
export function pglite(options: PGliteStoreOptions): PGliteStore {
  let durability: Durability = 'process-crash';
  const opening = open(options, (found) => (durability = found));
  const store = createSqlStore(opening, () => durability);
  const ready = opening.then(() => {});
  ready.catch(() => {}); // Every call of the store fails with it; nobody has to listen here.
  return { ...store, ready };
}

async function open(options: PGliteStoreOptions, report: (durability: Durability) => void): Promise<SqlDriver> {
  const { folder, seedFolder, log = () => {}, clock = platformClock, vacuumIntervalMs = 600_000 } = options;
  mkdirSync(folder, { recursive: true });
  const lock = lockFolder(join(folder, 'lock'));
  let opened: OpenDatabase | undefined;
  try {
    opened = await openDatabase({ folder, seedFolder });
    const { database } = opened;
    const driver = createDriver(database, lock, startVacuum(database, clock, vacuumIntervalMs, log));
    await createTables(driver);
    await partitionFeed(driver);
    const durability = await checkDurability(opened);
    if (durability !== 'power-loss') log('commits do not reach the disk at once: they survive the end of the process, not a loss of power');
    report(durability);
    return driver;
  } catch (cause) {
    await opened?.database.close();
    lock.release();
    throw new SyncFault('STORAGE_FAILED', 'the database cannot be opened', { cause });
  }
}

/** One commit must reach the disk. */
async function checkDurability({ database, flushes }: OpenDatabase): Promise<Durability> {
  const before = flushes();
  await database.query(`insert into fieldtide_setting as s (tenant, key, value) values ('', 'starts', 1)
    on conflict (tenant, key) do update set value = s.value + 1`);
  const after = flushes();
  return before !== null && after !== null && after > before ? 'power-loss' : 'process-crash';
}

function createDriver(database: PGlite, lock: FolderLock, stopVacuum: CancelTimer): SqlDriver {
  return {
    // One connection: transactions run one after another, so each is a snapshot.
    transaction: (_mode, work) =>
      database.transaction(async (transaction) => {
        const sql: Sql = { query: async (text, values) => (await transaction.query<Record<string, unknown>>(text, [...values])).rows };
        return work(sql);
      }),
    retention: async () => 'partition',
    isRetryable: () => false,
    async close() {
      stopVacuum();
      try {
        await database.exec('checkpoint');
        await database.close();
      } finally {
        lock.release();
      }
    },
  };
}

/** Statistics and free space by our own timer; without statistics the same statements take several times as long. */
function startVacuum(database: PGlite, clock: Clock, intervalMs: number, log: (message: string, cause?: unknown) => void): CancelTimer {
  let isStopped = false;
  let cancel: CancelTimer = () => {};
  const schedule = (): void => {
    cancel = clock.setTimer(intervalMs, () => {
      database.exec('vacuum (analyze)').then(
        () => isStopped || schedule(),
        (cause: unknown) => {
          log('vacuum failed', cause);
          if (!isStopped) schedule();
        },
      );
    });
  };
  schedule();
  return () => {
    isStopped = true;
    cancel();
  };
}
