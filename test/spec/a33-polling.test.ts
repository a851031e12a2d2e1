import { afterEach, describe, expect, test } from 'vitest';
import { HEADERS } from '../../src/protocol/messages.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import { createWorld, type Intercept, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

function pollsOf({ requests }: TestDevice): number {
  return requests.filter(({ path }) => path.startsWith('feed')).length;
}

/** When each poll of the next while goes out, in milliseconds from now. */
async function pollTimes(device: TestDevice, forMs: number, stepMs = 100): Promise<number[]> {
  const times: number[] = [];
  for (let at = stepMs; at <= forMs; at += stepMs) {
    const before = pollsOf(device);
    await world.clock.advance(stepMs);
    for (let poll = before; poll < pollsOf(device); poll++) times.push(at);
  }
  return times;
}

const gaps = (times: readonly number[]): number[] => times.map((at, index) => at - (times[index - 1] ?? 0));

const busy = (retryAfter?: string): Intercept => async () => ({ status: 503, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter }, body: new Uint8Array() });

describe('A33: a device polls', () => {
  test('every 30 s give or take 10 %, from the end of the last poll: twenty times in ten minutes', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    const times = await pollTimes(device, 600_000);
    expect(times.length).toBeGreaterThanOrEqual(18);
    expect(times.length).toBeLessThanOrEqual(22);
    for (const gap of gaps(times)) {
      expect(gap).toBeGreaterThanOrEqual(27_000);
      expect(gap).toBeLessThanOrEqual(33_100);
    }
    expect(new Set(gaps(times)).size).toBeGreaterThan(10);
  });

  test('a while after a slow answer, not after its question', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept((request, send) => new Promise((resolve) => void world.clock.setTimer(20_000, () => resolve(send(request)))));
    const [, second] = gaps(await pollTimes(device, 120_000));
    expect(second).toBeGreaterThanOrEqual(20_000 + 27_000);
    device.intercept(null);
  });

  test.each([
    [120_000, 108_000, 132_100],
    [1, 4_500, 5_600],
    [86_400_000, 3_240_000, 3_960_100],
  ])('as often as the server wants, %i ms, within 5 s and an hour', async (nextPollMs, least, most) => {
    world = createWorld(schema, { nextPollMs });
    const device = await world.device('ann');
    await device.engine.exchange();
    const [first = 0] = await pollTimes(device, most + 1_000, Math.max(100, most / 1_000));
    expect(first).toBeGreaterThanOrEqual(least);
    expect(first).toBeLessThanOrEqual(most + most / 1_000);
  });

  test('as often as it likes itself again once the server says nothing of it any more', async () => {
    world = createWorld(schema, { nextPollMs: 3_600_000 });
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(async (request, send) => {
      const response = await send(request);
      const { [HEADERS.nextPoll]: _, ...headers } = response.headers;
      return { ...response, headers };
    });
    await device.engine.exchange();
    expect((await pollTimes(device, 600_000)).length).toBeGreaterThanOrEqual(18);
  });

  test('never in the background and never offline; at once on return and on reconnect', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    for (const [away, back] of [[{ isForeground: false }, { isForeground: true }], [{ isOnline: false }, { isOnline: true }]] as const) {
      await device.engine.setLifecycle(away);
      const before = pollsOf(device);
      await world.clock.advance(600_000);
      expect(pollsOf(device)).toBe(before);
      await device.engine.setLifecycle(back);
      await world.clock.advance(0);
      expect(pollsOf(device)).toBe(before + 1);
    }
  });

  test('at a start at once', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await world.clock.advance(0);
    expect(pollsOf(device)).toBe(1);
  });

  test('after an upload burst at once, and once', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    const before = pollsOf(device);
    for (const name of ['x', 'y', 'z']) await device.engine.create('account', { name });
    await world.clock.advance(1_000);
    expect(pollsOf(device)).toBe(before + 1);
  });
});

describe('A33: after a failure a device', () => {
  test('comes back at a random moment of the interval, so that a server which has just started is not asked by all at once', async () => {
    world = createWorld(schema);
    const devices = await Promise.all(Array.from({ length: 24 }, () => world.device('ann')));
    for (const device of devices) {
      await device.engine.exchange();
      device.intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'nobody there')));
      await device.engine.setLifecycle({ isForeground: false });
    }
    for (const { engine } of devices) await engine.setLifecycle({ isForeground: true });
    await world.clock.advance(0);
    const before = devices.map(pollsOf);
    for (const device of devices) device.intercept(null);
    const returned: number[] = [];
    for (let third = 0; third < 3; third++) {
      await world.clock.advance(10_000);
      returned.push(devices.filter((device, index) => pollsOf(device) > before[index]!).length);
    }
    const [first, second, third] = returned as [number, number, number];
    expect(third).toBe(24);
    // A third of them in each third of the interval, roughly: with a back-off that begins at a second all were back in the first.
    expect(first).toBeLessThan(18);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThan(24);
  });

  test('waits longer and longer, never more than five minutes', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'nobody there')));
    const waits = gaps(await pollTimes(device, 4 * 3_600_000, 1_000));
    expect(Math.max(...waits)).toBeLessThanOrEqual(301_000);
    expect(Math.max(...waits)).toBeGreaterThan(240_000);
    expect(waits.length).toBeGreaterThan(4 * 12);
    expect(Math.min(...waits.slice(10))).toBeLessThan(60_000); // Full jitter: anything from 0 up.
  });

  test('waits as long as the server asks, also when the app comes to the front meanwhile; only the user may ask before', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(busy('600'));
    await device.engine.exchange();
    const before = pollsOf(device);
    device.intercept(null);
    await world.clock.advance(300_000);
    await device.engine.setLifecycle({ isForeground: false });
    await device.engine.setLifecycle({ isForeground: true });
    await world.clock.advance(299_000);
    expect(pollsOf(device)).toBe(before);
    await world.clock.advance(2_000);
    expect(pollsOf(device)).toBe(before + 1);
    device.intercept(busy('600'));
    await device.engine.exchange();
    device.intercept(null);
    const asked = pollsOf(device);
    await device.engine.exchange();
    expect(pollsOf(device)).toBeGreaterThan(asked);
  });

  test('that was not told how long comes back at once with its app', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(busy());
    await device.engine.exchange();
    device.intercept(null);
    const before = pollsOf(device);
    await device.engine.setLifecycle({ isForeground: false });
    await device.engine.setLifecycle({ isForeground: true });
    await world.clock.advance(0);
    expect(pollsOf(device)).toBe(before + 1);
  });
});
