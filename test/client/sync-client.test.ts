import { beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import type { EntryOutcome } from '../../src/client/queue/outcomes.ts';
import type { RecordSyncState, SaveReceipt, SyncEngine } from '../../src/client/engine.ts';
import { createEventLog } from '../../src/client/event-log.ts';
import type { RuntimeEvent } from '../../src/client/runtime.ts';
import { createTypedClient, type SyncClient } from '../../src/client/sync-client.ts';
import type { ClientEvent } from '../../src/client/facade/client-events.ts';
import type { SyncedRecord } from '../../src/client/read/record-query.ts';
import { defineSchema, text, type Schema } from '../../src/schema.ts';
import { isFault, SyncFault } from '../../src/shared/fault.ts';
import { startFakeEngine } from '../worker/fake-engine.ts';
import { schema } from '../worker/fake-schema.ts';
import { partsWith, planFor } from '../worker/plans.ts';

function clientOf<S extends Schema>(engine: SyncEngine, of: S): SyncClient<S> {
  const log = createEventLog<RuntimeEvent>();
  log.add({ type: 'runtime:started', kind: 'in-place', skipped: [] });
  return createTypedClient({ schema: of, engine, runtime: { report: Promise.resolve({ kind: 'in-place', skipped: [] }), subscribe: log.subscribe } });
}

let engine: SyncEngine;
let client: SyncClient<typeof schema>;

beforeEach(async () => {
  engine = await startFakeEngine(planFor('u1'), partsWith());
  client = clientOf(engine, schema);
});

describe('the objects of a client', () => {
  test('give records with their id, every field of the schema, and where they stand', async () => {
    const saved = await client.objects.account.create({ name: 'St. Mary' });

    expect(await client.objects.account.get(saved.id)).toEqual({ id: saved.id, name: 'St. Mary', city: null, tags: null, rid: null, syncState: 'waiting' });
  });

  test('take an id of the host', async () => {
    const create = vi.spyOn(engine, 'create');

    await client.objects.account.create({ id: 'mine', name: 'A' });

    expect(create).toHaveBeenCalledWith('account', { name: 'A' }, 'mine');
  });

  test('save what the values were when the save was called', async () => {
    const form = { name: 'before', tags: { list: ['a'], since: null } };
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const create = vi.spyOn(engine, 'create').mockImplementation(async (_object, values) => (await held, { object: 'account', id: JSON.stringify(values), entry: 1 }));

    const saving = client.objects.account.create(form);
    form.name = 'after';
    form.tags.list.push('b');
    release();

    expect((await saving).id).toBe('{"name":"before","tags":{"list":["a"],"since":null}}');
    expect(create).toHaveBeenCalledOnce();
  });

  test('leave a field alone whose value is undefined, and take the value away with null', async () => {
    const saved = await client.objects.account.create({ name: 'A', city: 'Ghent' });
    const update = vi.spyOn(engine, 'update');

    // A form library hands over undefined for what nobody touched.
    await client.objects.account.update(saved.id, { city: undefined, name: 'B' } as { name: string });
    await client.objects.account.update(saved.id, { city: null });

    expect(update.mock.calls.map(([, , values]) => values)).toEqual([{ name: 'B' }, { city: null }]);
  });

  test('pass what cannot be copied on, for the engine to refuse', async () => {
    const create = vi.spyOn(engine, 'create');
    const odd = new Map([['a', 1]]);
    const deep: unknown[] = [];
    deep.push(deep);

    await client.objects.account.create({ name: 'A', tags: { odd, deep } as never });

    expect(create.mock.calls[0]![1]).toMatchObject({ tags: { odd } });
  });

  test('hide where a record stands behind a field of the same name', async () => {
    const own = defineSchema({ version: 1, objects: { account: { fields: { syncState: text(), name: text() } } } });
    const { account } = clientOf(engine, own).objects;

    const saved = await account.create({ syncState: 'mine', name: 'A' });

    expect((await account.get(saved.id))?.syncState).toBe('mine');
    expectTypeOf(account.get).returns.resolves.toExtend<{ readonly syncState: string | null } | null>();
  });
});

describe('the queries of a client', () => {
  test('are read once with get', async () => {
    await client.objects.account.create({ name: 'A' });
    const query = vi.spyOn(engine, 'query');

    const records = await client.objects.account.query({ where: { city: null }, orderBy: 'name', limit: 5 }).get();

    expect(records).toMatchObject([{ name: 'A', syncState: 'waiting' }]);
    expect(query).toHaveBeenCalledWith({ object: 'account', where: { city: null }, orderBy: 'name', limit: 5 });
  });

  test('are followed with subscribe', async () => {
    const heard: string[][] = [];
    client.objects.account.query().subscribe((records) => heard.push(records.map(({ name }) => name ?? '')));
    await client.objects.account.create({ name: 'A' });

    await vi.waitFor(() => expect(heard).toEqual([[], ['A']]));
  });

  test('say nothing more once the unsubscribe function has returned, even when it comes before the first answer', async () => {
    const listener = vi.fn();
    const stopped = vi.fn();
    let start: (stop: () => void) => void = () => {};
    vi.spyOn(engine, 'watchRecord').mockImplementation((_object, _id, hear) => {
      hear(null);
      return new Promise((resolve) => (start = resolve));
    });

    const unsubscribe = client.objects.account.watch('a', listener);
    unsubscribe();
    start(stopped);
    unsubscribe();

    expect(listener).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(stopped).toHaveBeenCalledOnce());
  });

  test('go on, and let others go on, when a listener throws', async () => {
    const onFault = vi.fn();
    const other = vi.fn();
    const broken = (records: readonly unknown[]) => {
      if (records.length === 1) throw new Error('the list is not there');
    };
    client.objects.account.query().subscribe(broken, { onFault });
    client.objects.account.query().subscribe(other);

    await client.objects.account.create({ name: 'A' });
    await client.objects.account.create({ name: 'B' });

    await vi.waitFor(() => expect(other).toHaveBeenLastCalledWith([expect.anything(), expect.anything()]));
    expect(onFault).toHaveBeenCalledExactlyOnceWith(new Error('the list is not there'));
  });

  test('tell a host that wants to know why they could not start', async () => {
    vi.spyOn(engine, 'watchQuery').mockRejectedValue(new SyncFault('QUERY_INVALID', 'no such field'));
    const onFault = vi.fn();

    client.objects.account.query().subscribe(() => {}, { onFault });

    await vi.waitFor(() => expect(isFault(onFault.mock.calls[0]?.[0], 'QUERY_INVALID')).toBe(true));
  });
});

