import { SyncFault } from '../../../shared/fault.ts';
import type { Durability, ServerStore, StoreTransaction } from '../server-store.ts';
import { RecordAppeared, type Sql, type SqlDriver } from './sql.ts';
import { turnDays } from './feed-days.ts';
import { createSqlTransaction, type KnownLayouts } from './sql-transaction.ts';
import { CREATE_TABLES } from './tables.ts';

const MOST_ATTEMPTS = 20;

const NAMES = CREATE_TABLES.flatMap((statement) => /^create (?:table|index) if not exists (\w+)/.exec(statement)?.[1] ?? []);

/** Makes the tables where one is missing. With all of them there it changes nothing, and needs no right to. */
export async function createTables(driver: Pick<SqlDriver, 'transaction'>): Promise<void> {
  await driver.transaction('write', async (sql) => {
    const [found] = await sql.query('select count(to_regclass(n.name)) as tables from unnest($1::text[]) as n (name)', [NAMES]);
    if (found?.tables === CREATE_TABLES.length) return;
    for (const statement of CREATE_TABLES) await sql.query(statement, []);
  });
}

/** Makes a store on any Postgres. `ready` resolves to its driver once the tables are there. */
export function createSqlStore(ready: Promise<SqlDriver>, durability: () => Durability): ServerStore {
  const layouts = new Set<string>();
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function transact<T>(mode: 'read' | 'write', tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    const driver = await ready;
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce(driver, mode, tenant, layouts, work);
      } catch (thrown) {
        if (!isCollision(driver, thrown) || attempt === MOST_ATTEMPTS) throw thrown;
      }
    }
  }

  async function track<T>(mode: 'read' | 'write', tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    if (closing !== undefined) throw new SyncFault('STORAGE_CLOSED', 'the store is closed');
    const transaction = transact(mode, tenant, work);
    underWay.add(transaction);
    try {
      return await transaction;
    } finally {
      underWay.delete(transaction);
    }
  }

  return {
    run: (tenant, work) => track('write', tenant, work),
    read: (tenant, work) => track('read', tenant, work),
    durability: async () => {
      await ready;
      return durability();
    },
    async turnDays(now, keptMs) {
      if (closing !== undefined) return;
      const driver = await ready;
      if ((await driver.retention()) === 'partition') await turnDays(driver, now, keptMs);
    },
    close: () =>
      (closing ??= (async () => {
        await Promise.allSettled(underWay);
        await (await ready.catch(() => null))?.close(); // One that never opened has nothing to close.
      })()),
  };
}

/** Says whether a transaction failed only because of another one. */
function isCollision(driver: SqlDriver, thrown: unknown): boolean {
  return thrown instanceof SyncFault && (thrown instanceof RecordAppeared || driver.isRetryable(thrown.cause));
}

/**
 * Runs work in one transaction. What the engine throws is a fault; what the work itself throws comes out as it is. Once a statement has
 * failed the engine commits nothing, whatever the work made of it.
 */
async function attemptOnce<T>(
  driver: SqlDriver,
  mode: 'read' | 'write',
  tenant: string,
  layouts: Set<string>,
  work: (transaction: StoreTransaction) => Promise<T>,
): Promise<T> {
  const added: string[] = [];
  const known: KnownLayouts = { has: (of, hash) => layouts.has(`${of}\0${hash}`), add: (of, hash) => void added.push(`${of}\0${hash}`) };
  let isOpen = true;
  const failure: { thrown?: unknown; statement?: SyncFault } = {};
  try {
    const answer = await driver.transaction(mode, async (sql) => {
      const guarded: Sql = {
        async query(text, values) {
          if (!isOpen) throw new SyncFault('STORAGE_CLOSED', 'the transaction has ended');
          try {
            return await sql.query(text, values);
          } catch (cause) {
            throw (failure.statement ??= asFault(cause, 'a statement failed'));
          }
        },
      };
      try {
        const done = await work(createSqlTransaction(guarded, tenant, known, await driver.retention()));
        if (failure.statement !== undefined) throw failure.statement;
        return done;
      } catch (thrown) {
        failure.thrown = thrown;
        throw thrown;
      } finally {
        isOpen = false;
      }
    });
    for (const layout of added) layouts.add(layout);
    return answer;
  } catch (cause) {
    // A hook may have turned a collision into an error of its own: the transaction can be run again all the same.
    if (failure.statement !== undefined && isCollision(driver, failure.statement)) throw failure.statement;
    if ('thrown' in failure) throw failure.thrown;
    throw asFault(cause, 'the transaction could not be committed');
  }
}

function asFault(cause: unknown, message: string): SyncFault {
  return cause instanceof SyncFault ? cause : new SyncFault('STORAGE_FAILED', message, { cause });
}
