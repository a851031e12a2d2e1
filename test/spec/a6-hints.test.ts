import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { memoryHintBus, type HintBus } from '../../src/server/index.ts';
import { http } from '../../src/transport/http.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import { createManualClock, drain } from '../support/manual-clock.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text() } } } });

let world: World<typeof schema>;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  await world.close();
  for (const close of closing.splice(0)) await close();
});

const pollsIn = (requests: readonly string[]): number => requests.filter((path) => path.includes('/feed')).length;

/** A device that can hear hints, and the paths that it asked for. */
async function listener(user = 'ann', change: (request: Request, send: (request: Request) => Promise<Response>) => Promise<Response> = (request, send) => send(request)) {
  const asked: string[] = [];
  const transport = inProcess({
    handle(request) {
      asked.push(new URL(request.url).pathname);
      return change(request, world.server.fetch);
    },
    token: async () => user,
    clock: world.clock,
  });
  const device = await world.device(user, { transport });
  await drain();
  return { ...device, asked };
}

async function online({ engine }: Pick<TestDevice, 'engine'>, id: string): Promise<unknown> {
  return (await engine.get('account', id))?.values.name;
}

describe('A6: with hints', () => {
  test('a device has what another one saved within a second, long before it would have polled', async () => {
    world = createWorld(schema, { hints: memoryHintBus() });
    const tablet = await listener(), phone = await listener();
    await world.clock.advance(5_000);
    await tablet.engine.create('account', { name: 'St. Mary' }, 'a1');
    await drain();
    expect(await online(phone, 'a1')).toBeUndefined();
    await world.clock.advance(500);
    expect(await online(phone, 'a1')).toBe('St. Mary');
  });

  test('a device of another user hears nothing, and of another tenant neither', async () => {
    const heard: string[] = [];
    const bus = memoryHintBus();
    world = createWorld(schema, {
      hints: bus,
      authenticate: ({ headers }) => {
        const [tenant = '', user = ''] = headers.authorization!.slice('Bearer '.length).split('/');
        return { tenant, user };
      },
    });
    for (const [tenant, user] of [['t1', 'ann'], ['t1', 'bob'], ['t2', 'ann']] as const) bus.subscribe(tenant, user, () => heard.push(`${tenant}/${user}`));
    const send = (user: string) => world.server.handle({ method: 'GET', path: '/hints', query: {}, headers: { authorization: `Bearer ${user}`, 'fieldtide-protocol': '1', 'fieldtide-store': `of-${user.replace('/', '-')}`, 'fieldtide-attempt': 'a' }, body: async () => new Uint8Array() });
    const written: string[] = [];
    for (const user of ['t1/ann', 't1/bob', 't2/ann']) {
      const { stream } = await send(user);
      closing.push(stream!({ write: (chunk) => written.push(`${user}: ${Buffer.from(chunk).toString()}`), end: () => {} }));
    }
    written.length = 0;
    await world.clock.advance(2_000);
    bus.publish('t1', 'ann');
    expect(heard).toEqual(['t1/ann']);
    expect(written).toEqual(['t1/ann: data: poll\n\n']);
  });

  test('a lost hint costs no more than a poll', async () => {
    const deaf: HintBus = { publish: () => {}, subscribe: () => () => {} };
    world = createWorld(schema, { hints: deaf });
    const tablet = await listener(), phone = await listener();
    await world.clock.advance(5_000);
    await tablet.engine.create('account', { name: 'St. Mary' }, 'a1');
    await world.clock.advance(10_000);
    expect(await online(phone, 'a1')).toBeUndefined();
    await world.clock.advance(30_000);
    expect(await online(phone, 'a1')).toBe('St. Mary');
  });

  test('a bus that breaks holds up nobody, and the log says so', async () => {
    const broken: HintBus = { publish() { throw new Error('the bus is gone'); }, subscribe() { throw new Error('the bus is gone'); } };
    const events: string[] = [];
    world = createWorld(schema, { hints: broken, log: ({ event }) => events.push(event) });
    const device = await listener();
    await device.engine.create('account', { name: 'St. Mary' }, 'a1');
    await world.clock.advance(1_000);
    expect(await device.engine.status()).toMatchObject({ pending: 0, syncErrors: 0, lastFault: null });
    expect(new Set(events)).toEqual(new Set(['hints:failed']));
  });

  test('many hints in a row are few polls', async () => {
    const bus = memoryHintBus();
    world = createWorld(schema, { hints: bus });
    const device = await listener();
    await world.clock.advance(5_000);
    const before = pollsIn(device.asked);
    for (let hint = 0; hint < 500; hint++) bus.publish('default', 'ann');
    await world.clock.advance(3_000);
    expect(pollsIn(device.asked) - before).toBeGreaterThanOrEqual(1);
    expect(pollsIn(device.asked) - before).toBeLessThanOrEqual(2);
  });

  test('a device listens only while it is online and in the foreground, and says where it is again on return', async () => {
    const listening = new Set<object>();
    const counting: HintBus = {
      publish: () => {},
      subscribe() {
        const one = {};
        listening.add(one);
        return () => void listening.delete(one);
      },
    };
    world = createWorld(schema, { hints: counting });
    const device = await listener();
    for (const [away, back] of [[{ isForeground: false }, { isForeground: true }], [{ isOnline: false }, { isOnline: true }]] as const) {
      expect(listening.size).toBe(1);
      await device.engine.setLifecycle(away);
      await drain();
      expect(listening.size).toBe(0);
      await device.engine.setLifecycle(back);
      await world.clock.advance(1_000);
    }
    expect(listening.size).toBe(1);
    await device.engine.close();
    await drain();
    expect(listening.size).toBe(0);
  });

  test('a stream ends after some minutes, is opened again, and one that is silent is given up', async () => {
    world = createWorld(schema, { hints: memoryHintBus() });
    const device = await listener();
    const opened = () => device.asked.filter((path) => path.endsWith('/hints')).length;
    expect(opened()).toBe(1);
    await world.clock.advance(590_000);
    expect(opened()).toBe(1);
    await world.clock.advance(320_000);
    expect(opened()).toBe(2);
    // A connection that was cut without a word: the heart-beats no longer come through.
    const silent = await listener('bob', async (request, send) => (request.url.endsWith('/hints') ? new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } }) : send(request)));
    const tried = () => silent.asked.filter((path) => path.endsWith('/hints')).length;
    expect(tried()).toBe(1);
    await world.clock.advance(75_000 + 5_000);
    expect(tried()).toBe(2);
  });

  test('a server that is not there any more for hints is asked less and less often, and polls go on', async () => {
    world = createWorld(schema, { hints: memoryHintBus() });
    const device = await listener('ann', async (request, send) => (request.url.endsWith('/hints') ? new Response(null, { status: 503 }) : send(request)));
    const tried = () => device.asked.filter((path) => path.endsWith('/hints')).length;
    await world.clock.advance(3_600_000);
    expect(tried()).toBeGreaterThan(12);
    expect(tried()).toBeLessThan(80);
    expect(pollsIn(device.asked)).toBeGreaterThan(100);
    expect((await device.engine.status()).lastFault).toBeNull();
  });

  test('a hotel’s sign-in page in place of the stream is none', async () => {
    world = createWorld(schema, { hints: memoryHintBus() });
    const device = await listener('ann', async (request, send) => (request.url.endsWith('/hints') ? new Response('data: poll\n\n', { headers: { 'content-type': 'text/html' } }) : send(request)));
    await world.clock.advance(25_000);
    expect(pollsIn(device.asked)).toBe(1);
  });

  test('over a connection of Node’s own it comes as soon as it is published, and closing the server ends it', async () => {
    const bus = memoryHintBus();
    world = createWorld(schema, { hints: bus });
    const listening: Server = createServer(world.server.nodeListener).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    closing.push(() => new Promise((resolve) => listening.close(resolve)));
    const transport = http({ url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`, token: async () => 'ann', clock: createManualClock() });
    const headers = { 'fieldtide-protocol': '1', 'fieldtide-store': 's', 'fieldtide-attempt': 'a', accept: 'text/event-stream' };
    let heard = 0, onHint = (): void => {};
    const next = (): Promise<void> => new Promise((resolve) => (onHint = resolve));
    const first = next();
    const ended = transport.hints!({ method: 'GET', path: 'hints', headers }, () => {
      heard++;
      onHint();
    });
    await first;
    await world.clock.advance(1_000);
    const second = next();
    bus.publish('default', 'ann');
    await second;
    expect(heard).toBe(2);
    await world.server.close();
    expect(await ended).toBeNull();
  });

  test('a server that has none answers that there is no such endpoint, and its devices do not ask', async () => {
    world = createWorld(schema);
    const device = await listener();
    await world.clock.advance(60_000);
    expect(device.asked.filter((path) => path.endsWith('/hints'))).toEqual([]);
  });
});
