import { expect, test } from 'vitest';
import { describeOnBothStores } from '../server/both-stores.ts';
import type { TestChange } from '../server/harness.ts';

const DAY = 86_400_000;
const account = (id: string): TestChange => ({ create: 'account', id, values: { name: id } });
const setCity = (id: string, from: string | null, to: string): TestChange => ({ update: 'account', id, from: { city: from }, to: { city: to } });

describeOnBothStores('the feed', (newWorld) => {
  test('A28: two users who see and edit the same record have nothing of each other on their feeds', async () => {
    const { device } = newWorld();
    const ann = device('ann'), bob = device('bob');
    await ann.save(1, account('a1'));
    await bob.save(1, setCity('a1', null, 'Ghent'));
    await ann.save(2, setCity('a1', 'Ghent', 'Lund'));
    const pages = { ann: (await ann.poll(null))!, bob: (await bob.poll(null))! };
    expect(pages.ann.transactions.map(({ store, number }) => [store, number])).toEqual([['ann-tablet', 1], ['ann-tablet', 2]]);
    expect(pages.bob.transactions.map(({ store, number }) => [store, number])).toEqual([['bob-tablet', 1]]);
    expect(pages.bob.next.feed).not.toBe(pages.ann.next.feed);
  });

  test('A29: what is refused, voided or repeated puts nothing on the feed', async () => {
    const { device } = newWorld();
    const ann = device('ann');
    await ann.save(1, account('a1'));
    expect((await ann.save(2, setCity('a1', 'nowhere', 'Lund'))).outcome).toBe('refused');
    await ann.void(3);
    expect((await ann.save(3, account('a3'))).outcome).toBe('voided');
    expect((await ann.save(1, account('a1'))).outcome).toBe('saved');
    expect((await ann.poll(null))!.transactions.map(({ position, number }) => [position, number])).toEqual([[1, 1]]);
  });

  test('A30: the master at each level is on the feed with its child, as it is now, also when the child was deleted', async () => {
    const { device } = newWorld();
    const ann = device('ann');
    await ann.save(1, account('a1'), { create: 'note', id: 'n1', values: { account: 'a1', body: 'x' } });
    const { next } = (await ann.poll(null))!;
    await ann.save(2, { update: 'note', id: 'n1', from: { body: 'x' }, to: { body: 'y' } });
    await device('bob').save(1, setCity('a1', null, 'Ghent'));
    const page = (await ann.poll(next))!;
    expect(page.saves[0]!.images.map(({ id }) => id).sort()).toEqual(['a1', 'n1']);
    expect(page.images.find(({ id }) => id === 'a1')).toMatchObject({ values: { city: 'Ghent' } });
    await ann.save(3, { remove: 'note', id: 'n1' });
    expect((await ann.poll(page.next))!.saves[0]!.images.map(({ id, state }) => [id, state]).sort()).toEqual([['a1', 'live'], ['n1', 'deleted']]);
  });

  test('A31: seven days and one second later the entry is gone and the cursor has expired; uploads go on as before', async () => {
    const { device, clock } = newWorld();
    const ann = device('ann');
    const cursor = (await ann.poll(null))!.next;
    await ann.save(1, account('a1'));
    await clock.advance(7 * DAY);
    expect(await ann.poll(cursor)).toMatchObject({ gap: null, transactions: [{ number: 1 }] });
    await clock.advance(1_000);
    expect(await ann.poll(cursor)).toMatchObject({ gap: 'expired', transactions: [], next: { position: 1 } });
    expect((await ann.save(2, setCity('a1', null, 'Ghent'))).outcome).toBe('saved');
    expect((await ann.poll({ ...cursor, position: 1 }))!).toMatchObject({ gap: null, transactions: [{ number: 2 }] });
  });

  test('A32: only permission is asked again when the feed is read: what the reader may no longer see is a removal', async () => {
    const hidden = new Set<string>();
    const { device } = newWorld({ canSee: (_, { id }) => !hidden.has(id) });
    await device('ann').save(1, account('a1'), account('a2'));
    hidden.add('a2');
    const page = (await device('ann', 'ann-phone').poll(null))!;
    expect(page.images.map(({ id, state, values }) => [id, state, values === null])).toEqual([['a1', 'live', false], ['a2', 'hidden', true]]);
  });

  test('A40: online edits, other users\' edits and changed permissions are on no feed, and in the next download', async () => {
    const hidden = new Set(['a3']);
    const { device, server, scope } = newWorld({ canSee: ({ user }, { id }) => user !== 'ann' || !hidden.has(id) });
    const ann = device('ann');
    await ann.save(1, account('a1'));
    const { next } = (await ann.poll(null))!;
    const held = async (): Promise<unknown> => (await ann.snapshot()).flatMap(({ images }) => images.map(({ id, values }) => [id, values!.city]));
    await server.online.save([{ op: 'create', object: 'account', id: 'a2', values: { name: 'online', city: 'Lund' } }], scope);
    await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Ghent' } }], scope);
    await device('bob').save(1, account('a3'), account('a4'));
    expect(await ann.poll(next)).toBeNull();
    expect(await held()).toEqual([['a1', 'Ghent'], ['a2', 'Lund'], ['a4', null]]);
    hidden.delete('a3');
    hidden.add('a4');
    expect(await ann.poll(next)).toBeNull();
    expect(await held()).toEqual([['a1', 'Ghent'], ['a2', 'Lund'], ['a3', null]]);
  });

  test('A40: changed metadata is on no feed: each answer names the schema, and a feed has records of it alone', async () => {
    const { device } = newWorld();
    const ann = device('ann');
    await ann.save(1, account('a1'));
    const page = (await ann.poll(null))!;
    expect(page.server.schema).toBe((await ann.hello()).server.schema);
    const { feed, epoch, position } = page.next;
    const nothing = await ann.get('feed', { cursor: `${feed}.${epoch}.${position}` });
    expect([nothing.status, nothing.headers['fieldtide-schema']]).toEqual([204, page.server.schema]);
    expect(page.images.map(({ object }) => object)).toEqual(['account']);
  });
});
