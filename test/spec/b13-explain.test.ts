import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/client/queue/transaction.ts';
import { refuse } from '../../src/server/index.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

let world: World<typeof schema>;
let isBroken = false;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };
const line = (id: string, quantity = 1): Change => ({ op: 'create', object: 'line', id, values: { order: 'o1', product: 'gauze', quantity } });

async function open(lifecycle = { isOnline: true, isForeground: true }): Promise<TestDevice> {
  isBroken = false;
  world = createWorld(schema, {
    objects: {
      account: {
        validate: ({ next }) => {
          if (isBroken || next.name === 'bug') throw new Error('a bug of the host');
          return next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined;
        },
      },
      line: { validate: ({ next }) => (next.quantity === 13 ? refuse('quantity', 'unlucky') : undefined) },
    },
  });
  const device = await world.device('ann', { lifecycle });
  return device;
}

describe('explain', () => {
  test('has nothing to say of a record that is synced, or of none', async () => {
    const { engine } = await open();
    const { entry } = await engine.create('account', { name: 'x' }, 'a1');
    await engine.outcome(entry!);
    expect(await engine.explain('account', 'a1')).toEqual([]);
    expect(await engine.explain('account', 'nobody')).toEqual([]);
    await expect(engine.explain('planet', 'p1')).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' });
  });

  test('names what keeps everything from being sent first, then where the save stands', async () => {
    const { engine } = await open(OFFLINE);
    const { entry } = await engine.create('account', { name: 'x' }, 'a1');
    expect(await engine.explain('account', 'a1')).toEqual([{ code: 'offline' }, { code: 'queued', entry }]);
    await engine.setLifecycle({ isForeground: false, isOnline: true });
    expect(await engine.explain('account', 'a1')).toEqual([{ code: 'in-background' }, { code: 'queued', entry }]);
  });

  test('C1: takes the server’s Record ID as well', async () => {
    const { engine } = await open();
    await engine.outcome((await engine.create('account', { name: 'x' }, 'a1')).entry!);
    const { serverId } = (await engine.get('account', 'a1'))!.values;
    await engine.setLifecycle(OFFLINE);
    const { entry } = await engine.update('account', 'a1', { city: 'Ghent' });
    expect(await engine.explain('account', String(serverId))).toEqual([{ code: 'offline' }, { code: 'queued', entry }]);
  });

  test('says that it waits for the next attempt after a failure, and that an answer may have got lost', async () => {
    const device = await open();
    await device.engine.exchange();
    device.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('down')) : send(request)));
    const { entry } = await device.engine.create('account', { name: 'x' }, 'a1');
    await device.engine.exchange();
    expect(await device.engine.explain('account', 'a1')).toEqual([{ code: 'backing-off', retryInMs: (await device.engine.status()).retryInMs }, { code: 'sending', entry }]);
  });

  test('C9: says which save is in the way, and that it waits for the user', async () => {
    const { engine } = await open(OFFLINE);
    const bad = await engine.create('account', { name: 'bad', city: 'Nowhere' }, 'bad');
    const call = await engine.create('memo', { account: 'bad', subject: 'about it' }, 'm1');
    expect(await engine.explain('memo', 'm1')).toEqual([
      { code: 'offline' },
      { code: 'waiting-behind', entry: bad.entry, object: 'account', id: 'bad', because: 'reference', isRefused: false },
      { code: 'queued', entry: call.entry },
    ]);
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    expect(await engine.explain('account', 'bad')).toEqual([{ code: 'refused', syncError: bad.entry }]);
    // The network is not what it waits for.
    await engine.setLifecycle(OFFLINE);
    expect(await engine.explain('memo', 'm1')).toEqual([
      { code: 'waiting-behind', entry: bad.entry, object: 'account', id: 'bad', because: 'reference', isRefused: true },
      { code: 'queued', entry: call.entry },
    ]);
  });

  test('C9: a record waits for its whole group', async () => {
    const { engine } = await open();
    await engine.save([{ op: 'create', object: 'order', id: 'o1' }, line('l1')]);
    await engine.exchange();
    const bad = await engine.update('line', 'l1', { quantity: 13 });
    await engine.exchange();
    const later = await engine.save([line('l2')]);
    expect(await engine.explain('line', 'l2')).toEqual([
      { code: 'waiting-behind', entry: bad.entry, object: 'line', id: 'l1', because: 'group', isRefused: true },
      { code: 'queued', entry: later.entry },
    ]);
  });

  test('names the refused save of several in the way, also when it is behind another', async () => {
    const { engine } = await open(OFFLINE);
    await engine.create('account', { name: 'bug' }, 'undecided');
    const order = await engine.create('order', { account: 'undecided' }, 'o1');
    const bad = await engine.create('account', { name: 'bad', city: 'Nowhere' }, 'bad');
    await engine.save([line('l1'), { op: 'update', object: 'order', id: 'o1', values: { account: 'bad' } }]);
    expect((await engine.explain('line', 'l1'))[1]).toMatchObject({ code: 'waiting-behind', entry: order.entry, because: 'group', isRefused: false });
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    expect(await engine.explain('line', 'l1')).toMatchObject([{ code: 'waiting-behind', entry: bad.entry, because: 'reference', isRefused: true }, { code: 'queued' }]);
    expect(await engine.explain('order', 'o1')).toMatchObject([{ code: 'waiting-behind', id: 'undecided', isRefused: false }, { code: 'queued' }, { code: 'queued' }]);
  });

  test('A17: says when the server wants to be asked again', async () => {
    const { engine } = await open();
    isBroken = true;
    const { entry } = await engine.create('account', { name: 'x' }, 'a1');
    await engine.exchange();
    expect(await engine.explain('account', 'a1')).toEqual([{ code: 'deferred', entry, retryInMs: 5_000 }]);
    await world.clock.advance(2_000);
    expect(await engine.explain('account', 'a1')).toEqual([{ code: 'deferred', entry, retryInMs: 3_000 }]);
  });

  test('C7: says that a newer row is kept aside', async () => {
    const phone = await open();
    await phone.engine.outcome((await phone.engine.create('account', { name: 'x' }, 'a1')).entry!);
    const bad = await phone.engine.update('account', 'a1', { city: 'Nowhere' });
    await phone.engine.exchange();
    const tablet = await world.device('ann');
    await tablet.engine.download();
    await tablet.engine.update('account', 'a1', { name: 'y' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await phone.engine.explain('account', 'a1')).toEqual([{ code: 'refused', syncError: bad.entry }, { code: 'kept-aside' }]);
  });
});
