import { afterEach, describe, expect, test, vi } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { memory as memoryServerStore } from '../../src/server/store/memory.ts';
import { memory } from '../../src/storage/memory.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { uploadsOf } from '../support/stores.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { coalesce: 'never', fields: { name: text(), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

describe('A3: a device', () => {
  test('says with each poll how many saves the server does not have, and how old the oldest is', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    let isDown = true;
    device.intercept((request, send) => (isDown && request.path === 'upload' ? Promise.reject(new TypeError('down')) : send(request)));
    await device.engine.create('account', { name: 'x' });
    await world.clock.advance(90_000);
    await device.engine.create('account', { name: 'y' });
    await device.engine.exchange();
    const said = () => device.requests.filter(({ path }) => path.startsWith('feed')).map(({ headers }) => headers['fieldtide-pending']);
    expect(said().at(-1)).toBe('2.90');
    const [known] = await world.server.devices.list();
    expect(known).toMatchObject({ user: 'ann', pending: { count: 2, oldestAgeMs: 90_000 } });
    isDown = false;
    await device.engine.exchange();
    expect(said().at(-1)).toBe('0.0');
  });

  test('that is revoked neither sends nor asks any more, and says so; what waits can be read and exported, and is asked about at the next start', async () => {
    world = createWorld(schema);
    const disk = memory();
    const device = await world.device('ann', { storage: disk });
    const saved = await device.engine.create('account', { name: 'x' });
    await device.engine.exchange();
    const { store } = (await world.server.devices.list())[0]!;
    await world.server.devices.revoke({ store });
    const late = await device.engine.create('account', { name: 'secret' });
    await device.engine.exchange();
    expect(await device.engine.status()).toMatchObject({ state: 'error', revoked: true, needsAuth: false, pending: 1, syncErrors: 0, lastFault: { code: 'DEVICE_REVOKED' } });
    device.requests.length = 0;
    await device.engine.update('account', saved.id, { city: 'Ghent' });
    await device.engine.wake();
    await device.engine.exchange();
    await world.clock.advance(3_600_000);
    await expect(device.engine.download()).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    await expect(device.engine.fetch('account', saved.id)).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    expect(device.requests).toEqual([]);
    expect(await device.engine.exportEntries('all')).toMatchObject([{ entry: late.entry, members: [{ mine: { name: 'secret' } }] }, { members: [{ mine: { city: 'Ghent' } }] }]);
    expect(await device.engine.explain('account', late.id)).toEqual([{ code: 'revoked' }, { code: 'sending', entry: late.entry }]);
    await device.engine.close();

    await world.server.devices.restore({ store });
    const again = await world.device('ann', { storage: disk });
    expect(await again.engine.exchange()).toMatchObject({ revoked: false, pending: 0 });
    expect(await world.server.online.list('account')).toHaveLength(2);
  });
});

describe('A16: in the background', () => {
  test('the request under way ends, and none begins; back in the foreground the rest goes up', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => {
      device.intercept(async (request, send) => {
        if (request.path !== 'upload') return send(request);
        resolve();
        await held;
        return send(request);
      });
    });
    const first = await device.engine.create('account', { name: 'first' });
    await reached;
    const second = await device.engine.create('account', { name: 'second' });
    await device.engine.setLifecycle({ isForeground: false });
    device.requests.length = 0;
    release();
    expect(await device.engine.outcome(first.entry!)).toEqual({ kind: 'saved' });
    await world.clock.advance(3_600_000);
    expect(device.requests).toEqual([]);
    expect(await device.engine.explain('account', second.id)).toEqual([{ code: 'in-background' }, { code: 'queued', entry: second.entry }]);
    await device.engine.setLifecycle({ isForeground: true });
    expect(await device.engine.outcome(second.entry!)).toEqual({ kind: 'saved' });
  });

  test('what was cut off there goes up again under its number, once', async () => {
    world = createWorld(schema);
    const disk = memory();
    const before = await world.device('ann', { storage: disk });
    before.intercept(async (request, send) => {
      await send(request);
      throw new TypeError('the system ended the app');
    });
    await before.engine.create('account', { name: 'x' }, 'a1');
    await before.engine.exchange();
    await before.engine.setLifecycle({ isForeground: false });
    await before.engine.close();
    const after = await world.device('ann', { storage: disk, lifecycle: { isOnline: true, isForeground: false } });
    expect(await after.engine.explain('account', 'a1')).toMatchObject([{ code: 'in-background' }, { code: 'sending' }]);
    expect(after.requests).toEqual([]);
    await after.engine.setLifecycle({ isForeground: true });
    await after.engine.exchange();
    expect(await after.engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.version[1]).toBe(1);
  });
});

