import { expect, test } from 'vitest';
import { refuse, type AfterCommitContext, type PrepareContext, type ServerLogEvent } from '../../src/server/index.ts';
import { describeOnBothStores } from './both-stores.ts';
import { type TestChange } from './harness.ts';

const create = (id: string, name = id): TestChange => ({ create: 'account', id, values: { name } });
const setCity = (from: string | null, to: string): TestChange => ({ update: 'account', id: 'a1', from: { city: from }, to: { city: to } });

/** A promise, and how to keep it. */
function promised(): { readonly kept: Promise<void>; readonly keep: () => void } {
  let keep = (): void => {};
  const kept = new Promise<void>((resolve) => (keep = resolve));
  return { kept, keep: () => keep() };
}

describeOnBothStores('hooks around the transaction', (newWorld) => {
  test('A25: prepare gets every change as plain values, and what it returns is seen by the hooks inside', async () => {
    const asked: PrepareContext[] = [], seen: unknown[] = [];
    const { device, clock } = newWorld({
      prepare: async (context) => { asked.push(context); return { rate: 7 }; },
      objects: {
        account: {
          allow: ({ prepared }) => { seen.push(prepared); return true; },
          beforeSave: ({ prepared }) => void seen.push(prepared),
          validate: ({ prepared }) => void seen.push(prepared),
          afterSave: ({ prepared }) => void seen.push(prepared),
          formulas: ({ prepared }) => ({ label: `rate ${(prepared as { readonly rate: number }).rate}` }),
        },
      },
    });
    const saved = await device('ann').save(1, create('a1'), { create: 'note', id: 'n1', values: { account: 'a1', body: 'x' } });
    expect(saved).toMatchObject({ outcome: 'saved', committedImages: [{ id: 'a1', values: { label: 'rate 7' } }, { id: 'n1' }] });
    await device('ann').save(2, setCity(null, 'Ghent'), { remove: 'note', id: 'n1', was: { body: 'x' } });
    expect(seen).toHaveLength(8);
    expect(new Set(seen.map((prepared) => JSON.stringify(prepared)))).toEqual(new Set(['{"rate":7}']));
    expect(asked.map(({ user, origin, now }) => [user, origin, now])).toEqual([1, 2].map((number) => ['ann', { kind: 'device', store: 'ann-tablet', number, savedAt: 0 }, clock.now()]));
    expect(asked.map(({ changes }) => changes)).toEqual([
      [{ object: 'account', id: 'a1', op: 'create', previous: {}, next: { name: 'a1' } }, { object: 'note', id: 'n1', op: 'create', previous: {}, next: { account: 'a1', body: 'x' } }],
      [{ object: 'account', id: 'a1', op: 'update', previous: { city: null }, next: { city: 'Ghent' } }, { object: 'note', id: 'n1', op: 'remove', previous: { body: 'x' }, next: {} }],
    ]);
  });

  test('A26: prepare refuses an entry and names the change; the refusal is a decision and is not prepared again', async () => {
    let calls = 0;
    const { device, server, scope } = newWorld({
      prepare({ changes }) {
        calls++;
        const at = changes.findIndex(({ next }) => next.name === 'bad');
        return at < 0 ? undefined : refuse('name', 'unknown-name', 'Nobody is called that').of(at);
      },
    });
    const tablet = device('ann');
    for (const attempt of [1, 2]) {
      expect([attempt, await tablet.save(1, create('a1'), create('a2', 'bad'))]).toMatchObject([attempt, { outcome: 'refused', class: 'validation', refusal: { member: 1, code: 'unknown-name', message: 'Nobody is called that', fields: ['name'] } }]);
    }
    expect(calls).toBe(1);
    expect((await tablet.record('account', 'a1')).images).toEqual([]);
    expect(await server.support.listRefused(scope)).toMatchObject([{ code: 'unknown-name', member: 1 }]);
    expect(await server.online.save([{ op: 'create', object: 'account', id: 'a3', values: { name: 'bad' } }], scope)).toMatchObject({ kind: 'refused', refusal: { code: 'unknown-name' } });
  });

  test('A25: what was decided or voided is not prepared again, and what cannot be read or is too large never', async () => {
    const prepared: number[] = [];
    const { device } = newWorld({ limits: { members: 2 }, prepare: ({ origin }) => void prepared.push(origin.kind === 'device' ? origin.number : 0) });
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    await tablet.save(1, create('a1'));
    await tablet.save(1, create('other'));
    await tablet.void(2);
    await tablet.save(2, create('a2'));
    expect((await tablet.save(3, { create: 'account', id: 'a3', values: { name: 'x', label: 'mine' } })).class).toBe('permission');
    expect((await tablet.save(4, create('a4'), create('a5'), create('a6'))).class).toBe('too-large');
    expect(prepared).toEqual([1]);
  });

  test('A25: a prepare that throws, hangs or answers nonsense leaves its entry alone undecided, and the rest goes on', async () => {
    const log: ServerLogEvent[] = [];
    const hanging = promised();
    let isBroken = true;
    const { device, clock } = newWorld({
      log: (event) => log.push(event),
      prepareTimeoutMs: 3_000,
      prepare({ changes: [change] }) {
        if (!isBroken) return undefined;
        if (change!.id === 'throws') throw new Error('secret of the host');
        if (change!.id === 'nonsense') return refuse(null, 'no').of(5);
        if (change!.id === 'unreadable') return refuse(null, 'no', 'x'.repeat(5_000));
        if (change!.id !== 'hangs') return undefined;
        hanging.keep();
        return new Promise(() => {});
      },
    });
    const ids = ['good', 'throws', 'nonsense', 'unreadable', 'hangs', 'last'];
    const entries = ids.map((id, index) => ({ number: index + 1, changes: [create(id)] }));
    const uploading = device('ann').upload(...entries);
    await hanging.kept;
    await clock.advance(3_000);
    const { results } = await uploading;
    expect(results.map(({ outcome }) => outcome)).toEqual(['saved', 'tryLater', 'tryLater', 'tryLater', 'tryLater', 'saved']);
    expect(JSON.stringify(results)).not.toContain('secret');
    expect(log.map(({ event, message }) => `${event} ${message}`)).toEqual(Array.from({ length: 4 }, () => 'hook:failed prepare failed'));
    isBroken = false;
    expect((await device('ann').upload(...entries)).results.map(({ outcome }) => outcome)).toEqual(ids.map(() => 'saved'));
  });

  test('A25: while one prepare hangs, others save: another user, another device, and the back office', async () => {
    const slow = promised(), entered = promised();
    const { device, server, scope } = newWorld({
      async prepare({ changes: [change] }) {
        if (change!.id !== 'slow') return;
        entered.keep();
        await slow.kept;
      },
    });
    const waiting = device('ann').save(1, create('slow'));
    await entered.kept;
    expect((await device('bob').save(1, create('b1'))).outcome).toBe('saved');
    expect((await device('ann', 'ann-phone').save(1, create('a1'))).outcome).toBe('saved');
    expect((await server.online.save([{ op: 'create', object: 'account', id: 'o1', values: { name: 'x' } }], scope)).kind).toBe('saved');
    expect((await device('bob').record('account', 'slow')).images).toEqual([]);
    slow.keep();
    expect((await waiting).outcome).toBe('saved');
  });

  test('A25: afterCommit hears of each decision once, with what was asked for and everything that was committed', async () => {
    const heard: AfterCommitContext[] = [];
    const { device, server, scope, clock } = newWorld({
      afterCommit: (context) => void heard.push(context),
      objects: { note: { afterSave: ({ next, write }) => (next === null ? undefined : write.update('account', next.account!, { label: 'noted' })) } },
    });
    const tablet = device('ann');
    await tablet.save(1, create('a1'));
    await tablet.save(1, create('a1'));
    await tablet.save(2, { create: 'note', id: 'n1', values: { account: 'a1' } });
    await tablet.save(3, { remove: 'note', id: 'n1' });
    await tablet.save(4, { update: 'account', id: 'a1', from: { name: 'other' }, to: { name: 'mine' } });
    await tablet.save(4, { update: 'account', id: 'a1', from: { name: 'other' }, to: { name: 'mine' } });
    await tablet.save(5, { create: 'account', id: 'a5', values: { name: 'x', label: 'mine' } });
    await tablet.void(6);
    await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Ghent' } }], scope);
    await server.close();
    expect(heard.map(({ origin, outcome, refusal, changes, records }) => [
      origin.kind === 'device' ? origin.number : 'online', outcome, refusal?.class ?? null, changes.map(({ op, id }) => `${op} ${id}`), records.map(({ id, version, values }) => [id, version[1], values?.label ?? null]),
    ])).toEqual([
      [1, 'saved', null, ['create a1'], [['a1', 1, null]]],
      [2, 'saved', null, ['create n1'], [['n1', 1, null], ['a1', 2, 'noted']]],
      [3, 'saved', null, ['remove n1'], [['n1', 2, null], ['a1', 2, 'noted']]],
      [4, 'refused', 'conflict', ['update a1'], []],
      [5, 'refused', 'permission', [], []],
      ['online', 'saved', null, ['update a1'], [['a1', 3, 'noted']]],
    ]);
    expect(heard[2]!.records[0]!.values).toBeNull();
    expect(heard[0]).toMatchObject({ user: 'ann', now: clock.now(), changes: [{ next: { name: 'a1' } }] });
  });

  test('A25: the answer does not wait for afterCommit; one that fails or hangs is logged and changes nothing', async () => {
    const log: ServerLogEvent[] = [];
    const hanging = promised();
    const { device, server, clock } = newWorld({
      log: (event) => log.push(event),
      afterCommitTimeoutMs: 2_000,
      afterCommit({ changes: [change] }) {
        if (change!.id === 'throws') throw new Error('no');
        hanging.keep();
        return new Promise(() => {});
      },
    });
    const { results } = await device('ann').upload({ number: 1, changes: [create('throws')] }, { number: 2, changes: [create('hangs')] });
    expect(results.map(({ outcome }) => outcome)).toEqual(['saved', 'saved']);
    const closing = server.close();
    await hanging.kept;
    await clock.advance(2_000);
    await closing;
    expect(log.map(({ event, message }) => `${event} ${message}`)).toEqual(['hook:failed afterCommit failed', 'hook:failed afterCommit failed']);
  });

  test('A25: hooks that answer what they must not are broken, and nothing is saved by mistake', async () => {
    const wrong: readonly (readonly [string, object])[] = [
      ['allow says nothing', { account: { allow: () => undefined } }],
      ['allow says yes in its own words', { account: { allow: () => 'yes' } }],
      ['beforeSave answers a number', { account: { beforeSave: () => 5 } }],
      ['beforeSave answers a list', { account: { beforeSave: () => [] } }],
      ['beforeSave answers the error that it should have thrown', { account: { beforeSave: () => new Error('no') } }],
      ['beforeSave answers a map', { account: { beforeSave: () => new Map([['city', 'x']]) } }],
      ['formulas answer an error', { account: { formulas: () => new RangeError('no') } }],
      ['validate says false', { account: { validate: () => false } }],
      ['validate answers a text', { account: { validate: () => 'too short' } }],
      ['afterSave says false', { account: { afterSave: () => false } }],
      ['formulas answer a text', { account: { formulas: () => 'total' } }],
      ['formulas refuse', { account: { formulas: () => refuse(null, 'no') } }],
      ['a refusal without a text', { account: { validate: () => refuse(null, 'no', 5 as never) } }],
      ['a refusal too long to be read', { account: { validate: () => refuse('f'.repeat(300), 'no') } }],
      ['a refusal that is no Unicode', { account: { validate: () => refuse(null, 'no', '\ud800') } }],
    ];
    for (const [what, objects] of wrong) {
      const { device } = newWorld({ objects });
      const { results } = await device('ann').upload({ number: 1, changes: [create('a1')] }, { number: 2, changes: [{ create: 'order', id: 'o1', values: {} }] });
      expect([what, ...results.map(({ outcome }) => outcome)]).toEqual([what, 'tryLater', 'saved']);
      expect((await device('ann').record('account', 'a1')).images).toEqual([]);
    }
  });

  test('A25: a hook that hangs a record on an id that cannot be leaves its entry alone undecided, whatever the store', async () => {
    for (const parent of ['a\0b', Array.from({ length: 4_000 }, (_, index) => ((index * 7_919) % 36).toString(36)).join('')]) {
      const { device } = newWorld({ objects: { note: { beforeSave: () => ({ account: parent }) } } });
      const note: TestChange = { create: 'note', id: 'n1', values: { body: 'b' } };
      const { results } = await device('ann').upload({ number: 1, changes: [note] }, { number: 2, changes: [create('a1')] });
      expect(results.map(({ outcome }) => outcome)).toEqual(['tryLater', 'saved']);
    }
  });

  test('A17: an upload whose hooks take too long is answered in time: what was not begun comes again', async () => {
    const hanging = [promised(), promised()];
    const { device, clock } = newWorld({
      prepareTimeoutMs: 10_000,
      prepare({ changes: [change] }) {
        if (!change!.id.startsWith('hangs')) return undefined;
        hanging[Number(change!.id.slice(5)) - 1]!.keep();
        return new Promise(() => {});
      },
    });
    const entries = ['hangs1', 'hangs2', 'good'].map((id, index) => ({ number: index + 1, changes: [create(id)] }));
    const uploading = device('ann').upload(...entries);
    for (const { kept } of hanging) {
      await kept;
      await clock.advance(10_000);
    }
    expect((await uploading).results).toMatchObject([{ outcome: 'tryLater', retryAfterMs: 5_000 }, { outcome: 'tryLater', retryAfterMs: 5_000 }, { outcome: 'tryLater', retryAfterMs: 0 }]);
    expect((await device('ann').upload(entries[2]!)).results).toMatchObject([{ outcome: 'saved' }]);
  });
});
