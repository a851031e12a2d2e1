import { afterEach, describe, expect, test } from 'vitest';
import type { SyncEngineOptions } from '../../src/client/engine-core.ts';
import type { SyncClient } from '../../src/client/sync-client.ts';
import { memory } from '../../src/storage/memory.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { typedClient } from '../support/typed-client.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

type Device = TestDevice & { readonly client: SyncClient<typeof schema> };

let world: World<typeof schema>;
afterEach(() => world.close());

async function device(options: Partial<SyncEngineOptions> = {}): Promise<Device> {
  const one = await world.device('ann', options);
  return { ...one, client: typedClient(schema, one.engine) };
}

/** Two devices of one user, both with an account and an order of one line. */
async function start(options: Partial<SyncEngineOptions> = {}): Promise<{ readonly tablet: Device; readonly phone: Device }> {
  world = createWorld(schema);
  const phone = await device();
  await phone.client.objects.account.create({ id: 'a1', name: 'St. Mary', city: 'Ghent' });
  await phone.client.transaction([
    { op: 'create', object: 'order', values: { id: 'o1', note: 'first' } },
    { op: 'create', object: 'line', values: { id: 'l1', order: 'o1', product: 'gauze', quantity: 1 } },
  ]);
  await phone.client.exchange();
  const tablet = await device(options);
  await tablet.client.exchange();
  return { tablet, phone };
}

/** Saves on one device what another one hears of. */
async function saveThere({ client }: Device, save: (objects: Device['client']['objects']) => Promise<unknown>): Promise<void> {
  await save(client.objects);
  await client.exchange();
}

