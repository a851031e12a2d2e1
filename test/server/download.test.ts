import { describe, expect, test } from 'vitest';
import { createWorld } from './harness.ts';

describe('snapshot', () => {
  test('has every record once, in pages, with the feed position', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    for (let number = 1; number <= 7; number++) await tablet.save(number, { create: 'account', id: `a${number}`, values: { name: `Account ${number}` } });
    await tablet.save(8, { create: 'order', id: 'o1', values: { status: 'open' } }, { create: 'line', id: 'l1', values: { order: 'o1', quantity: 1 } });
    await tablet.save(9, { remove: 'account', id: 'a3' });
    const pages = await device('bob').snapshot(3);
    expect(pages.flatMap(({ images }) => images.map(({ id }) => id))).toEqual(['a1', 'a2', 'a4', 'a5', 'a6', 'a7', 'o1', 'l1']);
    expect((await tablet.snapshot())[0]!.cursor.position).toBe(9);
  });
});

describe('record', () => {
  test('comes with its group, found by id or Record ID', async () => {
    const { device } = createWorld();
    const tablet = device('ann');
    await tablet.save(1, { create: 'order', id: 'o1', values: {} }, { create: 'line', id: 'l1', values: { order: 'o1' } }, { create: 'line', id: 'l2', values: { order: 'o1' } });
    expect((await tablet.record('line', 'l2')).images.map(({ id }) => id)).toEqual(['l2', 'o1', 'l1']);
    const account = await tablet.save(2, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    expect((await tablet.record('account', account.committedImages[0]!.values!.serverId as string)).images).toMatchObject([{ id: 'a1' }]);
    expect((await tablet.record('account', 'nobody')).images).toEqual([]);
  });
});
