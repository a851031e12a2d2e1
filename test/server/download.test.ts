import { describe, expect, test } from 'vitest';
import { createDevice, createWorld, schema, type TestChange } from './harness.ts';
import { describeOnBothStores } from './both-stores.ts';
import { defineSchema, integer, text } from '../../src/schema.ts';

const account = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });

describeOnBothStores('snapshot', (newWorld) => {
  test('has every live record once, in key order, whatever the page size', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    for (let number = 1; number <= 7; number++) await tablet.save(number, account(`a${number}`));
    await tablet.save(8, { create: 'order', id: 'o1', values: { status: 'open' } }, { create: 'line', id: 'l1', values: { order: 'o1', quantity: 1 } });
    await tablet.save(9, { remove: 'account', id: 'a3' });
    for (const limit of [1, 2, 3, 7, 8, 9, undefined]) {
      const pages = await device('bob').snapshot(limit);
      expect(pages.flatMap(({ images }) => images.map(({ id }) => id))).toEqual(['a1', 'a2', 'a4', 'a5', 'a6', 'a7', 'o1', 'l1']);
      expect(pages.every(({ images }) => images.length <= (limit ?? 500))).toBe(true);
    }
    expect((await tablet.snapshot())[0]!.cursor.position).toBe(9);
  });

  test('A31: what is saved while its pages are read is on the feed after the first page\'s cursor', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    for (const id of ['a1', 'a2', 'a3', 'a4']) await tablet.save(Number(id[1]), account(id));
    const first = (await phone.get('snapshot', { limit: '2' }));
    expect(first.status).toBe(200);
    const [page] = await phone.snapshot(2);
    await tablet.save(5, account('a0'), { remove: 'account', id: 'a1' });
    expect((await phone.poll(page!.cursor))!.images.map(({ id, state }) => [id, state])).toEqual([['a0', 'live'], ['a1', 'deleted']]);
  });
});

describe('snapshot', () => {
  test('leaves out what the user may not see, and does not name it', async () => {
    const { device } = createWorld({ canSee: ({ user }, { values }) => values.city !== 'secret' || user === 'ann' });
    for (let number = 1; number <= 9; number++) {
      await device('ann').save(number, { create: 'account', id: `a${number}`, values: { name: 'x', city: number % 3 === 0 ? 'open' : 'secret' } });
    }
    const pages = await device('bob').snapshot(1);
    expect(pages.map(({ images, next }) => [images.map(({ id }) => id), next?.id ?? null])).toEqual([[['a3'], 'a3'], [['a6'], 'a6'], [['a9'], null]]);
    expect((await device('ann').snapshot()).flatMap(({ images }) => images)).toHaveLength(9);
  });

  test('pages end before they grow too large', async () => {
    const { device } = createWorld({ limits: { bodyBytes: 50_000 } });
    for (const number of [1, 2, 3, 4]) await device('ann').save(number, { create: 'order', id: `o${number}`, values: { notes: 'x'.repeat(30_000) } });
    expect((await device('ann').snapshot()).map(({ images }) => images.length)).toEqual([2, 2]);
  });

  test('rows of an older schema are mapped, and a newer one\'s fields survive a save of an older server', async () => {
    const { store, clock } = createWorld();
    const wider = defineSchema({
      version: 2,
      objects: { ...schema.objects, account: { fields: { rank: integer(), ...schema.objects.account.fields, motto: text() } } },
    });
    const world = (used: typeof schema) => createWorld({ schema: used, store, clock });
    const older = world(schema), newer = world(wider as unknown as typeof schema);
    await older.device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'x', city: 'Ghent' } });
    const newDevice = createDevice(newer.server, 'ann', 'ann-new', wider);
    expect((await newDevice.record('account', 'a1')).images).toMatchObject([{ values: { rank: null, name: 'x', city: 'Ghent', motto: null } }]);
    await newDevice.save(1, { update: 'account', id: 'a1', from: { rank: null, motto: null }, to: { rank: 7, motto: 'm' } });
    // A device of the older schema talks to the newer server, and the older server is put back.
    expect((await newer.device('ann').save(2, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } })).outcome).toBe('saved');
    expect((await older.device('ann').save(3, { update: 'account', id: 'a1', from: { city: 'Bruges' }, to: { city: 'Aalst' } })).committedImages).toMatchObject([{ values: { city: 'Aalst' } }]);
    expect((await newDevice.record('account', 'a1')).images).toMatchObject([{ version: [1, 4], values: { rank: 7, city: 'Aalst', motto: 'm' } }]);
  });
});

describe('record', () => {
  test('comes with its group and its masters, found by id or Record ID', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    await tablet.save(1, { create: 'order', id: 'o1', values: {} }, { create: 'line', id: 'l1', values: { order: 'o1' } }, { create: 'line', id: 'l2', values: { order: 'o1' } });
    expect((await tablet.record('line', 'l2')).images.map(({ id }) => id)).toEqual(['l2', 'o1', 'l1']);
    expect((await tablet.record('order', 'o1')).images.map(({ id }) => id)).toEqual(['o1', 'l1', 'l2']);
    const saved = await tablet.save(2, account('a1'), { create: 'note', id: 'n1', values: { account: 'a1' } });
    expect((await tablet.record('account', saved.committedImages[0]!.values!.serverId as string)).images.map(({ id }) => id)).toEqual(['a1']);
    expect((await tablet.record('note', 'n1')).images.map(({ id }) => id)).toEqual(['n1', 'a1']);
  });

  test('is shown as deleted; one that never was is no image', async () => {
    const { device } = createWorld();
    await device('ann').save(1, account('a1'));
    await device('ann').save(2, { remove: 'account', id: 'a1' });
    expect((await device('ann').record('account', 'a1')).images).toMatchObject([{ id: 'a1', state: 'deleted', version: [1, 2], values: null }]);
    for (const id of ['nobody', ' ', '%00']) expect((await device('ann').record('account', id)).images).toEqual([]);
  });
});

describe('hello', () => {
  test('says who is signed in, what is spoken and what is accepted', async () => {
    const { device } = createWorld({ limits: { members: 7 } });
    expect(await device('ann').hello()).toMatchObject({
      user: 'ann', protocols: [1], limits: { members: 7, entries: 500 }, store: 'ann-tablet', attempt: 'a1',
      server: { time: Date.UTC(2026, 0, 1), epoch: 1, head: 0, nextPollMs: null, schema: schema.hash },
    });
  });
});
