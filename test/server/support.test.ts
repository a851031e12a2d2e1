import { expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { describeOnBothStores } from './both-stores.ts';
import { type TestChange } from './harness.ts';

const DAY = 86_400_000;
const create = (id: string, values = {}): TestChange => ({ create: 'account', id, values: { name: id, ...values } });

describeOnBothStores('refused entries for support', (newWorld) => {
  test('A26: a refused entry is kept with its class, code, fields and what it would have written', async () => {
    const { device, server, scope, clock } = newWorld({ objects: { account: { validate: ({ next }) => (next.tier === 'C' ? refuse('tier', 'no-tier-c', 'Not this tier') : undefined) } } });
    const tablet = device('ann');
    await tablet.save(1, create('a1', { city: 'Ghent', extra: { tags: ['x', 1.5, null] } }));
    await tablet.upload({
      number: 2,
      savedAt: 77,
      changes: [create('a2', { staff: 3, extra: { deep: [true] } }), { update: 'account', id: 'a1', from: { tier: null, city: 'Ghent' }, to: { tier: 'C', city: null } }, { remove: 'note', id: 'n1', was: { body: 'b' } }],
    });
    expect(await server.support.listRefused(scope)).toEqual([{
      user: 'ann', store: 'ann-tablet', number: 2, refusedAt: clock.now(), savedAt: 77, class: 'validation', code: 'no-tier-c', message: 'Not this tier', member: 1, fields: ['tier'], isCut: false,
      changes: [
        { object: 'account', id: 'a2', op: 'create', previous: {}, next: { name: 'a2', staff: 3, extra: { deep: [true] } } },
        { object: 'account', id: 'a1', op: 'update', previous: { city: 'Ghent', tier: null }, next: { city: null, tier: 'C' } },
        { object: 'note', id: 'n1', op: 'remove', previous: { body: 'b' }, next: {} },
      ],
    }]);
  });

  test('A26: refused entries are listed newest first, by user and in pages, and a repeat does not list one twice', async () => {
    const { device, server, scope, clock } = newWorld();
    const bad = (id: string): TestChange => ({ update: 'account', id, from: {}, to: { city: 'x' } });
    for (const number of [1, 2, 3]) {
      for (const user of ['ann', 'bob']) {
        await device(user).save(number, bad('gone'));
        await clock.advance(1_000);
      }
    }
    await device('ann').save(1, bad('gone'));
    const all = await server.support.listRefused(scope);
    expect(all.map(({ user, number }) => `${user} ${number}`)).toEqual(['bob 3', 'ann 3', 'bob 2', 'ann 2', 'bob 1', 'ann 1']);
    const first = await server.support.listRefused({ ...scope, user: 'ann', limit: 2 });
    const rest = await server.support.listRefused({ ...scope, user: 'ann', limit: 2, after: first[1]! });
    expect([...first, ...rest].map(({ number }) => number)).toEqual([3, 2, 1]);
    expect(await server.support.listRefused({ tenant: 'another' })).toEqual([]);
  });

  test('A26: refused entries are kept thirty days', async () => {
    const { device, server, scope, store, clock } = newWorld();
    const tablet = device('ann');
    await tablet.save(1, { update: 'account', id: 'gone', from: {}, to: { city: 'x' } });
    await clock.advance(30 * DAY);
    expect(await server.support.listRefused(scope)).toHaveLength(1);
    await clock.advance(1);
    expect(await server.support.listRefused(scope)).toEqual([]);
    await tablet.save(2, create('a1'));
    expect(await store.read(scope.tenant ?? 'default', (view) => view.listFacts('refused', { limit: 9 }))).toEqual([]);
  });

  test('A26: of an entry that is very large, the first values are kept and the rest is named', async () => {
    const { device, server, scope } = newWorld({ limits: { entryBytes: 300_000 } });
    const long = (id: string): TestChange => ({ create: 'note', id, values: { account: 'a1', body: 'x'.repeat(200_000) } });
    expect((await device('ann').save(1, long('n1'), long('n2'))).class).toBe('too-large');
    const [entry] = await server.support.listRefused(scope);
    expect(entry).toMatchObject({ class: 'too-large', isCut: true, changes: [{ id: 'n1', next: { account: 'a1' } }, { id: 'n2', next: {} }] });
  });

  test('A26: an entry of fields and objects that the server does not know is kept as the device wrote it, whatever its id', async () => {
    const { device, server, scope } = newWorld();
    expect((await device('ann').save(1, create('a\0b'))).class).toBe('validation');
    expect((await device('ann').save(2, create('a1', { label: 'mine' }))).class).toBe('permission');
    expect((await server.support.listRefused(scope)).map(({ changes }) => changes[0])).toMatchObject([{ id: 'a1', next: { label: 'mine' } }, { id: 'a\0b' }]);
  });
});