describe('a client', () => {
  test('waits for an outcome until the signal says otherwise', async () => {
    const controller = new AbortController();
    const waiting = client.outcome(404, { signal: controller.signal });

    controller.abort(new Error('the person left'));

    await expect(waiting).rejects.toThrow('the person left');
    await expect(client.outcome(1, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
  });

  test('knows the outcome of a save that changed nothing', async () => {
    expect(await client.outcome(null)).toEqual({ kind: 'saved' });
    expect(await client.outcome(1, { signal: new AbortController().signal })).toEqual({ kind: 'saved' });
  });

  test('tells where it runs, also to those who ask late', async () => {
    const heard: ClientEvent[] = [];
    const stop = client.events.subscribe((event) => heard.push(event));
    await client.objects.account.create({ name: 'A' });

    await vi.waitFor(() => expect(heard.map(({ type }) => type)).toEqual(['runtime:started', 'change:queued']));
    stop();
    expect(await client.runtime).toEqual({ kind: 'in-place', skipped: [] });
  });

  test('ends its subscriptions when it is closed, once however often', async () => {
    const close = vi.spyOn(engine, 'close');
    const listener = vi.fn();
    client.status.subscribe(listener);
    await vi.waitFor(() => expect(listener).toHaveBeenCalledOnce());

    const closing = client.close();
    await engine.setLifecycle({ isOnline: false });
    await closing;
    await client.close();

    expect(close).toHaveBeenCalledOnce();
    expect(listener).toHaveBeenCalledOnce();
  });

  test('can be left to await using, where the platform knows it', async () => {
    const dispose: unknown = Reflect.get(client, Symbol.asyncDispose ?? 'none');

    expect(dispose).toBe(Symbol.asyncDispose ? client.close : undefined);
  });
});

describe('the types of a client', () => {
  const { account, call } = clientOf({} as SyncEngine, schema).objects;

  test('check what is saved', () => {
    const never = () => {
      void call.update('c', { status: 'done', minutes: 3, account: null });
      // @ts-expect-error a picklist is a union
      void call.update('c', { status: 'started' });
      // @ts-expect-error a number field
      void call.update('c', { minutes: '3' });
      // @ts-expect-error no such field
      void call.update('c', { minute: 3 });
      // @ts-expect-error owned by the server
      void call.update('c', { rank: 1 });
      // @ts-expect-error owned by the server
      void call.create({ account: 'a', number: 'C-1' });
      // @ts-expect-error required
      void call.create({ status: 'done' });
      // @ts-expect-error a required field needs a value
      void account.create({ name: null });
      // @ts-expect-error no such object
      void (undefined as unknown as SyncClient<typeof schema>).objects.order;
      void account.create({ id: 'mine', name: 'A', tags: [1, { a: null }] });
    };
    expect(never).toBeTypeOf('function');
    expectTypeOf(call.update).returns.resolves.toEqualTypeOf<SaveReceipt>();
  });

  test('know the fields of what is read', () => {
    type Call = SyncedRecord<typeof schema, 'call'>;
    expectTypeOf<Call['id']>().toEqualTypeOf<string>();
    expectTypeOf<Call['status']>().toEqualTypeOf<'planned' | 'done' | null>();
    expectTypeOf<Call['minutes']>().toEqualTypeOf<number | null>();
    expectTypeOf<Call['rank']>().toEqualTypeOf<number | null>();
    expectTypeOf<Call['syncState']>().toEqualTypeOf<RecordSyncState>();
    expectTypeOf(call.get).returns.resolves.toEqualTypeOf<Call | null>();
    expectTypeOf(call.query).returns.toHaveProperty('get');
    expectTypeOf<SyncClient['outcome']>().returns.resolves.toEqualTypeOf<EntryOutcome>();
  });

  test('check queries', () => {
    const never = () => {
      call.query({ where: { status: { in: ['done', null] }, minutes: { atLeast: 3 }, account: null }, orderBy: [{ field: 'minutes', direction: 'descending' }, 'id'] });
      account.query({ where: { name: { startsWith: 'St.' }, id: 'a' }, orderBy: 'name', limit: 50, offset: 10 });
      // @ts-expect-error no such status
      call.query({ where: { status: 'started' } });
      // @ts-expect-error no such status
      call.query({ where: { status: { in: ['started'] } } });
      // @ts-expect-error text in a number field
      call.query({ where: { minutes: { atLeast: '3' } } });
      // @ts-expect-error a number has no beginning
      call.query({ where: { minutes: { startsWith: '3' } } });
      // @ts-expect-error no such field
      call.query({ orderBy: 'minute' });
    };
    expect(never).toBeTypeOf('function');
  });

  test('let a client of one schema pass where any client will do', () => {
    const show = (any: SyncClient) => any.status;
    expectTypeOf(show).parameter(0).toEqualTypeOf<SyncClient>();
    expectTypeOf<SyncClient<typeof schema>>().toExtend<SyncClient>();
  });
});

describe('the inbox of a client', () => {
  test('asks the engine to resolve one, or many', async () => {
    const resolve = vi.spyOn(engine, 'resolve'), resolveAll = vi.spyOn(engine, 'resolveAll');
    const { syncErrors } = client;
    const values = { name: 'B', tags: ['a'] };

    await Promise.all([syncErrors.retry(1), syncErrors.keepMine(2), syncErrors.recreate(3), syncErrors.fix(4, values), syncErrors.fix(5, [{ object: 'account', id: 'a1', values }])]);
    await syncErrors.resolve('all', 'undo');

    expect(resolve.mock.calls).toEqual([[1, 'retry'], [2, 'keepMine'], [3, 'recreate'], [4, 'fix', values], [5, 'fix', [{ object: 'account', id: 'a1', values }]]]);
    expect(resolve.mock.calls[3]![2]).not.toBe(values);
    expect(resolveAll).toHaveBeenCalledWith('all', 'undo');
  });

  test('exports what was refused, and with it all that is unsent', async () => {
    const entry = (number: number, state: 'failed' | 'queued') => ({ entry: number, savedAt: 0, state, members: [], refusal: null });
    vi.spyOn(engine, 'exportEntries').mockResolvedValue([entry(1, 'failed'), entry(2, 'queued')]);

    expect(await client.syncErrors.export()).toEqual([entry(1, 'failed')]);
    expect(await client.exportUnsent()).toHaveLength(2);
  });

  test('explains a record', async () => {
    vi.spyOn(engine, 'explain').mockResolvedValue([{ code: 'offline' }]);

    expect(await client.explain('account', 'a1')).toEqual([{ code: 'offline' }]);
    expect(engine.explain).toHaveBeenCalledWith('account', 'a1');
  });
});

describe('leaving', () => {
  test.each(['signOut', 'wipe'] as const)('by %s closes the client when the engine has agreed, and only then', async (way) => {
    const leave = vi.spyOn(engine, way).mockRejectedValueOnce(new SyncFault('SIGN_OUT_UNSENT', 'there is something left'));
    const close = vi.spyOn(engine, 'close');
    const call = () => (way === 'signOut' ? client.signOut({ unsent: 'upload' }) : client.wipe({ exported: true }));

    await expect(call()).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT' });
    expect(close).not.toHaveBeenCalled();
    await call();
    expect(leave).toHaveBeenLastCalledWith(way === 'signOut' ? { unsent: 'upload' } : { exported: true });
    expect(close).toHaveBeenCalledOnce();
  });
});
