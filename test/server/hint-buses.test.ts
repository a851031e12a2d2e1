import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryHintBus, type HintBus } from '../../src/server/index.ts';
import { natsHintBus, type NatsHintConnection } from '../../src/server/hints/nats-hint-bus.ts';
import { postgresHintBus, type PostgresHintBus, type PostgresHintBusOptions } from '../../src/server/hints/postgres-hint-bus.ts';
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