describe('without a sign-in', () => {
  test('A17: the queue pauses, no entry is at fault, one refresh serves all requests, and it goes on where it stopped', async () => {
    world = createWorld(schema);
    const clock = createManualClock();
    let accepted = 'T1';
    const server = createSyncServer({
      pollSharingMs: 0,
      schema, store: memoryServerStore(), clock, random: createSeededRandom(1),
      authenticate: ({ headers }) => (headers.authorization === `Bearer ${accepted}` ? { user: 'ann' } : null),
    });
    let given: string | null = 'T1';
    const token = vi.fn(async () => given);
    const device = await world.device('ann', { transport: inProcess({ handle: server.fetch, token }), clock });
    await device.engine.exchange();
    accepted = 'T2';
    given = null;
    token.mockClear();
    const first = await device.engine.create('account', { name: 'first' });
    await Promise.allSettled([device.engine.exchange(), device.engine.fetch('account', 'nobody')]);
    expect(await device.engine.status()).toMatchObject({ state: 'error', needsAuth: true, pending: 1, syncErrors: 0 });
    expect(await device.engine.explain('account', first.id)).toMatchObject([{ code: 'needs-auth' }, { entry: first.entry }]);
    const second = await device.engine.create('account', { name: 'second' });
    token.mockClear();
    await clock.advance(3_600_000);
    expect(token).not.toHaveBeenCalled();
    given = 'T2';
    await device.engine.wake();
    await Promise.all([device.engine.fetch('account', 'nobody'), device.engine.outcome(first.entry!), device.engine.outcome(second.entry!)]);
    expect(token.mock.calls).toEqual([[{ reason: 'refused' }]]);
    expect(await device.engine.exchange()).toMatchObject({ needsAuth: false, pending: 0, syncErrors: 0 });
    expect((await server.online.list('account')).map(({ values }) => values.name)).toEqual(['first', 'second']);
    await server.close();
  });

  test('a request that somebody asked for shows the missing sign-in too, and pauses the queue', async () => {
    world = createWorld(schema);
    const device = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    device.intercept(async (request, send) => send({ ...request, headers: { ...request.headers } }).then((answer) => ({ ...answer, status: 401 })));
    await expect(device.engine.fetch('account', 'a1')).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(await device.engine.status()).toMatchObject({ needsAuth: true });
  });
});

describe('a queue belongs to its tenant and user', () => {
  test('nobody else on the device sees it or sends it, and it goes up when its user is back', async () => {
    world = createWorld(schema);
    const disk = memory();
    const offline = { isOnline: false, isForeground: true };
    const ann = await world.device('ann', { storage: disk, lifecycle: offline });
    const { entry } = await ann.engine.create('account', { name: 'of ann' });
    expect(await ann.engine.signOut({ unsent: 'keep' })).toEqual({ pending: 1, syncErrors: 0, drafts: 0 });
    const others = [await world.device('bob', { storage: disk }), await world.device('ann', { storage: disk, owner: { tenant: 'elsewhere', user: 'ann' } })];
    for (const { engine } of others) {
      expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
      expect(await engine.query({ object: 'account' })).toEqual([]);
      expect(await engine.exportEntries('all')).toEqual([]);
      await engine.close();
    }
    expect(others.flatMap(uploadsOf)).toEqual([]);
    const back = await world.device('ann', { storage: disk });
    expect(await back.engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('a token of somebody else sends nothing, and the queue waits for the right one', async () => {
    world = createWorld(schema);
    const direct = inProcess({ handle: world.server.fetch, token: async () => 'bob' });
    const device = await world.device('ann', { transport: direct });
    await device.engine.create('account', { name: 'of ann' });
    expect(await device.engine.exchange()).toMatchObject({ needsAuth: true, pending: 1, syncErrors: 0, lastFault: { code: 'AUTH_REFUSED' } });
    expect(await world.server.online.list('account')).toEqual([]);
  });
});
