import { describe, expect, test } from 'vitest';
import { planPoll } from '../../src/server/feed/plan-poll.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createWorld, type TestChange } from './harness.ts';

const DAY = 86_400_000;
const account = (id: string, values: object = {}): TestChange => ({ create: 'account', id, values: { name: id, ...values } });
const setCity = (id: string, from: string | null, to: string): TestChange => ({ update: 'account', id, from: { city: from }, to: { city: to } });

describeOnBothStores('feed', (newWorld) => {
  test('A29: a save is on the feed of all of its user\'s devices, the origin included; then there is nothing new', async () => {
    const { device } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    const start = (await phone.poll(null))!;
    expect(start).toMatchObject({ gap: null, more: false, transactions: [] });
    expect(await phone.poll(start.next)).toBeNull();
    await tablet.save(1, account('a1'));
    const page = (await phone.poll(start.next))!;
    expect(page.saves).toMatchObject([{ position: 1, store: 'ann-tablet', number: 1, images: [{ id: 'a1', version: [1, 1], values: { name: 'a1' } }] }]);
    expect((await tablet.poll(start.next))!.transactions).toHaveLength(1);
    expect(await phone.poll(page.next)).toBeNull();
  });

  test('A28: another user\'s feed has nothing of it, though the record can be seen', async () => {
    const { device } = newWorld();
    await device('ann').save(1, account('a1'));
    expect(await device('bob').poll(null)).toMatchObject({ transactions: [], images: [], gap: null, next: { position: 0 } });
    expect((await device('bob').record('account', 'a1')).images).toHaveLength(1);
  });

  test('A29: images are those of now, one for each record of a page, in whole saves', async () => {
    const { device } = newWorld();
    const tablet = device('ann');
    await tablet.save(1, account('a1'), account('a2'));
    await tablet.save(2, setCity('a1', null, 'Ghent'));
    await tablet.save(3, { remove: 'account', id: 'a2' });
    await tablet.save(4, account('a3'), account('a4'), account('a5'));
    const phone = device('ann', 'ann-phone');
    const whole = (await phone.poll(null))!;
    expect(whole.images.map(({ id, version, state }) => [id, version[1], state])).toEqual([
      ['a1', 2, 'live'], ['a2', 2, 'deleted'], ['a3', 1, 'live'], ['a4', 1, 'live'], ['a5', 1, 'live'],
    ]);
    expect(whole.saves.map(({ position, images }) => [position, images.map(({ id }) => id)])).toEqual([
      [1, ['a1', 'a2']], [2, ['a1']], [3, ['a2']], [4, ['a3', 'a4', 'a5']],
    ]);

    const pages = [(await phone.poll(null, 3))!];
    for (let turn = 0; turn < 9 && pages.at(-1)!.more; turn++) pages.push((await phone.poll(pages.at(-1)!.next, 3))!);
    expect(pages.map(({ saves }) => saves.map(({ position }) => position))).toEqual([[1, 2, 3], [4]]);
    expect(pages.map(({ images, part }) => [images.length, part])).toEqual([[2, null], [3, null]]);
  });

  test('A31: rows are kept for seven days by server time, to the minute; an older cursor is told of the gap', async () => {
    const { device, clock } = newWorld();
    const tablet = device('ann'), phone = device('ann', 'ann-phone');
    const cursor = (await phone.poll(null))!.next;
    await tablet.save(1, account('a1'));
    await clock.advance(60_000);
    await tablet.save(2, account('a2'));
    await clock.advance(7 * DAY - 120_000);
    expect(await phone.poll(cursor)).toMatchObject({ gap: null, transactions: [{ number: 1 }, { number: 2 }] });
    await clock.advance(61_000);
    expect(await phone.poll(cursor)).toMatchObject({ gap: 'expired', from: { position: 1 }, transactions: [{ number: 2 }], next: { position: 2 } });
    expect(await phone.poll({ ...cursor, position: 1 })).toMatchObject({ gap: null, transactions: [{ number: 2 }] });
    await clock.advance(DAY);
    const empty = (await phone.poll(cursor))!;
    expect(empty).toMatchObject({ gap: 'expired', transactions: [], from: { position: 2 }, next: { position: 2 }, more: false });
    expect(await phone.poll(empty.next)).toBeNull();
    // A save prunes what is gone; positions and answers stay as they are.
    await tablet.save(3, account('a3'));
    expect(await phone.poll(cursor)).toMatchObject({ gap: 'expired', from: { position: 2 }, transactions: [{ number: 3, position: 3 }] });
    expect(await phone.poll(empty.next)).toMatchObject({ gap: null, transactions: [{ number: 3 }] });
    expect((await device('ann', 'ann-new').poll(null))!).toMatchObject({ gap: 'expired', from: { position: 2 } });
  });

  test('A31: a cursor of another feed, another epoch or the future is told of a gap and gets the own feed from its floor', async () => {
    const { device, store, scope } = newWorld();
    await device('ann').save(1, account('a1'));
    await device('bob').save(1, account('b1'));
    const ann = (await device('ann').poll(null))!.next, bob = (await device('bob').poll(null))!.next;
    const refused = [[bob, 'foreign'], [{ ...ann, epoch: 9 }, 'restored'], [{ ...ann, position: 99 }, 'ahead'], [{ ...ann, feed: 'nobodys' }, 'foreign']] as const;
    for (const [cursor, gap] of refused) {
      expect(await device('ann').poll(cursor)).toMatchObject({ gap, from: { feed: ann.feed, epoch: 1, position: 0 }, transactions: [{ store: 'ann-tablet' }] });
    }
    await store.run(scope.tenant ?? 'default', (transaction) => transaction.raiseEpoch());
    expect(await device('ann').poll(ann)).toMatchObject({ gap: 'restored', from: { epoch: 2, position: 0 }, server: { epoch: 2 } });
  });

  test('A7: online edits are on no feed; a later device save carries them along', async () => {
    const { device, server, scope } = newWorld();
    await device('ann').save(1, account('a1'));
    const { next } = (await device('ann').poll(null))!;
    await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { tier: 'B' } }], scope);
    await server.online.save([{ op: 'create', object: 'account', id: 'o1', values: { name: 'online' } }], scope);
    expect(await device('ann').poll(next)).toBeNull();
    await device('ann').save(2, setCity('a1', null, 'Ghent'));
    expect((await device('ann').poll(next))!.images).toMatchObject([{ version: [1, 3], values: { tier: 'B', city: 'Ghent' } }]);
  });

  test('A29: no position is missed while many devices save at once', async () => {
    const { device } = newWorld();
    const reader = device('ann', 'reader');
    const seen: number[] = [];
    let cursor = (await reader.poll(null))!.next;
    const read = async (): Promise<void> => {
      for (let page = await reader.poll(cursor, 3); page !== null; page = await reader.poll(cursor, 3)) {
        seen.push(...page.saves.map(({ position }) => position));
        cursor = page.next;
      }
    };
    const saves = Array.from({ length: 5 }, async (_, writer) => {
      for (let number = 1; number <= 6; number++) await device('ann', `writer${writer}`).save(number, account(`w${writer}-${number}`));
    });
    await Promise.all([...saves, (async () => { for (let turn = 0; turn < 10; turn++) await read(); })()]);
    await read();
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });
});

