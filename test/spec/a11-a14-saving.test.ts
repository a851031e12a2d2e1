import { afterEach, describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage, type CommitFate } from '../../src/testing/faulty-storage.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };

describe('A11: a save is durable as a whole', () => {
  test.each(['full', 'crash-before', 'crash-after'] as const)('A11, A15: a %s in the middle of a group leaves all of it or nothing', async (fate) => {
    world = createWorld(schema);
    const disk = memory();
    let next: CommitFate = 'done';
    const device = await world.device('ann', { storage: faultyStorage(disk, { decide: () => next }), lifecycle: OFFLINE });
    next = fate;
    const saving = device.engine.save([
      { op: 'create', object: 'order', id: 'o1', values: {} },
      { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'gauze' } },
    ]);
    await expect(saving).rejects.toMatchObject({ code: fate === 'full' ? 'STORAGE_FULL' : 'STORAGE_CLOSED' });
    await device.engine.close();
    const again = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    const landed = fate === 'crash-after';
    expect(await again.engine.status()).toMatchObject({ pending: landed ? 1 : 0 });
    expect(await again.engine.query({ object: 'order' })).toHaveLength(landed ? 1 : 0);
    expect(await again.engine.query({ object: 'line' })).toHaveLength(landed ? 1 : 0);
  });

  test('A11, C8: a full disk when saves join leaves the first as it was', async () => {
    world = createWorld(schema);
    let isFull = false;
    const { engine } = await world.device('ann', { storage: faultyStorage(memory(), { decide: () => (isFull ? 'full' : 'done') }), lifecycle: OFFLINE });
    await engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
    isFull = true;
    await expect(engine.update('account', 'a1', { city: 'Bruges' })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(engine.remove('account', 'a1')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await engine.get('account', 'a1')).toMatchObject({ values: { city: 'Ghent' }, syncState: 'waiting' });
    expect(await engine.status()).toMatchObject({ pending: 1 });
  });

  test('A11: a field named like what every object inherits is left alone when it is left out', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    await expect(engine.create('account', { name: 'x', constructor: 'y' })).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    await expect(engine.update('account', 'nobody', {})).rejects.toMatchObject({ code: 'RECORD_MISSING', details: { object: 'account', id: 'nobody' } });
  });
});

test('A13: a save goes up without waiting for a timer; after failures the next request finds out, though nobody says that the network is back', async () => {
  world = createWorld(schema);
  const { engine, intercept } = await world.device('ann');
  await engine.exchange();
  // The clock stands still until it is told to go on.
  const first = await engine.create('memo', { subject: 'at once' });
  expect(await engine.outcome(first.entry!)).toEqual({ kind: 'saved' });

  intercept(() => Promise.reject(new TypeError('no network')));
  const second = await engine.create('memo', { subject: 'later' });
  await world.clock.advance(600_000);
  expect(await engine.status()).toMatchObject({ pending: 1, isOnline: true, lastFault: { code: 'TRANSPORT_UNREACHABLE' } });
  intercept(null);
  await world.clock.advance(300_000);
  expect(await engine.status()).toMatchObject({ pending: 0, lastFault: null });
  expect(await engine.outcome(second.entry!)).toEqual({ kind: 'saved' });
});

test('A14: five saves of unrelated records are five entries in the order of the calls; the third is refused alone', async () => {
  world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'bad' ? refuse('city', 'no-such-city') : undefined) } } });
  const { engine } = await world.device('ann', { lifecycle: OFFLINE });
  const entries: number[] = [];
  for (const city of ['a', 'b', 'bad', 'd', 'e']) entries.push((await engine.create('account', { name: city, city })).entry!);
  expect(entries).toEqual([1, 2, 3, 4, 5]);
  await engine.setLifecycle({ isOnline: true });
  await engine.exchange();
  expect((await Promise.all(entries.map((entry) => engine.outcome(entry)))).map(({ kind }) => kind)).toEqual(['saved', 'saved', 'refused', 'saved', 'saved']);
});

describe('A20: a save through a form', () => {
  async function twoDevices() {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent', phone: '1' }, 'a1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    const seen = (await phone.engine.get('account', 'a1'))!.values;
    await tablet.engine.update('account', 'a1', { city: 'Bruges' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect((await phone.engine.get('account', 'a1'))?.values.city).toBe('Bruges');
    return { phone: phone.engine, seen };
  }

  test('A20, A27: conflicts where it overwrites what the form never showed, though the device has merged it', async () => {
    const { phone, seen } = await twoDevices();
    await phone.update('account', 'a1', { city: 'Antwerp' }, seen);
    expect(await phone.exchange()).toMatchObject({ syncErrors: 1 });
    expect(await phone.listSyncErrors()).toMatchObject([{ class: 'conflict', fields: [{ field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Bruges' }] }]);
  });

  test('A20: changes only the fields that the user changed there, and leaves alone what others did meanwhile', async () => {
    const { phone, seen } = await twoDevices();
    await phone.update('account', 'a1', { name: 'St. Mary', city: 'Ghent', phone: '2' }, seen);
    expect(await phone.exchange()).toMatchObject({ syncErrors: 0, pending: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'Bruges', phone: '2' });
  });

  test('A20: without what the form showed, the record as it is on the device counts as seen', async () => {
    const { phone } = await twoDevices();
    await phone.update('account', 'a1', { city: 'Antwerp' });
    expect(await phone.exchange()).toMatchObject({ syncErrors: 0, pending: 0 });
  });
});

test('C9, A15: a refused group holds back its own later saves, and nothing else', async () => {
  world = createWorld(schema, { objects: { line: { validate: ({ next }) => (next.quantity === 13 ? refuse('quantity', 'unlucky') : undefined) } } });
  const { engine } = await world.device('ann', { lifecycle: OFFLINE });
  const bad = await engine.save([
    { op: 'create', object: 'order', id: 'o1', values: {} },
    { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'x', quantity: 13 } },
  ]);
  const held = await engine.create('line', { order: 'o1', product: 'y' }, 'l2');
  const good = await engine.save([{ op: 'create', object: 'order', id: 'o2', values: {} }]);
  const free = await engine.create('line', { order: 'o2', product: 'z' }, 'l3');
  await engine.setLifecycle({ isOnline: true });
  expect(await engine.exchange()).toMatchObject({ pending: 1, syncErrors: 1 });
  expect(await engine.listSyncErrors()).toMatchObject([{ id: bad.entry, dependants: [{ entry: held.entry }] }]);
  for (const { entry } of [good, free]) expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
  // A later save of the held line's record waits with it, though it was made after the refusal.
  await engine.update('line', 'l2', { quantity: 2 });
  expect(await engine.exchange()).toMatchObject({ pending: 2, syncErrors: 1 });
});
