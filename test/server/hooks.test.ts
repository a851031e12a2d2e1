import { describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import type { ServerLogEvent } from '../../src/server/index.ts';
import { createWorld, settle, type TestChange } from './harness.ts';

const order: TestChange = { create: 'order', id: 'o1', values: { status: 'open' } };
const line = (id: string, quantity: number, price: string): TestChange => ({ create: 'line', id, values: { order: 'o1', quantity, price } });
const sum = (lines: readonly { readonly quantity: number | null; readonly price: string | null }[]): string =>
  String(lines.reduce((total, { quantity, price }) => total + (quantity ?? 0) * Number(price ?? 0), 0));

describe('hooks', () => {
  test('A25: beforeSave sets fields and sees the children as they will be; validate sees the result', async () => {
    const seen: unknown[] = [];
    const { device } = createWorld({
      objects: {
        order: {
          beforeSave: ({ children }) => ({ total: sum(children.line) }),
          validate: ({ next, previous, op, origin, user }) => void seen.push([op, previous?.total ?? null, next.total, user, origin]),
        },
      },
    });
    const saved = await device('ann').save(1, order, line('l1', 2, '10'), line('l2', 1, '5'));
    expect(saved.committedImages[0]).toMatchObject({ id: 'o1', version: [1, 1], values: { total: '25' } });
    expect(seen).toEqual([['create', null, '25', 'ann', { kind: 'device', store: 'ann-tablet', number: 1, savedAt: 0 }]]);
  });

  test('A30: formulas also run when only a child is saved, and the roll-up reaches the other device', async () => {
    const { device } = createWorld({ objects: { order: { formulas: ({ children }) => ({ total: sum(children.line) }) } } });
    await device('ann').save(1, order, line('l1', 2, '10'));
    const saved = await device('ann').save(2, line('l2', 1, '5'));
    expect(saved.committedImages).toMatchObject([{ id: 'l2' }, { id: 'o1', version: [1, 2], values: { total: '25' } }]);
    expect((await device('ann', 'ann-phone').poll(null))!.saves.at(-1)!.images).toMatchObject([{ id: 'l2' }, { id: 'o1', values: { total: '25' } }]);
    expect((await device('ann').save(3, { remove: 'line', id: 'l1', was: { quantity: 2 } })).committedImages).toMatchObject([{ state: 'deleted' }, { values: { total: '5' } }]);
  });

  test('A25, A30: afterSave writes other records in the same transaction; they are in the answer and on the feed', async () => {
    const { device } = createWorld({
      objects: {
        line: {
          async afterSave({ next, write, records }) {
            const parent = next && (await records.get('order', next.order!));
            if (parent?.account) await write.update('account', parent.account, { label: `sold ${next!.product}` });
            await write.create('account', { id: `log-${next!.id}`, name: 'log' });
          },
        },
      },
    });
    await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    const saved = await device('ann').save(2, { create: 'order', id: 'o1', values: { account: 'a1' } }, { create: 'line', id: 'l1', values: { order: 'o1', product: 'P' } });
    expect(saved.committedImages).toMatchObject([{ id: 'o1' }, { id: 'l1' }, { id: 'a1', version: [1, 2], values: { label: 'sold P' } }, { id: 'log-l1', values: { number: 'A-000002' } }]);
    expect((await device('ann').poll(null))!.saves[1]!.images).toHaveLength(4);
  });

  test('A26: what a hook refuses is refused with its class, field and code, and nothing is written', async () => {
    const { device } = createWorld({
      objects: {
        account: {
          allow: ({ op, fields }) => (op === 'remove' ? refuse(null, 'no-deletes', 'Ask your admin') : !fields.includes('staff') || op === 'create'),
          beforeSave: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'unknown-city') : undefined),
          validate: ({ next }) => (next.tier === 'C' ? refuse('tier', 'no-tier-c') : undefined),
          afterSave: ({ next }) => (next?.name === 'late' ? refuse('name', 'too-late') : undefined),
        },
      },
    });
    const tablet = device('ann');
    await tablet.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    const edit = (to: Record<string, unknown>): TestChange => ({ update: 'account', id: 'a1', from: 'name' in to ? { name: 'St. Mary' } : {}, to });
    const cases: readonly (readonly [TestChange, string, string, readonly string[]])[] = [
      [{ remove: 'account', id: 'a1' }, 'permission', 'no-deletes', []],
      [edit({ staff: 3 }), 'permission', 'permission', []],
      [edit({ city: 'Nowhere' }), 'validation', 'unknown-city', ['city']],
      [edit({ tier: 'C' }), 'validation', 'no-tier-c', ['tier']],
      [edit({ name: 'late' }), 'validation', 'too-late', ['name']],
    ];
    for (const [index, [change, refusalClass, code, fields]] of cases.entries()) {
      const result = await tablet.save(index + 2, change);
      expect(result).toMatchObject({ outcome: 'refused', class: refusalClass, refusal: { code, fields }, onlineImage: { version: [1, 1] } });
    }
    expect((await tablet.hello()).server.head).toBe(1);
  });

  test('A17: a hook that throws makes its entry alone wait, without a receipt, and says nothing of itself', async () => {
    const log: ServerLogEvent[] = [];
    let isBroken = true;
    const { device } = createWorld({
      log: (event) => log.push(event),
      objects: { account: { validate: ({ next }) => { if (isBroken && next.name === 'bad') throw new Error('secret of the host'); } } },
    });
    const entries = [
      { number: 1, changes: [{ create: 'account', id: 'a1', values: { name: 'good' } } as const] },
      { number: 2, changes: [{ create: 'account', id: 'a2', values: { name: 'bad' } } as const] },
      { number: 3, changes: [{ create: 'account', id: 'a3', values: { name: 'good' } } as const] },
    ];
    const { results } = await device('ann').upload(...entries);
    expect(results.map(({ outcome }) => outcome)).toEqual(['saved', 'tryLater', 'saved']);
    expect(JSON.stringify(results)).not.toContain('secret');
    expect(log).toMatchObject([{ event: 'hook:failed', message: 'validate of account failed' }]);
    isBroken = false;
    expect((await device('ann').upload(...entries)).results.map(({ outcome }) => outcome)).toEqual(['saved', 'saved', 'saved']);
  });

  test('a hook that sets what it may not set, or no value of the type, is broken', async () => {
    for (const patch of [{ nothing: 1 }, { number: 'A-1' }, { staff: 'many' }]) {
      const { device } = createWorld({ objects: { account: { beforeSave: () => patch as object } } });
      expect((await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'x' } })).outcome).toBe('tryLater');
      expect((await device('ann').record('account', 'a1')).images).toEqual([]);
    }
  });

  test('A25: a hook that hangs is given up after its time; what it does later changes nothing', async () => {
    let goOn = (): void => {};
    const late: unknown[] = [];
    const { device, clock } = createWorld({
      hookTimeoutMs: 5_000,
      objects: {
        account: {
          async afterSave({ write, next }) {
            if (next?.name !== 'slow') return;
            await new Promise<void>((resolve) => (goOn = resolve));
            await write.create('account', { id: 'late', name: 'late' }).catch((thrown: unknown) => late.push(thrown));
          },
        },
      },
    });
    const answer = device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'slow' } });
    await settle();
    await clock.advance(4_999);
    await clock.advance(1);
    expect((await answer).outcome).toBe('tryLater');
    goOn();
    await settle();
    expect(late).toHaveLength(1);
    expect((await device('bob').snapshot())[0]!.images).toEqual([]);
    expect((await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'quick' } })).outcome).toBe('saved');
  });

  test('hooks are not asked about a change that is online already', async () => {
    let calls = 0;
    const { device } = createWorld({ objects: { account: { beforeSave: () => void calls++ } } });
    await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'x' } });
    await device('ann').save(2, { update: 'account', id: 'a1', from: { name: 'y' }, to: { name: 'x' } });
    expect(calls).toBe(1);
  });

  test('an online save runs the same hooks, names its origin, and may be refused', async () => {
    const origins: string[] = [];
    const { server, device } = createWorld({
      objects: { account: { validate: ({ origin, next }) => { origins.push(origin.kind); return next.tier === 'C' ? refuse('tier', 'no') : undefined; } } },
    });
    const saved = await server.online.save([{ op: 'create', object: 'account', id: 'a1', values: { name: 'x' } }]);
    expect(saved).toMatchObject({ kind: 'saved', records: [{ id: 'a1', values: { name: 'x', number: 'A-000001' } }] });
    expect(await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { tier: 'C' } }])).toMatchObject({ kind: 'refused', refusal: { class: 'validation', fields: ['tier'] } });
    expect(await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { name: 'z' }, previous: { name: 'y' } }])).toMatchObject({ kind: 'refused', refusal: { class: 'conflict' } });
    expect(origins).toEqual(['online', 'online']);
    expect((await device('ann').hello()).server.head).toBe(0);
    expect(await server.online.get('account', 'a1')).toMatchObject({ version: [1, 1] });
    await server.online.save([{ op: 'remove', object: 'account', id: 'a1' }]);
    expect([await server.online.get('account', 'a1'), await server.online.list('account')]).toEqual([null, []]);
    await expect(server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { label: 'x' } }])).rejects.toMatchObject({ code: 'FIELD_SERVER_OWNED' });
  });
});
