import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryHintBus, type HintBus } from '../../src/server/index.ts';
import { hintTopic } from '../../src/server/hints/hint-topic.ts';
import { natsHintBus, type NatsHintConnection } from '../../src/server/hints/nats-hint-bus.ts';
import { postgresHintBus, type PostgresHintBus, type PostgresHintBusOptions } from '../../src/server/hints/postgres-hint-bus.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { usePostgres } from './postgres-stores.ts';

// Its declarations do not hold under exactOptionalPropertyTypes, so it is imported without them.
const NATS: string = '@nats-io/transport-node';

/** What the tests use of it beside the bus. */
interface NatsConnection extends NatsHintConnection {
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
  readonly stats: () => { readonly inMsgs: number };
}

/** Resolves when a user is hinted at. */
function nextHint(bus: HintBus, tenant: string, user: string): { readonly heard: Promise<void>; readonly stop: () => void } {
  let stop = (): void => {};
  const heard = new Promise<void>((resolve) => (stop = bus.subscribe(tenant, user, resolve)));
  return { heard, stop };
}

/** A way to a database that can be held up: bytes still go in at one end, and none come out at the other. */
async function openLine(url: string) {
  const folder = decodeURIComponent(new URL(url.replace('@/', '@host/')).searchParams.get('host')!);
  const sockets: Socket[] = [];
  const reaching: { readonly count: number; readonly tell: () => void }[] = [];
  let connections = 0;
  const server = createServer((near) => {
    const far = connect(`${folder}/.s.PGSQL.5432`);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    connections++;
    for (const { count, tell } of reaching) if (connections >= count) tell();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: url.replace(/@(\/[^?]*)\?host=[^&]*/, `@127.0.0.1:${port}$1?`),
    /** Holds up the connections that there are. */
    freeze(): void {
      for (let index = 0; index < sockets.length; index += 2) {
        const near = sockets[index]!, far = sockets[index + 1]!;
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    thaw(): void {
      for (let index = 0; index < sockets.length; index += 2) sockets[index]!.pipe(sockets[index + 1]!).pipe(sockets[index]!);
    },
    /** Resolves when so many connections have been made. */
    reached: (count: number): Promise<void> => (connections >= count ? Promise.resolve() : new Promise((tell) => void reaching.push({ count, tell }))),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** What every bus does. `flushed` resolves when the servers know of the subscriptions made so far. */
function describeBus(open: () => Promise<{ readonly one: HintBus; readonly other: HintBus; readonly flushed: () => Promise<void> }>): void {
  test('tells who listens for the user, on its own server and on another, and nobody else', async () => {
    const { one, other, flushed } = await open();
    const told: string[] = [];
    const stops = [['t1', 'bob'], ['t2', 'ann'], ['t1', 'an'], ['t', '1ann']].map(([tenant, user]) => other.subscribe(tenant!, user!, () => told.push(`${tenant} ${user}`)));
    const [own, others] = [nextHint(one, 't1', 'ann'), nextHint(other, 't1', 'ann')];
    await flushed();
    one.publish('t1', 'ann');
    await Promise.all([own.heard, others.heard]);
    // What is published later comes later: by now the others would have been told.
    const last = nextHint(other, 't1', 'zoe');
    await flushed();
    one.publish('t1', 'zoe');
    await last.heard;
    expect(told).toEqual([]);
    for (const stop of [...stops, own.stop, others.stop, last.stop]) stop();
  });

  test('tells each of those who listen for one user, until they stop', async () => {
    const { one, other, flushed } = await open();
    let first = 0, staying = 0;
    const stopFirst = other.subscribe('t1', 'ann', () => first++);
    const stopStaying = other.subscribe('t1', 'ann', () => staying++);
    const second = nextHint(other, 't1', 'ann');
    await flushed();
    one.publish('t1', 'ann');
    await second.heard;
    expect(first).toBe(1);
    stopFirst();
    stopFirst();
    const third = nextHint(other, 't1', 'ann');
    await flushed();
    one.publish('t1', 'ann');
    await third.heard;
    expect([first, staying]).toEqual([1, 2]);
    for (const stop of [stopStaying, second.stop, third.stop]) stop();
  });
}

describe('the hint bus in memory', () => {
  describeBus(async () => {
    const bus = memoryHintBus();
    return { one: bus, other: bus, flushed: async () => {} };
  });
});

describeOnPostgres('the hint bus on PostgreSQL', { timeout: 30_000 }, () => {
  const postgres = usePostgres();
  const open: PostgresHintBus[] = [];
  afterAll(async () => {
    for (const bus of open) await bus.close();
  });

  async function openBus(options: Partial<PostgresHintBusOptions> = {}): Promise<PostgresHintBus> {
    const bus = postgresHintBus({ url: postgres.url(), everyMs: 0, ...options });
    open.push(bus);
    await bus.ready;
    return bus;
  }

  describeBus(async () => ({ one: await openBus(), other: await openBus(), flushed: async () => {} }));

  test('goes on after its connection was cut', async () => {
    let tellLost = (): void => {};
    const isLost = new Promise<void>((resolve) => (tellLost = resolve));
    const logged: string[] = [];
    const other = await openBus({
      url: `${postgres.url()}&application_name=other`,
      random: { next: () => 0, bytes: (length) => new Uint8Array(length) },
      log(message) {
        logged.push(message);
        tellLost();
      },
    });
    await postgres.query(postgres.url(), "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'");
    await isLost;
    expect(logged[0]).toMatch(/not heard until/);
    const one = await openBus();
    const { heard, stop } = nextHint(other, 't1', 'ann');
    // Until it listens again nothing reaches it.
    while ((await postgres.query(postgres.url(), "select pid from pg_stat_activity where application_name = 'other' and query like 'listen%' and state = 'idle'")).length === 0);
    one.publish('t1', 'ann');
    await heard;
    stop();
  });

  test('finds out that the other end is gone without a word, and goes on over another connection', async () => {
    const line = await openLine(postgres.url());
    const clock = createManualClock();
    const logged: string[] = [];
    const other = await openBus({ url: `${line.url}application_name=again`, clock, random: { next: () => 0, bytes: (length) => new Uint8Array(length) }, log: (message) => logged.push(message) });
    line.freeze();
    await clock.advance(30_000);
    expect(logged).toEqual([]);
    await clock.advance(10_000);
    expect(logged).toEqual([expect.stringMatching(/not heard until/)]);
    await clock.advance(30_000);
    await line.reached(2);
    const one = await openBus();
    const { heard, stop } = nextHint(other, 't1', 'ann');
    // The end that is left in the database listens too.
    while ((await postgres.query(postgres.url(), "select pid from pg_stat_activity where application_name = 'again' and query like 'listen%' and state = 'idle'")).length < 2);
    one.publish('t1', 'ann');
    await heard;
    stop();
    await line.close();
  });

  test('keeps so many hints while the database does not answer, and no more', async () => {
    const line = await openLine(postgres.url());
    const logged: string[] = [];
    const one = await openBus({ url: line.url, channel: 'many', log: (message) => logged.push(message) });
    const told = new Set<string>();
    const { default: pg } = await import('pg');
    const spy = new pg.Client({ connectionString: postgres.url() });
    await spy.connect();
    let tellAll = (): void => {};
    const all = new Promise<void>((resolve) => (tellAll = resolve));
    spy.on('notification', ({ payload }) => {
      for (const topic of (payload ?? '').split(',')) told.add(topic);
      if (told.size >= 10_001) tellAll();
    });
    await spy.query('listen many');
    line.freeze();
    for (let user = 0; user < 12_000; user++) one.publish('t1', `user-${user}`);
    line.thaw();
    await all;
    one.publish('t1', 'last');
    while (!told.has(hintTopic('t1', 'last'))) await spy.query('select 1');
    expect(told.size).toBe(10_002);
    expect(logged).toEqual([expect.stringMatching(/more hints wait/)]);
    await spy.end();
    await line.close();
  });

  test('gathers what is published within a moment into one notification, which names nobody', async () => {
    const payloads: string[] = [];
    const url = await postgres.createDatabase();
    const [one, other] = [await openBus({ url, everyMs: 50 }), await openBus({ url })];
    const { default: pg } = await import('pg');
    const spy = new pg.Client({ connectionString: url });
    await spy.connect();
    spy.on('notification', ({ payload }) => payloads.push(payload ?? ''));
    await spy.query('listen fieldtide_hints');
    const last = nextHint(other, 't1', 'user-99');
    for (let user = 0; user < 100; user++) one.publish('t1', `user-${user}`);
    await last.heard;
    await spy.query('select 1');
    await spy.end();
    expect(payloads.length).toBe(2);
    expect(payloads.join(',').split(',').length).toBe(100);
    expect(payloads.join(',')).toMatch(/^[0-9a-f,]+$/);
    last.stop();
  });
});

const natsServer = ['nats-server', '/usr/sbin/nats-server'].find((program) => spawnSync(program, ['--version']).status === 0);

describe.skipIf(natsServer === undefined)(natsServer === undefined ? 'the hint bus on NATS [not proven: there is no nats-server here]' : 'the hint bus on NATS', () => {
  let server: ChildProcess;
  const connections: NatsConnection[] = [];
  let url = '';

  beforeAll(async () => {
    server = spawn(natsServer!, ['--addr', '127.0.0.1', '--port', '-1'], { stdio: ['ignore', 'ignore', 'pipe'] });
    url = await new Promise<string>((resolve, reject) => {
      let log = '';
      server.once('exit', () => reject(new Error(`NATS did not start: ${log}`)));
      server.stderr!.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        const address = /Listening for client connections on ([\d.:]+)/.exec(log)?.[1];
        if (address !== undefined && log.includes('Server is ready')) resolve(address);
      });
    });
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    server.kill();
  });

  async function openBus(): Promise<{ readonly bus: HintBus; readonly connection: NatsConnection }> {
    const { connect } = (await import(NATS)) as { readonly connect: (options: { readonly servers: string }) => Promise<NatsConnection> };
    const connection = await connect({ servers: url });
    connections.push(connection);
    return { bus: natsHintBus(connection), connection };
  }

  describeBus(async () => {
    const [one, other] = [await openBus(), await openBus()];
    return { one: one.bus, other: other.bus, flushed: async () => void (await Promise.all([one.connection.flush(), other.connection.flush()])) };
  });

  test('has one subscription for a user, however many devices listen, and none when nobody does', async () => {
    const { bus, connection } = await openBus();
    const before = connection.stats();
    const stops = Array.from({ length: 3 }, () => bus.subscribe('t1', 'ann', () => {}));
    let heard = 0;
    stops.push(bus.subscribe('t1', 'ann', () => heard++));
    bus.publish('t1', 'ann');
    await connection.flush();
    await connection.flush();
    expect([connection.stats().inMsgs - before.inMsgs, heard]).toEqual([1, 1]);
    for (const stop of stops) stop();
    bus.publish('t1', 'ann');
    await connection.flush();
    await connection.flush();
    expect(connection.stats().inMsgs - before.inMsgs).toBe(1);
  });
});
