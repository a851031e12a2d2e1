import { describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { createWorld, type TestChange } from './harness.ts';

const create = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });
const setCity = (id: string, from: string | null, to: string): TestChange => ({ update: 'account', id, from: { city: from }, to: { city: to } });

describe('an entry that cannot be settled holds up nobody else', () => {
  test('A26: a refusal that concerns very many fields is still an answer that devices can read, also when it is repeated', async () => {
    const names = Array.from({ length: 400 }, (_, index) => `😀 field number ${index} of an object that was imported with all of its columns`);
    const wide = defineSchema({ version: 1, objects: { wide: { fields: Object.fromEntries(names.map((name) => [name, text()])) } } });
    const { device, server } = createWorld({ schema: wide });
    const tablet = device('ann');
    const all = (value: string): Record<string, string> => Object.fromEntries(names.map((name) => [name, value]));
    await tablet.save(1, { create: 'wide', id: 'w', values: all('a') });
    await server.online.save([{ op: 'update', object: 'wide', id: 'w', values: all('online') }]);
    const edit: TestChange = { update: 'wide', id: 'w', from: all('a'), to: all('mine') };
    for (const attempt of ['first', 'repeated']) {
      const refused = await tablet.save(2, edit);
      expect(refused, attempt).toMatchObject({ outcome: 'refused', class: 'conflict', refusal: { fields: names } });
      expect('refusal' in refused && refused.refusal.message.length, attempt).toBeLessThanOrEqual(2_000);
    }
  });

  test('A17: where a host cannot say who sees a record, the entries that need it are tried later, alone', async () => {
    let isBroken = false;
    const { device } = createWorld({
      canSee: (_reader, { id }) => {
        if (isBroken && id === 'a1') throw new Error('no answer');
        return true;
      },
    });
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    isBroken = true;
    // The first is refused before anybody asks who sees its record: the refusal shows it.
    const owned: TestChange = { update: 'account', id: 'a1', from: {}, to: { label: 'mine' } };
    const { results } = await tablet.upload({ number: 2, changes: [owned] }, { number: 3, changes: [setCity('a1', null, 'x')] }, { number: 4, changes: [create('a2')] });
    expect(results.map(({ outcome }) => outcome)).toEqual(['tryLater', 'tryLater', 'saved']);
    expect((await tablet.void(1, 4, 5)).map(({ outcome }) => outcome)).toEqual(['tryLater', 'saved', 'voided']);
    isBroken = false;
    expect(await tablet.save(2, owned)).toMatchObject({ outcome: 'refused', class: 'permission', onlineImage: { id: 'a1' } });
    expect((await tablet.void(1)).map(({ outcome }) => outcome)).toEqual(['saved']);
  });

  test('A17: a record that is stored and cannot be read is tried later, alone', async () => {
    const { device, store } = createWorld();
    const tablet = device('ann');
    await tablet.save(1, create('a1'), create('a2'));
    await store.run('default', async (transaction) => {
      const [broken] = await transaction.getRecords([{ object: 'account', id: 'a1' }]);
      Object.assign(broken!, { layout: 'of nobody' });
    });
    const { results } = await tablet.upload({ number: 2, changes: [setCity('a1', null, 'x')] }, { number: 3, changes: [setCity('a2', null, 'x')] });
    expect(results.map(({ outcome }) => outcome)).toEqual(['tryLater', 'saved']);
  });

  test('A15: what is kept and shown of an entry that is far too large is no larger than one that is not', async () => {
    const { device, server } = createWorld({ limits: { members: 3 } });
    const tablet = device('ann');
    for (const number of [1, 2, 3, 4, 5]) await tablet.save(number, create(`a${number}`));
    const large = [1, 2, 3, 4, 5].map((number) => setCity(`a${number}`, null, 'x'));
    for (const result of [await tablet.save(6, ...large), await tablet.save(6, ...large), (await tablet.void(6))[0]!]) {
      expect(result).toMatchObject({ outcome: 'refused', class: 'too-large' });
      expect(result.currentImages.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3']);
    }
    const many = Array.from({ length: 2_001 }, (_, index) => create(`b${index}`));
    await tablet.save(7, ...many);
    const [kept] = await server.support.listRefused({ limit: 1 });
    expect(kept).toMatchObject({ number: 7, class: 'too-large', isCut: true });
    expect(kept!.changes).toHaveLength(2_000);
  });

  test('C1: no record comes to be under an id that devices cannot read', async () => {
    const { device, server } = createWorld({
      objects: { account: { afterSave: async ({ write, next }) => void (await write.create('order', { id: String(next?.city ?? 'o1') })) } },
    });
    const tablet = device('ann');
    for (const id of ['x'.repeat(256), 'é'.repeat(128), '\ud800']) {
      await expect(server.online.save([{ op: 'create', object: 'order', id, values: {} }])).rejects.toMatchObject({ code: 'ID_INVALID' });
    }
    expect(await server.online.save([{ op: 'create', object: 'order', id: 'é'.repeat(127), values: {} }])).toMatchObject({ kind: 'saved' });
    expect(await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'a', city: 'é'.repeat(128) } })).toMatchObject({ outcome: 'tryLater' });
    expect((await tablet.snapshot()).flatMap(({ images }) => images)).toMatchObject([{ object: 'order' }]);
  });
});
