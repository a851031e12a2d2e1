import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, reference, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { forgeResults } from '../support/forged-answer.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { coalesce: 'never', fields: { name: text({ required: true }), city: text() } },
    call: { fields: { account: reference('account'), subject: text() } },
  },
});
const OFFLINE = { isOnline: false, isForeground: true };
const MINUTE_MS = 60_000;

let world: World<typeof schema>;
afterEach(() => world.close());

/** Lets the server put off one number for some minutes, each time it is asked. */
const putOff = (number: number, minutes: number) =>
  forgeResults((result) => (result.number === number ? { number, outcome: 'tryLater', retryAfterMs: minutes * MINUTE_MS, message: 'the hook has failed' } : result));
const deferralsOf = ({ events }: TestDevice) => events.filter(({ type }) => type === 'upload:deferred').length;

describe('A17: a save that the server cannot decide', () => {
  test('becomes a sync error after 20 times, if they took an hour at least; all else goes up meanwhile', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(putOff(1, 4));
    const { entry } = await device.engine.create('account', { name: 'poison' }, 'p');
    const behind = await device.engine.update('account', 'p', { city: 'Ghent' });
    const other = await device.engine.create('account', { name: 'fine' }, 'f');
    await world.clock.advance(19 * 4 * MINUTE_MS - 1);
    expect(deferralsOf(device)).toBe(19);
    expect(await device.engine.status()).toMatchObject({ pending: 2, syncErrors: 0 });
    expect(await device.engine.outcome(other.entry!)).toEqual({ kind: 'saved' });
    await world.clock.advance(MINUTE_MS);
    expect(await device.engine.listSyncErrors()).toMatchObject([{ id: entry, class: 'server-error', message: 'the hook has failed', dependants: [{ entry: behind.entry }] }]);
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'refused', syncError: entry });
  });

  test('stays in the queue for an hour, however often it was put off', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(putOff(1, 1));
    await device.engine.create('account', { name: 'poison' });
    await world.clock.advance(59 * MINUTE_MS);
    expect(deferralsOf(device)).toBeGreaterThan(50);
    expect(await device.engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    await world.clock.advance(2 * MINUTE_MS);
    expect(await device.engine.status()).toMatchObject({ pending: 0, syncErrors: 1 });
  });

  test('is not held against the save while polls fail: then the server is at fault', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    const delay = putOff(1, 4);
    let isFeedDown = true;
    device.intercept((request, send) => {
      if (isFeedDown && request.path.startsWith('feed')) throw new TypeError('no answer');
      return delay(request, send);
    });
    await device.engine.create('account', { name: 'poison' });
    await world.clock.advance(180 * MINUTE_MS);
    expect(deferralsOf(device)).toBeGreaterThan(30);
    expect(await device.engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    isFeedDown = false;
    await world.clock.advance(100 * MINUTE_MS);
    expect(await device.engine.status()).toMatchObject({ pending: 0, syncErrors: 1 });
  });

  test.each([
    ['throws', () => Promise.reject(new Error('a bug'))],
    ['never answers', () => new Promise<never>(() => {})],
  ])('because a hook %s, holds up nothing but itself', async (_, fail) => {
    let isBroken = true;
    world = createWorld(schema, { objects: { account: { beforeSave: ({ next }) => (isBroken && next.name === 'poison' ? fail() : undefined) } } });
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    const poison = await engine.create('account', { name: 'poison' });
    const others = [await engine.create('account', { name: 'a' }), await engine.create('account', { name: 'b' })];
    await engine.setLifecycle({ isOnline: true });
    const outcomes = Promise.all(others.map(({ entry }) => engine.outcome(entry!)));
    // First the upload reaches the hook, then the hook's time runs out.
    for (let seconds = 0; seconds < 60; seconds += 10) await world.clock.advance(10_000);
    expect((await outcomes).map(({ kind }) => kind)).toEqual(['saved', 'saved']);
    expect(await engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    isBroken = false;
    await world.clock.advance(10 * MINUTE_MS);
    expect(await engine.outcome(poison.entry!)).toEqual({ kind: 'saved' });
  });
});

describe('C9: one refused save among a thousand', () => {
  test('lets the other 999 less its dependants arrive in one pass', async () => {
    world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.name === 'poison' ? refuse('name', 'poison') : undefined) } } });
    const device = await world.device('ann', { lifecycle: OFFLINE });
    const { engine } = device;
    const poison = await engine.create('account', { name: 'poison' }, 'p');
    const dependants = [await engine.update('account', 'p', { city: 'Ghent' }), await engine.create('call', { account: 'p', subject: 'visit' }, 'c'), await engine.update('call', 'c', { subject: 'second visit' })];
    for (let index = 0; index < 996; index++) await engine.create('account', { name: `n${index}` });
    await engine.setLifecycle({ isOnline: true });
    // The update of the call joins its create.
    expect(await engine.exchange()).toMatchObject({ pending: 2, syncErrors: 1 });
    expect(await world.server.online.list('account', { limit: 2_000 })).toHaveLength(996);
    expect(await engine.outcome(poison.entry!)).toMatchObject({ kind: 'refused' });
    expect((await engine.listSyncErrors())[0]!.dependants.map(({ entry }) => entry)).toEqual([...new Set(dependants.map(({ entry }) => entry))]);
    const uploads = device.requests.filter(({ path }) => path === 'upload');
    expect(uploads.length).toBeLessThan(6);
  });
});
