import { isFault } from '../../../shared/fault.ts';
import type { Sql, SqlDriver } from './sql.ts';

const DAY_MS = 86_400_000;
/** Days that have a partition ahead of time: an idle server makes none. */
const DAYS_AHEAD = 3;
/** Rows of a transaction that was open for long are a little older than the day in which they appear. */
const SPARE_DAYS = 1;

const COLUMNS = 'tenant, user_id, position, created_at, store, number, records';

/**
 * Turns the table of feed rows into one that has a partition for each day, so that what is over is dropped and not deleted row by row
 * (rule A31). What it holds goes into the partition for the rest, from which it is deleted when its time comes; so does a row of a day that
 * has no partition.
 */
const BY_DAY: readonly string[] = [
  'drop index if exists fieldtide_feed_row_age',
  'alter table fieldtide_feed_row rename to fieldtide_feed_row_whole',
  `create table fieldtide_feed_row (
    tenant text collate "C" not null,
    user_id text collate "C" not null,
    position bigint not null,
    created_at bigint not null,
    store text not null,
    number bigint not null,
    records jsonb not null,
    primary key (tenant, user_id, position, created_at)
  ) partition by range (created_at)`,
  'create table fieldtide_feed_row_rest partition of fieldtide_feed_row default',
  'create index if not exists fieldtide_feed_row_age on fieldtide_feed_row (tenant, created_at)',
  `insert into fieldtide_feed_row (${COLUMNS}) select ${COLUMNS} from fieldtide_feed_row_whole`,
  'drop table fieldtide_feed_row_whole',
];

/** Puts the table of feed rows into partitions unless it is; on an engine that has none, call it never. */
export async function partitionFeed(driver: Pick<SqlDriver, 'transaction'>): Promise<void> {
  await driver.transaction('write', async (sql) => {
    if (await isPartitioned(sql)) return;
    await sql.query('lock table fieldtide_feed_row in access exclusive mode', []);
    if (await isPartitioned(sql)) return; // Another server has, while this one waited.
    for (const statement of BY_DAY) await sql.query(statement, []);
  });
}

/**
 * Makes the partitions of the days to come, and drops those that are over for everybody. One that fails keeps none of the others from being
 * turned, unless tables are held for long: then the rest is left for the next time, since everybody who saves or polls waits along.
 */
export async function turnDays(driver: Pick<SqlDriver, 'transaction'>, now: number, keptMs: number): Promise<void> {
  const today = Math.floor(now / DAY_MS);
  const firstKept = Math.floor((now - keptMs) / DAY_MS) - SPARE_DAYS;
  const existing = await driver.transaction('read', listDays);
  const coming = Array.from({ length: DAYS_AHEAD }, (_, index) => today + index).filter((day) => !existing.includes(day));
  const over = existing.filter((day) => day < firstKept);
  const failures: unknown[] = [];
  for (const [day, turn] of [...coming.map((day) => [day, makeDay] as const), ...over.map((day) => [day, dropDay] as const)]) {
    try {
      await turn(driver, day);
    } catch (cause) {
      if (await isTurned(driver, day, turn === makeDay)) continue; // By another server, at the same time.
      failures.push(cause);
      if (isFault(cause) && cause.details.state === LOCK_NOT_AVAILABLE) break;
    }
  }
  if (failures.length > 0) throw failures[0];
}

const LOCK_NOT_AVAILABLE = '55P03';

async function isTurned(driver: Pick<SqlDriver, 'transaction'>, day: number, isMade: boolean): Promise<boolean> {
  const days = await driver.transaction('read', listDays);
  return days.includes(day) === isMade || (isMade && (await isTaken(driver, day)));
}

/** A day of which rows lie with the rest stays there: it cannot have a partition any more. */
async function makeDay(driver: Pick<SqlDriver, 'transaction'>, day: number): Promise<void> {
  if (await isTaken(driver, day)) return;
  await changeDays(driver, `create table if not exists ${nameOf(day)} partition of fieldtide_feed_row for values from (${day * DAY_MS}) to (${(day + 1) * DAY_MS})`);
}

function dropDay(driver: Pick<SqlDriver, 'transaction'>, day: number): Promise<void> {
  return changeDays(driver, `drop table if exists ${nameOf(day)}`);
}

async function isTaken(driver: Pick<SqlDriver, 'transaction'>, day: number): Promise<boolean> {
  const [found] = await driver.transaction('read', (sql) =>
    sql.query('select exists (select 1 from fieldtide_feed_row_rest where created_at >= $1 and created_at < $2) as is_taken', [day * DAY_MS, (day + 1) * DAY_MS]),
  );
  return found?.is_taken === true;
}

/** Each change is a transaction of its own that gives up soon: everybody who saves or polls waits behind it. */
async function changeDays(driver: Pick<SqlDriver, 'transaction'>, statement: string): Promise<void> {
  await driver.transaction('write', async (sql) => {
    await sql.query("set local lock_timeout = '2s'", []);
    await sql.query(statement, []);
  });
}

async function isPartitioned(sql: Sql): Promise<boolean> {
  const [row] = await sql.query("select c.relkind = 'p' as is_partitioned from pg_class c where c.oid = to_regclass('fieldtide_feed_row')", []);
  return row?.is_partitioned === true;
}

/** The days that have a partition, counted from 1970. */
async function listDays(sql: Sql): Promise<number[]> {
  const rows = await sql.query(
    "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = to_regclass('fieldtide_feed_row')", [],
  );
  return rows.flatMap(({ name }) => /^fieldtide_feed_row_d(\d+)$/.exec(String(name))?.[1] ?? []).map(Number);
}

function nameOf(day: number): string {
  return `fieldtide_feed_row_d${day}`;
}
