import type { Client } from 'pg';
import { pickBackoff } from '../../shared/backoff.ts';
import type { CancelTimer, Clock } from '../../shared/clock.ts';
import { platformClock, platformRandom } from '../../shared/platform.ts';
import type { Random } from '../../shared/random.ts';
import type { HintBus } from '../hint-bus.ts';
import { withTimeLimit } from '../time-limit.ts';
import { hintTopic } from './hint-topic.ts';
import { createListeners } from './listeners.ts';

/** How to use a PostgreSQL database for hints. */
export interface PostgresHintBusOptions {
  /** The address of the database. It must lead to the database itself: LISTEN does not work through a pooler that shares connections. */
  readonly url: string;
  /** The name of the channel. @defaultValue 'fieldtide_hints' */
  readonly channel?: string;
  /** The least time between two notifications of this server, in milliseconds: each takes a lock that all commits wait for. @defaultValue 100 */
  readonly everyMs?: number;
  /** Hears what is worth a line in a log. @defaultValue nobody */
  readonly log?: (message: string, cause?: unknown) => void;
  /** @defaultValue the platform's clock */
  readonly clock?: Clock;
  /** @defaultValue the platform's cryptographic source */
  readonly random?: Random;
}

/** A bus over LISTEN and NOTIFY. */
export interface PostgresHintBus extends HintBus {
  /** Resolves when this server hears for the first time; it goes on trying for as long as the bus is open. */
  readonly ready: Promise<void>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** PostgreSQL takes less than 8,000 bytes; a topic and its comma are 17. */
const MOST_TOPICS = 450;

/** The most topics that wait to be sent, about a megabyte; those beyond are heard of by the next poll. */
const MOST_WAITING = 10_000;

/** How long the database may take to answer, and how often it is asked whether it is still there, in milliseconds. */
const ANSWER_MS = 10_000, CHECK_MS = 30_000;

/**
 * Makes a bus over a PostgreSQL database, for any number of servers, through the package `pg` that the host installs. It has a connection of
 * its own, notifies after commits and never in one, and names users by a hash. Hints that are published while the database is away reach
 * this server's own devices only. A connection whose other end is gone without a word is found out within 40 seconds.
 *
 * @example
 * ```ts
 * const hints = postgresHintBus({ url: process.env.DATABASE_URL });
 * ```
 */
export function postgresHintBus(options: PostgresHintBusOptions): PostgresHintBus {
  const { url, channel = 'fieldtide_hints', everyMs = 100, log = () => {}, clock = platformClock, random = platformRandom } = options;
  const listeners = createListeners();
  const unsent = new Set<string>();
  let connection: Client | null = null;
  let lastAt = -Infinity, failures = 0, isClosed = false;
  let cancelSending: CancelTimer | null = null, cancelNext: CancelTimer = () => {};
  let isSending = false, isFull = false;
  let tellReady = (): void => {};
  const ready = new Promise<void>((resolve) => (tellReady = resolve));
  let connecting = connect();

  async function connect(): Promise<void> {
    let client: Client | undefined;
    try {
      const { Client: PgClient } = await import('pg');
      if (isClosed) return;
      const opened = (client = new PgClient({ connectionString: url, keepAlive: true, connectionTimeoutMillis: ANSWER_MS }));
      opened.on('error', (cause) => lost(opened, cause));
      opened.on('end', () => lost(opened, null));
      opened.on('notification', ({ payload, processId }) => heard(payload ?? '', processId === (opened as Client & { readonly processID?: number }).processID));
      await withTimeLimit(clock, ANSWER_MS, async () => {
        await opened.connect();
        await opened.query(`listen ${opened.escapeIdentifier(channel)}`);
      });
      if (isClosed) return await opened.end();
      connection = opened;
      failures = 0;
      tellReady();
      checkLater(opened);
      void send();
    } catch (cause) {
      void client?.end().catch(() => {});
      retry(cause);
    }
  }

  function lost(client: Client, cause: unknown): void {
    if (connection !== client) return;
    connection = null;
    cancelNext();
    void client.end().catch(() => {});
    retry(cause);
  }

  /** Where the other end is gone without a word, a connection that only listens would never know. */
  function checkLater(client: Client): void {
    cancelNext = clock.setTimer(CHECK_MS, () => void ask(client, 'select 1', []).then((isThere) => isThere && checkLater(client)));
  }

  /** Runs a statement; one that fails or is not answered in time ends the connection. */
  async function ask(client: Client, text: string, values: readonly string[]): Promise<boolean> {
    try {
      await withTimeLimit(clock, ANSWER_MS, () => client.query(text, [...values]));
      return connection === client;
    } catch (cause) {
      lost(client, cause);
      return false;
    }
  }

  function retry(cause: unknown): void {
    if (isClosed) return;
    log('hints of other servers are not heard until the database is there again', cause);
    failures++;
    cancelNext = clock.setTimer(pickBackoff(failures, random, { mostMs: 30_000 }), () => (connecting = connect()));
  }

  /** This server's own listeners were told when it was published. */
  function heard(payload: string, isOwn: boolean): void {
    if (!isOwn) for (const topic of payload.split(',')) listeners.tell(topic);
  }

  /** One notification at a time: what comes meanwhile shares the next. */
  async function send(): Promise<void> {
    if (isSending || cancelSending !== null) return;
    isSending = true;
    while (unsent.size > 0 && connection !== null) {
      const restMs = lastAt + everyMs - clock.monotonic();
      if (restMs > 0) {
        cancelSending = clock.setTimer(restMs, () => {
          cancelSending = null;
          void send();
        });
        break;
      }
      lastAt = clock.monotonic();
      const topics = [...unsent].slice(0, MOST_TOPICS);
      for (const topic of topics) unsent.delete(topic);
      isFull = false;
      await ask(connection, 'select pg_notify($1, $2)', [channel, topics.join(',')]);
    }
    isSending = false;
  }

  function put(topic: string): void {
    if (unsent.size < MOST_WAITING) unsent.add(topic);
    else if (!isFull) {
      isFull = true;
      log('more hints wait than are kept: devices on other servers hear of some saves by polling only');
    }
  }

  return {
    ready,
    publish(tenant, user) {
      const topic = hintTopic(tenant, user);
      listeners.tell(topic);
      // While nobody can be told it is not kept: devices poll, and the list would only grow.
      if (connection === null) return;
      put(topic);
      void send();
    },
    subscribe(tenant, user, onHint) {
      const { remove } = listeners.add(hintTopic(tenant, user), onHint);
      return () => void remove();
    },
    async close() {
      isClosed = true;
      cancelNext();
      cancelSending?.();
      await connecting;
      const open = connection;
      connection = null;
      await open?.end();
    },
  };
}