describe('feed', () => {
  test('A33: the server says when to poll next, in bodies and on a 204', async () => {
    const { device } = createWorld({ nextPollMs: 45_000 });
    const start = (await device('ann').poll(null))!;
    expect(start.server.nextPollMs).toBe(45_000);
    const { feed, epoch, position } = start.next;
    const nothing = await device('ann').get('feed', { cursor: `${feed}.${epoch}.${position}` });
    expect([nothing.status, nothing.headers['fieldtide-next-poll'], nothing.body]).toEqual([204, '45000', null]);
  });

  test('pages end before they grow too large, but never inside a save', async () => {
    const { device } = createWorld({ limits: { bodyBytes: 50_000 } });
    const note = (id: string): TestChange => ({ create: 'order', id, values: { notes: 'x'.repeat(20_000) } });
    for (const number of [1, 2, 3, 4]) await device('ann').save(number, note(`o${number}`));
    const first = (await device('ann').poll(null))!;
    expect([first.saves.length, first.more]).toEqual([2, true]);
    expect((await device('ann').poll(first.next))!).toMatchObject({ more: false, transactions: [{ number: 3 }, { number: 4 }] });
  });

  test('records that the reader may no longer see are hidden, with nothing of their values', async () => {
    const hidden = new Set<string>();
    const { device } = createWorld({ canSee: (_, { id }) => !hidden.has(id) });
    await device('ann').save(1, account('a1', { city: 'Ghent' }), account('a2'));
    hidden.add('a1');
    const page = (await device('ann').poll(null))!;
    expect(page.images).toMatchObject([{ id: 'a1', state: 'hidden', values: null }, { id: 'a2', state: 'live' }]);
  });

  test('what a trigger wrote out of the user\'s sight is not on the feed', async () => {
    const { device } = createWorld({
      canSee: (_, { id }) => !id.startsWith('audit'),
      objects: { order: { afterSave: async ({ id, write }) => void (await write.create('account', { id: `audit-${id}`, name: 'audit' })) } },
    });
    const saved = await device('ann').save(1, { create: 'order', id: 'o1', values: {} });
    expect(saved.committedImages.map(({ id }) => id)).toEqual(['o1']);
    expect((await device('ann').poll(null))!.images.map(({ id }) => id)).toEqual(['o1']);
  });
});

describe('the plan of a poll', () => {
  const feed = { feed: 'f', epoch: 1, head: 10, floor: 0 };
  const at = (position: number, more: object = {}) => ({ feed: 'f', epoch: 1, position, ...more });
  test.each([
    ['no cursor, all is kept', null, 1, { from: 0, gap: null }],
    ['no cursor, some is gone', null, 4, { from: 3, gap: 'expired' }],
    ['up to date', at(10), 4, { from: 10, gap: null }],
    ['the next one is kept', at(3), 4, { from: 3, gap: null }],
    ['the next one is gone', at(2), 4, { from: 3, gap: 'expired' }],
    ['all is gone, nothing missed', at(10), null, { from: 10, gap: null }],
    ['all is gone, one missed', at(9), null, { from: 10, gap: 'expired' }],
    ['from the future', at(11), 1, { from: 0, gap: 'ahead' }],
    ['of another epoch', at(10, { epoch: 2 }), 1, { from: 0, gap: 'restored' }],
    ['of another feed', at(10, { feed: 'g' }), 1, { from: 0, gap: 'foreign' }],
  ])('A31: %s', (_name, cursor, oldest, plan) => {
    expect(planPoll(cursor, { feed, oldest })).toEqual(plan);
  });
});
