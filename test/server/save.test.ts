import { describe, expect, test } from 'vitest';
import { createWorld } from './harness.ts';

describe('save', () => {
  test('A25, A27: a create comes back with Record ID, number, and times', async () => {
    const { device } = createWorld();
    const saved = await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    expect(saved.outcome).toBe('saved');
    expect(saved.committedImages).toMatchObject([
      { object: 'account', id: 'a1', version: [1, 1], state: 'live', values: { name: 'St. Mary', number: 'A-000001', createdAt: '2026-01-01T00:00:00.000Z' } },
    ]);
    expect(saved.currentImages).toEqual(saved.committedImages);
  });

  test('A19: the first save of a field wins, the second is a conflict with the online image', async () => {
    const { device } = createWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary', city: 'Ghent' } });
    expect((await tablet.save(2, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } })).outcome).toBe('saved');
    const refused = await phone.save(1, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Aalst' } });
    expect(refused).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: ['city'], member: 0 }, onlineImage: { values: { city: 'Bruges' } } });
  });

  test('C2: a repeat is answered from its receipt, with what was committed and what is current', async () => {
    const { device } = createWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    const first = await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    await phone.save(1, { update: 'account', id: 'a1', from: {}, to: { city: 'Ghent' } });
    const repeat = await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    expect(repeat.committedImages).toEqual(first.committedImages);
    expect(repeat.currentImages).toMatchObject([{ version: [1, 2], values: { city: 'Ghent' } }]);
  });

  test('C2: the same number with other values is a copied store', async () => {
    const { device } = createWorld();
    await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    expect((await device('ann').save(1, { create: 'account', id: 'a2', values: { name: 'St. Mary' } })).outcome).toBe('copied');
  });
});
