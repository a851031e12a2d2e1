import { SyncFault } from '../../../shared/fault.ts';
import type { Durability, ServerStore, StoreTransaction } from '../server-store.ts';
import type { Sql, SqlDriver } from './sql.ts';
import { createSqlTransaction, type KnownLayouts } from './sql-transaction.ts';
import { CREATE_TABLES } from './tables.ts';

const MOST_ATTEMPTS = 20;

/** Makes the tables where they are missing. */
export async function createTables(driver: SqlDriver): Promise<void> {
  await driver.transaction('write', async (sql) => {
    for (const statement of CREATE_TABLES) await sql.query(statement, []);
  });
}

/** Makes a store on any Postgres. `ready` resolves to its driver once the tables are there. */
export function createSqlStore(ready: Promise<SqlDriver>, durability: () => Durability): ServerStore {
  const layouts = new Set<string>();
  let isClosed = false;

  async function transact<T>(mode: 'read' | 'write', tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    if (isClosed) throw new SyncFault('STORAGE_CLOSED', 'the store is closed');
    const driver = await ready;
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce(driver, mode, tenant, layouts, work);
      } catch (thrown) {
        const isCollision = thrown instanceof SyncFault && driver.isRetryable(thrown.cause);
        if (!isCollision || attempt === MOST_ATTEMPTS) throw thrown;
      }
    }
  }

  return {
    run: (tenant, work) => transact('write', tenant, work),
    read: (tenant, work) => transact('read', tenant, work),
    durability: async () => {
      await ready;
      return durability();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await (await ready.catch(() => null))?.close(); // One that never opened has nothing to close.
    },
  };
}

/** Runs work in one transaction. What the engine throws is a fault; what the work itself throws comes out as it is. */
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
  const failure: { thrown?: unknown } = {};
  try {
    const answer = await driver.transaction(mode, async (sql) => {
      const guarded: Sql = {
        async query(text, values) {
          if (!isOpen) throw new SyncFault('STORAGE_CLOSED', 'the transaction has ended');
          try {
            return await sql.query(text, values);
          } catch (cause) {
            throw new SyncFault('STORAGE_FAILED', 'a statement failed', { cause });
          }
        },
      };
      try {
        return await work(createSqlTransaction(guarded, tenant, known));
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
    if ('thrown' in failure) throw failure.thrown;
    throw new SyncFault('STORAGE_FAILED', 'the transaction could not be committed', { cause });
  }
}
