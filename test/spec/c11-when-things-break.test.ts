import { afterEach, describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage, type CommitFate } from '../../src/testing/faulty-storage.ts';
import type { Change } from '../../src/client/queue/transaction.ts';
import type { Resolution } from '../../src/client/inbox/sync-error.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { readAll } from '../support/stores.ts';
import { createWorld, type World } from '../support/world.ts';

const OFFLINE = { isOnline: false, isForeground: true };
const objects = Object.keys(schema.objects);
const order = (lines: number): Change[] => [
  { op: 'create', object: 'order', id: 'o1' },
  ...Array.from({ length: lines }, (_, index): Change => ({ op: 'create', object: 'line', id: `l${index}`, values: { order: 'o1', product: 'gauze', quantity: 1 } })),
];

let world: World<typeof schema>;
afterEach(() => world.close());

describe('C11: a storage that fails in the middle', () => {
  test.each([['full', 'STORAGE_FULL'], ['fail', 'STORAGE_FAILED']] as const)('of a save (%s) refuses it with %s: not one record of the group is there, and the next save works', async (fate, code) => {
    world = createWorld(schema);
    let next: CommitFate = 'done';
    const inner = memory();
    const { engine } = await world.device('ann', { storage: faultyStorage(inner, { decide: () => next }), lifecycle: OFFLINE });
    await engine.create('account', { name: 'before' });
    const before = await readAll(inner, objects);
    next = fate;
    await expect(engine.save(order(3))).rejects.toMatchObject({ code });
    next = 'done';
    expect(await readAll(inner, objects)).toEqual(before);
    expect(await engine.status()).toMatchObject({ pending: 1 });
    expect(await engine.query({ object: 'line' })).toEqual([]);
    await engine.save(order(3));
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.list('line')).toHaveLength(3);
  });

  test('of taking an answer in loses nothing: the same is asked again, and saved once', async () => {
    world = createWorld(schema);
    let isFull = false;
    const { engine, events } = await world.device('ann', { storage: faultyStorage(memory(), { decide: ({ commit }) => (isFull && (commit.removeState ?? []).some((key) => key.startsWith('queue/')) ? 'full' : 'done') }) });
    isFull = true;
    const { entry } = await engine.save(order(2));
    await engine.exchange();
    expect(await engine.status()).toMatchObject({ pending: 1, syncErrors: 0, lastFault: { code: 'STORAGE_FULL' } });
    isFull = false;
    await engine.exchange();
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('order', 'o1'))?.version[1]).toBe(1);
    expect(events.filter(({ type }) => type === 'upload:accepted')).toHaveLength(3); // one per record
  });

  test.each(['undo', 'retry', 'fix'] as const)('of resolving a sync error (%s) leaves it as it was', async (action: Resolution) => {
    world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined) } } });
    let next: CommitFate = 'done';
    const inner = memory();
    const { engine } = await world.device('ann', { storage: faultyStorage(inner, { decide: () => next }) });
    const bad = await engine.create('account', { name: 'x', city: 'Nowhere' });
    await engine.exchange();
    const [error] = await engine.listSyncErrors();
    const before = await readAll(inner, objects);
    next = 'full';
    await expect(engine.resolve(bad.entry!, action, { city: 'Ghent' })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await engine.resolveAll('all', action === 'fix' ? 'retry' : action)).toMatchObject([{ kind: 'failed', fault: { code: 'STORAGE_FULL' } }]);
    next = 'done';
    expect(await readAll(inner, objects)).toEqual(before);
    expect(await engine.listSyncErrors()).toEqual([error]);
    await engine.resolve(bad.entry!, action, { city: 'Ghent' });
  });

  test.each(['crash-before', 'crash-after'] as const)('A26: a fix that is cut off (%s) has happened or has not, and what it replaces is in the journal if it has', async (fate) => {
    world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined) } } });
    const inner = memory();
    let next: CommitFate = 'done';
    const { engine } = await world.device('ann', { storage: faultyStorage(inner, { decide: () => next }) });
    const bad = await engine.create('account', { name: 'x', city: 'Nowhere' }, 'a1');
    await engine.exchange();
    await engine.setLifecycle(OFFLINE);
    next = fate;
    await expect(engine.resolve(bad.entry!, 'fix', { city: 'Ghent' })).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    const after = await world.device('ann', { storage: inner, lifecycle: OFFLINE });
    const hasHappened = fate === 'crash-after';
    expect(await after.engine.status()).toMatchObject(hasHappened ? { pending: 1, syncErrors: 0 } : { pending: 0, syncErrors: 1 });
    expect(await after.engine.readJournal()).toHaveLength(hasHappened ? 1 : 0);
    expect((await after.engine.get('account', 'a1'))?.values.city).toBe(hasHappened ? 'Ghent' : 'Nowhere');
  });
});

describe('C11: a server that', () => {
  test('has a hook that throws decides nothing: the save stays, and goes up when the hook is mended', async () => {
    let isBroken = true;
    world = createWorld(schema, { objects: { line: { validate: () => { if (isBroken) throw new TypeError('a bug of the host'); } } } });
    const { engine } = await world.device('ann');
    const { entry } = await engine.save(order(2));
    await engine.exchange();
    expect(await engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    expect(await world.server.online.list('order')).toEqual([]);
    isBroken = false;
    await world.clock.advance(10_000);
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('hears another user’s ids says nothing of them, and the change waits for its user as a sync error', async () => {
    const seen = ({ user }: { user: string }, { values }: { values: Readonly<Record<string, unknown>> }) => values.city !== 'secret' || user === 'bob';
    world = createWorld(schema, { canSee: seen as never });
    await world.server.online.save([{ op: 'create', object: 'account', id: 'b1', values: { name: 'of bob', city: 'secret' } }]);
    const { engine } = await world.device('ann');
    const guess = await engine.create('account', { name: 'mine' }, 'b1');
    await engine.exchange();
    const [error] = await engine.listSyncErrors();
    expect(error).toMatchObject({ id: guess.entry, recordId: 'b1' });
    expect(JSON.stringify(error)).not.toContain('of bob');
    expect((await world.server.online.get('account', 'b1'))?.values).toMatchObject({ name: 'of bob' });
    await engine.undo(error!.id);
    expect(await engine.get('account', 'b1')).toBeNull();
  });

  test('takes smaller groups than this one is known to: the save is refused at once and whole; a server that only says so later makes a sync error', async () => {
    world = createWorld(schema, { limits: { members: 5 } });
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    const early = await engine.save(order(9));
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    expect(await engine.listSyncErrors()).toMatchObject([{ id: early.entry, class: 'too-large', members: Array.from({ length: 10 }, () => ({ op: 'create' })) }]);
    await engine.undo(early.entry!);
    await expect(engine.save(order(9))).rejects.toMatchObject({ code: 'CHANGE_TOO_LARGE' });
    expect(await engine.query({ object: 'line' })).toEqual([]);
    expect(await engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
  });
});
