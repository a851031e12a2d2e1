import { describe, expect, test } from 'vitest';
import { createWorld } from './harness.ts';

const IN = { name: 'x', city: 'Ghent' }, OUT = { name: 'x', city: 'Lima' };

/** Bob's devices download what is in Ghent. What is secret only Ann may see. */
function world() {
  return createWorld({
    canSee: ({ user }, { values }) => user === 'ann' || values.name !== 'secret',
    inScope: ({ user }, { object, values }) => user !== 'bob' || object !== 'account' || values.city === 'Ghent',
  });
}

describe('scope', () => {
  test('A32: a snapshot leaves out what is not in the reader’s scope, page after page', async () => {
    const { device } = world();
    for (const number of [1, 2, 3, 4, 5]) await device('ann').save(number, { create: 'account', id: `a${number}`, values: number % 2 === 0 ? OUT : IN });
    for (const limit of [1, 2, 5]) expect((await device('bob').snapshot(limit)).flatMap(({ images }) => images.map(({ id }) => id))).toEqual(['a1', 'a3', 'a5']);
    expect((await device('ann').snapshot()).flatMap(({ images }) => images)).toHaveLength(5);
  });

  test('A32: the feed has what is out of scope, and says so of its live items alone', async () => {
    const { device } = world();
    const tablet = device('bob'), phone = device('bob', 'bob-phone');
    await tablet.save(1, { create: 'account', id: 'a1', values: IN });
    await tablet.save(2, { create: 'account', id: 'a2', values: OUT });
    await tablet.save(3, { create: 'account', id: 'a3', values: OUT });
    await tablet.save(4, { remove: 'account', id: 'a3' });
    await tablet.save(5, { create: 'note', id: 'n1', values: { account: 'a2', body: 'there' } });
    const page = (await phone.poll(null))!;
    expect(page.images.map(({ id, state }) => [id, state])).toEqual([['a1', 'live'], ['a2', 'live'], ['a3', 'deleted'], ['n1', 'live']]);
    expect(page.outside).toEqual([1]);
  });

  test('A32: a record by itself says the same, of its masters too', async () => {
    const { device } = world();
    await device('ann').save(1, { create: 'account', id: 'a1', values: OUT }, { create: 'account', id: 'a2', values: IN });
    await device('ann').save(2, { create: 'note', id: 'n1', values: { account: 'a1', body: 'there' } }, { create: 'note', id: 'n2', values: { account: 'a2', body: 'here' } });
    const outside = async (user: string, id: string) => {
      const { images, outside: indices } = await device(user).record('note', id);
      return indices.map((index) => images[index]!.id);
    };
    expect(await outside('bob', 'n1')).toEqual(['a1']);
    expect(await outside('bob', 'n2')).toEqual([]);
    expect(await outside('ann', 'n1')).toEqual([]);
  });

  test('A32: nothing is said of what the reader may not see', async () => {
    const { device } = world();
    await device('bob').save(1, { create: 'account', id: 'a1', values: OUT });
    await device('ann').save(1, { update: 'account', id: 'a1', from: { name: 'x' }, to: { name: 'secret' } });
    const page = (await device('bob', 'bob-phone').poll(null))!;
    expect(page.images.map(({ state }) => state)).toEqual(['hidden']);
    expect(page.outside).toEqual([]);
    expect(await device('bob').snapshot()).toMatchObject([{ images: [] }]);
  });

  test('A32: the host is asked of live records that the reader may see, and of no others', async () => {
    const asked = new Set<string>();
    const { device } = createWorld({ canSee: (_, { values }) => values.name !== 'secret', inScope: (_, { id }) => Boolean(asked.add(id)) });
    for (const [index, name] of ['secret', 'gone', 'there'].entries()) await device('bob').save(index + 1, { create: 'account', id: `a${index}`, values: { name } });
    await device('bob').save(4, { remove: 'account', id: 'a1' });
    await device('bob').snapshot();
    await device('bob', 'bob-phone').poll(null);
    expect([...asked]).toEqual(['a2']);
  });

  test('A32: the answer to an upload has what is out of scope', async () => {
    const { device } = world();
    const answer = await device('bob').save(1, { create: 'account', id: 'a1', values: OUT });
    expect(JSON.stringify(answer)).toContain('Lima');
  });

  test('A32: without a rule of the host everything is in scope', async () => {
    const { device } = createWorld();
    await device('bob').save(1, { create: 'account', id: 'a1', values: OUT });
    expect((await device('bob', 'bob-phone').poll(null))!.outside).toEqual([]);
    expect((await device('bob').record('account', 'a1')).outside).toEqual([]);
  });
});