describe('A36: a record that a person has open', () => {
  test.each(['view', 'edit'] as const)('A36: opened to %s, stays as it is under their eyes, and says that there is more', async (mode) => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const open = await account.open('a1', { mode });
    const heard: unknown[] = [];
    open.subscribe(({ record: { city }, newerAvailable, newer, syncState }) => heard.push({ city, newerAvailable, newer, syncState }));
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent' });
    expect(open).toMatchObject({ record: { id: 'a1', city: 'Ghent', name: 'St. Mary', syncState: 'synced' }, newerAvailable: true, newer: 'changed' });
    expect(await account.newer('a1')).toMatchObject({ state: 'live', record: { id: 'a1', city: 'Bruges' } });
    await open.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
    expect(await account.newer('a1')).toBeNull();
    expect(heard).toEqual([
      { city: 'Ghent', newerAvailable: false, newer: null, syncState: 'synced' },
      { city: 'Ghent', newerAvailable: true, newer: 'changed', syncState: 'synced' },
    ]);
    const types = tablet.events.map(({ type }) => type).filter((type) => type.startsWith('handle') || type.startsWith('feed:kept') || type === 'feed:merged');
    expect(types.slice(types.indexOf('handle:opened'))).toEqual(['handle:opened', 'feed:kept-aside', 'handle:closed', 'feed:merged']);
    expect(tablet.events).toContainEqual({ type: 'handle:opened', handle: 1, object: 'account', id: 'a1', mode });
  });

  test('A36: open twice, such as in two tabs, is merged only when both have left', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const one = await account.open('a1'), other = await account.open('a1');
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    await one.close();
    await one.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent' });
    expect(other.newerAvailable).toBe(true);
    await other.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test.each([
    ['line', 'l1'],
    ['order', 'o1'],
  ] as const)('A36: opening any member, such as the %s, keeps the whole group as it is, and what comes then comes at once', async (object, id) => {
    const { tablet, phone } = await start();
    const { order, line } = tablet.client.objects;
    const seen: unknown[] = [];
    const open = await tablet.client.objects[object].open(id);
    await saveThere(phone, (there) => there.order.update('o1', { note: 'second' }));
    await saveThere(phone, (there) => there.line.create({ id: 'l2', order: 'o1', product: 'tape' }));
    await tablet.client.exchange();
    expect(await order.get('o1')).toMatchObject({ note: 'first' });
    expect(await line.get('l2')).toBeNull();
    expect(open.newer).toBe('changed');
    line.query({ where: { order: 'o1' } }).subscribe(async (lines) => void seen.push([lines.length, (await order.get('o1'))?.note]));
    await tablet.client.exchange();
    await open.close();
    expect(await order.get('o1')).toMatchObject({ note: 'second' });
    await tablet.client.exchange();
    expect(seen).toEqual([[1, 'first'], [2, 'second']]);
  });

  test('A36: of several newer versions the newest counts', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const open = await account.open('a1');
    for (const city of ['Bruges', 'Ypres']) {
      await saveThere(phone, (there) => there.account.update('a1', { city }));
      await tablet.client.exchange();
    }
    expect(await account.newer('a1')).toMatchObject({ record: { city: 'Ypres' } });
    await open.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Ypres' });
  });

  test('A36: a list is no use of its records', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    account.query().subscribe(() => {});
    account.watch('a1', () => {});
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A36: the newer version is shown when the person asks for it, and the record stays open', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const open = await account.open('a1');
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    expect(await open.showNewest()).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: false });
    expect(open.record).toMatchObject({ city: 'Bruges' });
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Ypres' }));
    await tablet.client.exchange();
    expect(open).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: true });
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A36: who asks for the newest is shown what was merged, also while still more of it waits behind an own change', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const open = await account.open('a1');
    await saveThere(phone, (there) => there.account.update('a1', { name: 'St. Anne' }));
    await saveThere(tablet, (here) => here.account.update('a1', { city: 'Bruges' }));
    expect(open).toMatchObject({ record: { name: 'St. Mary', city: 'Bruges' }, newer: 'changed' });
    await saveThere(phone, (there) => there.account.update('a1', { name: 'St. Rita' }));
    tablet.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('unreachable')) : send(request)));
    await account.update('a1', { city: 'Ypres' });
    await tablet.client.exchange();
    expect(await open.showNewest()).toMatchObject({ record: { name: 'St. Anne', city: 'Ypres' }, newer: 'changed' });
    expect(open.record).toMatchObject({ name: 'St. Anne', city: 'Ypres' });
  });

  test('A36: what one person asks for does not change what another window shows', async () => {
    const { tablet, phone } = await start();
    const { account } = tablet.client.objects;
    const open = await account.open('a1'), other = await account.open('a1');
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    expect(await open.showNewest()).toMatchObject({ record: { city: 'Ghent' }, newerAvailable: true });
    expect(other.record).toMatchObject({ city: 'Ghent' });
    await other.close();
    expect(await open.showNewest()).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: false });
  });

  test.each(['deleted', 'submitted'] as const)('A36: that a record was %s elsewhere is said, and it is shown on', async (newer) => {
    const { tablet, phone } = await start();
    const open = await tablet.client.objects.order.open('o1');
    const line = await tablet.client.objects.line.open('l1');
    await saveThere(phone, ({ order }): Promise<unknown> => (newer === 'deleted' ? order.remove('o1') : order.update('o1', { state: 'submitted' })));
    await tablet.client.exchange();
    expect(open).toMatchObject({ record: { note: 'first', state: null }, newer });
    expect(line).toMatchObject({ record: { product: 'gauze' }, newer });
    await open.close();
    expect(line.newer).toBe(newer);
    await line.close();
    expect(await tablet.client.objects.order.get('o1')).toEqual(newer === 'deleted' ? null : expect.objectContaining({ state: 'submitted' }));
  });

  test('A36: what is open dies with the page: the next start merges what waited', async () => {
    const { tablet, phone } = await start();
    await tablet.client.objects.account.open('a1');
    await saveThere(phone, (there) => there.account.update('a1', { city: 'Bruges' }));
    await tablet.client.exchange();
    expect(await tablet.client.objects.account.get('a1')).toMatchObject({ city: 'Ghent' });
    await tablet.engine.close();
    const again = await device({ storage: tablet.disk, lifecycle: { isOnline: false, isForeground: true } });
    expect(await again.client.objects.account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A36: a client that closes hears no more of what was open in it, and leaves without a fault', async () => {
    const { tablet } = await start({ storage: memory() });
    const { account } = tablet.client.objects;
    const open = await account.open('a1');
    await tablet.client.close();
    await open.close();
    await expect(open.update({ city: 'Bruges' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  test('A36: there is nothing to open of a record that is not here, nor to save through one that was closed', async () => {
    const { tablet } = await start();
    const { account } = tablet.client.objects;
    await expect(account.open('nobody')).rejects.toMatchObject({ code: 'RECORD_MISSING', details: { object: 'account', id: 'nobody' } });
    const open = await account.open('a1');
    await open.close();
    for (const call of [() => open.update({ city: 'Bruges' }), () => open.remove(), () => open.showNewest()]) await expect(call()).rejects.toMatchObject({ code: 'HANDLE_CLOSED' });
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent', syncState: 'synced' });
  });

  test('A36: what is submitted can be viewed, and not be opened to edit', async () => {
    const { tablet, phone } = await start();
    await saveThere(phone, (there) => there.order.update('o1', { state: 'submitted' }));
    await tablet.client.exchange();
    expect((await tablet.client.objects.line.open('l1')).record).toMatchObject({ product: 'gauze' });
    await expect(tablet.client.objects.line.open('l1', { mode: 'edit' })).rejects.toMatchObject({ code: 'RECORD_LOCKED' });
  });

  test.each([
    ['keeps the header of its group as it is, also when that comes with the answer to another save', false],
    ['that the user moves to another order keeps that one as it is, too', true],
  ])('A36: an open line %s', async (_, moves) => {
    const { tablet, phone } = await start();
    const other = moves ? 'o2' : 'o1';
    await saveThere(phone, async (there) => moves && there.order.create({ id: 'o2', note: 'first' }));
    await saveThere(phone, (there) => there.line.create({ id: 'l2', order: other, product: 'tape', quantity: 1 }));
    await tablet.client.exchange();
    const { order, line } = tablet.client.objects;
    const open = await line.open('l1');
    if (moves) await open.update({ order: 'o2' });
    await tablet.client.exchange();
    await saveThere(phone, (there) => there.order.update(other, { note: 'theirs' }));
    // The device hears of it by the answer to its own save alone.
    tablet.intercept(async (request, send) => (request.path.startsWith('feed') ? Promise.reject(new TypeError('no network')) : send(request)));
    await line.update('l2', { quantity: 2 });
    await tablet.client.exchange();
    expect(await line.get('l2')).toMatchObject({ quantity: 2, syncState: 'synced' });
    expect(await order.get(other)).toMatchObject({ note: 'first' });
    await open.close();
    expect(await order.get(other)).toMatchObject({ note: 'theirs' });
  });
});
