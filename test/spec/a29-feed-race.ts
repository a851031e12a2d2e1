// Writers and pollers that race on one feed through the real server, a database that makes trouble, and the judge of what was seen.
import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresConnection, PostgresPool } from '../../src/server/store/postgres.ts';
import type { FeedCursor } from '../../src/protocol/messages.ts';
import type { TestDevice } from '../server/harness.ts';
import type { Random } from '../../src/shared/random.ts';

export const TENANT = 'race';

/** Names an upload: store and number. */
export type Entry = string;

/** What one poller saw of a user's feed, in the order in which it came. */
export interface Seen {
  readonly user: string;
  readonly entries: readonly (readonly [position: number, entry: Entry])[];
}

/** What a writer was told is saved. */
export interface Saved {
  readonly user: string;
  readonly entry: Entry;
}

/**
 * Saves so many entries, of an object without an auto-number: its counter alone would put the saves one after another. Each is
 * repeated under its number until it is saved: some commits fail, and some answers are lost with them.
 */
export async function write(device: TestDevice, user: string, saves: number): Promise<Saved[]> {
  const saved: Saved[] = [];
  for (let number = 1; number <= saves; number++) {
    const id = `${device.store}-${number}`;
    for (let attempt = 1; ; attempt++) {
      const outcome = await device.save(number, { create: 'order', id, values: { notes: `n${number}` } }).then((result) => result.outcome, () => 'failed');
      if (outcome === 'saved') break;
      if (outcome === 'refused' || attempt === 100) throw new Error(`entry ${number} of ${device.store} was ${outcome}`);
    }
    saved.push({ user, entry: `${device.store}#${number}` });
  }
  return saved;
}

/** Polls every 5 ms in small pages; once it is told to stop, until there is nothing new. */
export async function poll(device: TestDevice, user: string, random: Random, isStopping: () => boolean): Promise<Seen> {
  const entries: [number, Entry][] = [];
  let cursor: FeedCursor | null = null;
  for (let failures = 0; failures < 100; ) {
    const isLast = isStopping();
    const page: Awaited<ReturnType<TestDevice['poll']>> | undefined = await device.poll(cursor, 1 + Math.floor(random.next() * 7)).catch(() => undefined);
    if (page === undefined) {
      failures++; // The first poll of a device writes, and its commit may fail.
    } else if (page !== null) {
      entries.push(...page.transactions.map(({ position, store, number }): [number, Entry] => [position, `${store}#${number}`]));
      cursor = page.next;
    } else if (isLast) {
      return { user, entries };
    }
    if (!isLast && page?.more !== true) await pause(5);
  }
  throw new Error('the polls of one device failed 100 times');
}

/** What a database does to those who use it. */
export interface Trouble {
  readonly random: Random;
  /** How late a slow commit may be. */
  readonly slowestMs: number;
  /** What becomes of each statement. */
  readonly rewrite: (statement: string) => string;
}

/** A pool whose connections now and then commit late, roll back in place of a commit, or commit and say that they did not. */
export function troubled(pool: PostgresPool, { random, slowestMs, rewrite }: Trouble): PostgresPool {
  return {
    async connect() {
      const connection = await pool.connect();
      let isWrite = false;
      const query: PostgresConnection['query'] = async (statement) => {
        const text = typeof statement === 'string' ? statement : statement.text;
        if (text.startsWith('begin')) isWrite = text.includes('read write');
        if (text === 'commit' && isWrite) {
          if (random.next() < 0.3) await pause(random.next() * slowestMs);
          const luck = random.next();
          if (luck < 0.1) {
            await connection.query('rollback');
            throw new Error('the commit did not come through');
          }
          if (luck < 0.15) {
            await connection.query('commit');
            throw new Error('the answer to the commit did not come through');
          }
        }
        return connection.query(typeof statement === 'string' ? statement : { ...statement, text: rewrite(text) });
      };
      return {
        query,
        release: (isBroken) => connection.release(isBroken),
        on: (event, listener) => connection.on(event, listener),
        removeListener: (event, listener) => connection.removeListener(event, listener),
      };
    },
  };
}

/** The feed that many a server has: positions from a sequence, taken before the commit, and "new" is whatever is above the last one read. */
export function withSequence(statement: string): string {
  if (statement.startsWith('update fieldtide_feed set head = head + 1')) return `select nextval('naive_position') as head where $1::text <> $2::text or true`;
  return statement.replaceAll('f.head', '(select coalesce(max(p.position), 0) from fieldtide_feed_row p where p.tenant = f.tenant and p.user_id = f.user_id) as head');
}

/** Says what is wrong: each poller must have seen each entry of its user once, in one order, and nothing of anybody else. */
export function judge(saved: readonly Saved[], seen: readonly Seen[]): string[] {
  return seen.flatMap(({ user, entries }, poller) => {
    const due = new Set(saved.filter((save) => save.user === user).map(({ entry }) => entry));
    const counts = new Map<Entry, number>();
    for (const [, entry] of entries) counts.set(entry, (counts.get(entry) ?? 0) + 1);
    const positions = entries.map(([position]) => position);
    return [
      ...[...due].filter((entry) => !counts.has(entry)).map((entry) => `poller ${poller} missed ${entry}`),
      ...[...counts].filter(([, count]) => count > 1).map(([entry, count]) => `poller ${poller} saw ${entry} ${count} times`),
      ...[...counts.keys()].filter((entry) => !due.has(entry)).map((entry) => `poller ${poller} saw ${entry}, which was never saved for ${user}`),
      ...positions.flatMap((position, index) => (index > 0 && position <= positions[index - 1]! ? [`poller ${poller} read ${position} after ${positions[index - 1]}`] : [])),
    ];
  });
}
