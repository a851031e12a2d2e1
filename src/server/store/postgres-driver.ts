import { createSerial } from '../../shared/serial.ts';
import { connectionFault, isCollision, statementFault } from './postgres-faults.ts';
import type { PostgresConnection, PostgresPool, PostgresTypes } from './postgres-pool.ts';
import type { Sql, SqlDriver, SqlRow } from './sql/sql.ts';

/** How long the database may take before it gives up on its own. */
export interface PostgresTimeLimits {
  readonly statementTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * Runs transactions on the connections of a pool. Closing is the owner's of the pool.
 *
 * A write sees what others committed up to each of its statements ("read committed"), so that a lock it waited for shows the newest row;
 * a read is one snapshot. Each transaction says so itself: the defaults of a database or a role may be others.
 */
export function createPostgresDriver(pool: () => Promise<PostgresPool>, limits: PostgresTimeLimits): Omit<SqlDriver, 'close' | 'retention'> {
  const settings = `set local statement_timeout = ${wholeMs(limits.statementTimeoutMs)};
    set local idle_in_transaction_session_timeout = ${wholeMs(limits.idleTimeoutMs)};
    set local bytea_output = 'hex'`;
  const begin = {
    read: `begin isolation level repeatable read read only; ${settings}`,
    write: `begin isolation level read committed read write; ${settings}`,
  };
  return {
    async transaction(mode, work) {
      const connection = await connect(pool);
      let isUsable = true;
      // One that breaks between two statements tells by an event, and an `error` that nobody hears ends the process.
      const onError = (): void => void (isUsable = false);
      connection.on('error', onError);
      // pg runs one statement at a time; hooks may ask for several at once.
      const statements = createSerial();
      const run = (statement: Parameters<PostgresConnection['query']>[0]) => statements.run(() => connection.query(statement));
      try {
        await run(begin[mode]).catch((cause: unknown) => { throw statementFault(cause, limits); });
        const sql: Sql = {
          async query(text, values): Promise<readonly SqlRow[]> {
            try {
              return (await run({ text, values: [...values], types: TYPES })).rows;
            } catch (cause) {
              throw statementFault(cause, limits);
            }
          },
        };
        const answer = await work(sql);
        await run('commit').catch((cause: unknown) => { throw statementFault(cause, limits); });
        return answer;
      } catch (thrown) {
        await run('rollback').catch(() => void (isUsable = false));
        throw thrown;
      } finally {
        connection.release(!isUsable);
        connection.removeListener('error', onError);
      }
    },
    isRetryable: isCollision,
  };
}

async function connect(pool: () => Promise<PostgresPool>): Promise<PostgresConnection> {
  try {
    return await (await pool()).connect();
  } catch (cause) {
    throw connectionFault(cause);
  }
}

function wholeMs(ms: number): number {
  return Math.max(0, Math.ceil(ms));
}

/** What each column becomes, by the number of its type. A host may have set up pg in another way for its own use. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [17, readBytea],
  [20, Number], // int8: everything that is counted here stays below 2^53
  [23, Number],
  [114, (text) => JSON.parse(text)],
  [3802, (text) => JSON.parse(text)],
]);

const asText = (text: string): string => text;
const TYPES: PostgresTypes = { getTypeParser: (type) => PARSERS.get(type) ?? asText };

/** Reads `\x0aff`, which is how PostgreSQL writes bytes. */
function readBytea(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) >> 1);
  for (let index = 0, at = 2; index < bytes.length; index++, at += 2) bytes[index] = (digitAt(text, at) << 4) | digitAt(text, at + 1);
  return bytes;
}

/** The value of a hexadecimal digit: 0 to 9 are 48 to 57, a to f are 97 to 102. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 97 ? code - 48 : code - 87;
}
