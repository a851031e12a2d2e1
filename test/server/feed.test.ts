import { describe, expect, test } from 'vitest';
import { createWorld } from './harness.ts';

describe('feed', () => {
  test('A29: a save is on the feed of all of its user\'s devices, the origin included', async () => {
    const { device } = createWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    const start = (await phone.poll(null))!;
    expect(start).toMatchObject({ gap: false, more: false, transactions: [] });
    expect(await phone.poll(start.next)).toBeNull();
    await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    const page = (await phone.poll(start.next))!;
    expect(page.saves).toMatchObject([{ position: 1, store: 'ann-tablet', number: 1, images: [{ id: 'a1', values: { name: 'St. Mary' } }] }]);
    expect((await tablet.poll(start.next))!.transactions).toHaveLength(1);
    expect(await phone.poll(page.next)).toBeNull();
  });

  test('A28: another user\'s feed stays empty', async () => {
    const { device } = createWorld();
    await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    expect((await device('bob').poll(null))!).toMatchObject({ transactions: [], next: { position: 0 } });
  });
});
