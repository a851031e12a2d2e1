import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import { defineSchema, text, type Schema } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Storage, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import type { EnginePlan } from '../../src/worker/engine-start.ts';
import { startTab } from '../../src/worker/tabs/start-tab.ts';
import { FakeOrigin, type FakeTab } from '../support/fake-origin.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text() } } } });
/** Longer than a tab waits for a leader that says nothing. */
const SILENCE_MS = 30_000;

interface OpenTab {
  readonly engine: SyncEngine;
  readonly tab: FakeTab;
  /** The engines that this tab has opened itself. */
  readonly own: TestDevice[];
  readonly roles: string[];
}

let world: World<typeof schema>;
let origin: FakeOrigin;
let disk: StorageAdapter;
/** What commits wait for. */
let gate: () => Promise<void>;
const open: OpenTab[] = [];

beforeEach(() => {
  world = createWorld(schema);
  origin = new FakeOrigin(world.clock);
  disk = memory();
  gate = async () => {};
});

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ engine, tab }) => (tab.isDead ? null : engine.close())));
  await world.close();
});

/** A store that a frozen tab does not get on with, and a dead one never hears from again. */
function storeOf(tab: FakeTab): StorageAdapter {
  return {
    async open(owner) {
      const storage = await disk.open(owner);
      const whenRunning = <K extends keyof Storage>(name: K) => async (...args: never[]) => {
        await tab.running();
        if (name === 'commit') await gate();
        const answer = await (storage[name] as (...given: never[]) => Promise<unknown>)(...args);
        await tab.running();
        return answer;
      };
      const names = ['readRecords', 'scanRecords', 'scanState', 'commit'] as const;
      return { ...Object.fromEntries(names.map((name) => [name, whenRunning(name)])), close: () => storage.close() } as unknown as Storage;
    },
  };
}

async function openTab({ isOnline = true, isForeground = true, of = schema as Schema, atOnce = (_engine: SyncEngine): void => {}, starting = Promise.resolve(), start = startTab } = {}): Promise<OpenTab> {
  const tab = origin.tab();
  const own: TestDevice[] = [];
  const plan: EnginePlan = { schema: of, tenant: '', user: 'ann', lifecycle: { isOnline, isForeground }, http: null, storage: null };
  const parts = { storage: storeOf(tab), transport: { send: () => Promise.reject(new TypeError('not used')) } };
  const engine = await start(plan, parts, tab.ground, async ({ lifecycle }, { storage }) => {
    await starting;
    const device = await world.device('ann', { storage, lifecycle });
    device.intercept(async (request, send) => {
      await tab.running();
      return send(request);
    });
    own.push(device);
    return device.engine;
  });
  atOnce(engine);
  const roles: string[] = [];
  await engine.watchEvents((event: SyncEvent) => event.type === 'tab:role-taken' && roles.push(event.role));
  const opened = { engine, tab, own, roles };
  open.push(opened);
  return opened;
}

const feedPolls = ({ own }: OpenTab): number => own.flatMap(({ requests }) => requests).filter(({ path }) => path.startsWith('feed')).length;
const names = async (engine: SyncEngine): Promise<unknown[]> => (await engine.query({ object: 'account' })).map(({ values }) => values.name).sort();

describe('tabs of one profile', () => {
  test('C10: are one client: what one saves the others see at once, and one of them sends it, once', async () => {
    const first = await openTab();
    const second = await openTab();
    const seen: unknown[][] = [];
    await first.engine.watchQuery({ object: 'account' }, (records) => seen.push(records.map(({ values }) => values.name)));

    const { id, entry } = await second.engine.create('account', { name: 'St. Mary' });
    expect(await second.engine.outcome(entry!)).toEqual({ kind: 'saved' });

    await vi.waitFor(() => expect(seen.at(-1)).toEqual(['St. Mary']));
    expect(await first.engine.get('account', id)).toMatchObject({ values: { name: 'St. Mary' }, syncState: 'synced' });
    expect((await world.server.online.get('account', id))?.version).toEqual([1, 1]);
    expect([first.own.length, second.own.length]).toEqual([1, 0]);
    expect([first.roles, second.roles]).toEqual([['leader'], ['follower']]);
  });

  test('C10: give their faults to whoever called, with code, details and cause', async () => {
    await openTab();
    const { engine } = await openTab();

    await expect(engine.create('account', { nothing: 1 })).rejects.toMatchObject({ name: 'SyncFault', code: 'FIELD_UNKNOWN' });
    await expect(engine.create('account', { name: (() => {}) as never })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
  });

  test('C10: when the one that leads is closed, the next in line goes on with queue and watches', async () => {
    const first = await openTab({ isOnline: false });
    const [second, third] = [await openTab({ isOnline: false }), await openTab({ isOnline: false })];
    const seen: number[] = [];
    await third.engine.watchQuery({ object: 'account' }, (records) => seen.push(records.length));
    const waiting = second.engine.outcome((await second.engine.create('account', { name: 'by the second' })).entry!);
    await first.engine.create('account', { name: 'by the first' });

    await first.engine.close();
    await third.engine.create('account', { name: 'by the third' });

    await vi.waitFor(() => expect(seen.at(-1)).toBe(3));
    expect(second.roles).toEqual(['follower', 'leader']);
    await third.engine.setLifecycle({ isOnline: true });
    expect(await waiting).toEqual({ kind: 'saved' });
    expect(await third.engine.exchange()).toMatchObject({ pending: 0 });
    expect(await world.server.online.list('account')).toHaveLength(3);
  });

  test('C10: a save that the leader had not begun when it closed is made by the next, once', async () => {
    const first = await openTab({ isOnline: false });
    const second = await openTab({ isOnline: false });
    await openTab({ isOnline: false });
    await second.engine.query({ object: 'account' });

    const closing = first.engine.close();
    const saves = ['a', 'b', 'c'].map((name) => second.engine.create('account', { name }));
    await closing;

    expect(await Promise.all(saves)).toHaveLength(3);
    expect(await names(second.engine)).toEqual(['a', 'b', 'c']);
  });

  test('C10: what a leader refuses because it is closing is asked of the next', async () => {
    const first = await openTab({ isOnline: false });
    const second = await openTab({ isOnline: false });
    await second.engine.query({ object: 'account' });
    let openGate = (): void => {};
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const isOpen = new Promise<void>((resolve) => (openGate = resolve));
    gate = () => (reach(), isOpen);
    const last = first.engine.create('account', { name: 'the last of the first' });
    await reached;

    const closing = first.engine.close();
    const heard = vi.spyOn(first.own[0]!.engine, 'create');
    const save = second.engine.create('account', { name: 'meanwhile' });
    const read = second.engine.query({ object: 'account' });
    save.catch(() => {});
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce());
    openGate();
    await Promise.all([last, closing]);

    await save;
    expect((await read).map(({ values }) => values.name)).toContain('the last of the first');
    expect(await names(second.engine)).toEqual(['meanwhile', 'the last of the first']);
  });

  test('C10: when the leader dies, reads are made again, and a save that it did not answer is not made twice unseen', async () => {
    const first = await openTab({ isOnline: false });
    const second = await openTab({ isOnline: false });
    const third = await openTab({ isOnline: false });
    await third.engine.create('account', { name: 'before' });

    first.tab.freeze();
    const save = third.engine.create('account', { name: 'meanwhile' });
    const read = third.engine.query({ object: 'account' });
    first.tab.die();

    await expect(save).rejects.toMatchObject({ code: 'TAB_LEADER_LOST' });
    expect((await read).map(({ values }) => values.name)).toEqual(['before']);
    expect(second.roles).toEqual(['follower', 'leader']);
    await third.engine.create('account', { name: 'after' });
    expect(await names(second.engine)).toEqual(['after', 'before']);
  });

  test('C10: a leader that froze loses the store to the next, can write no more, and follows when it wakes', async () => {
    const first = await openTab({ isOnline: false });
    const second = await openTab({ isOnline: false });
    const seen: number[] = [];
    await first.engine.watchQuery({ object: 'account' }, (records) => seen.push(records.length));
    first.tab.freeze();
    const asleep = first.engine.create('account', { name: 'while asleep' });

    await world.clock.advance(SILENCE_MS);
    await second.engine.create('account', { name: 'by the second' });
    expect(second.roles).toEqual(['follower', 'leader']);
    first.tab.thaw();
    await asleep;

    expect(first.roles).toEqual(['leader', 'follower']);
    expect(await names(first.engine)).toEqual(['by the second', 'while asleep']);
    await vi.waitFor(() => expect(seen.at(-1)).toBe(2));
    expect((await first.engine.status()).lastFault).toBeNull();
    expect((await second.engine.status()).pending).toBe(2);
  });

  test('C10: what a tab watched ends with the tab', async () => {
    const first = await openTab();
    const { engine, tab } = await openTab();
    const stopped = vi.fn();
    const leader = first.own[0]!.engine;
    const watchQuery = leader.watchQuery.bind(leader);
    leader.watchQuery = async (query, listener) => {
      const stop = await watchQuery(query, listener);
      return () => (stopped(), stop());
    };
    await engine.watchQuery({ object: 'account' }, () => {});
    expect(stopped).not.toHaveBeenCalled();

    tab.die();

    await vi.waitFor(() => expect(stopped).toHaveBeenCalledOnce());
  });

  test('C10, A36: what a tab had open is closed when the tab is gone', async () => {
    const first = await openTab();
    const { engine, tab } = await openTab();
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.watchHandle('account', id, 'view', () => {});
    const typesOf = () => first.own[0]!.events.map(({ type }) => type);
    expect(typesOf()).toContain('handle:opened');
    expect(typesOf()).not.toContain('handle:closed');

    tab.die();

    await vi.waitFor(() => expect(typesOf()).toContain('handle:closed'));
  });

  test('C10, A36: what a tab has open ends with the tab that leads, and is never taken for what another tab has open', async () => {
    const first = await openTab({ isOnline: false });
    const [second, third] = [await openTab({ isOnline: false }), await openTab({ isOnline: false })];
    const { id } = await third.engine.create('account', { name: 'St. Mary' });
    const { id: other } = await third.engine.create('account', { name: 'of another tab' });
    const handles: number[] = [];
    await third.engine.watchHandle('account', id, 'edit', ({ handle }) => handles.push(handle));
    await first.engine.close();
    await second.engine.watchHandle('account', other, 'edit', ({ handle }) => handles.push(handle));
    await vi.waitFor(() => expect(handles).toHaveLength(2));

    await expect(third.engine.handle({ kind: 'update', handle: handles[0]!, values: { name: 'not this one' } })).rejects.toMatchObject({ code: 'HANDLE_CLOSED' });

    expect(await names(third.engine)).toEqual(['St. Mary', 'of another tab']);
    await second.engine.handle({ kind: 'update', handle: handles.at(-1)!, values: { name: 'mine' } });
    expect(await names(third.engine)).toEqual(['St. Mary', 'mine']);
  });

  test('C10, A16: poll as long as one of them is in front', async () => {
    const first = await openTab();
    const second = await openTab();
    await first.engine.exchange();
    const before = feedPolls(first);

    await first.engine.setLifecycle({ isForeground: false });
    await second.engine.status();
    await world.clock.advance(120_000);
    const inFront = feedPolls(first);
    expect(inFront).toBeGreaterThan(before);

    await second.engine.setLifecycle({ isForeground: false });
    await second.engine.status();
    await world.clock.advance(600_000);
    expect(feedPolls(first)).toBeLessThanOrEqual(inFront + 1);
  });

  test('C10, C11: a sign-out in one is a sign-out in all', async () => {
    const first = await openTab();
    const [second, third] = [await openTab(), await openTab()];

    await second.engine.signOut({ unsent: 'keep' });

    await vi.waitFor(async () => expect(await third.engine.status().catch((fault: unknown) => fault)).toMatchObject({ code: 'CLIENT_CLOSED' }));
    await vi.waitFor(async () => expect(await first.engine.status().catch((fault: unknown) => fault)).toMatchObject({ code: 'CLIENT_CLOSED' }));
    expect([second.own.length, third.own.length]).toEqual([0, 0]);
    const fourth = await openTab();
    await fourth.engine.create('account', { name: 'signed in again' });
    expect(fourth.own).toHaveLength(1);
  });

  test('C10, C11: a sign-out in one that has only just opened the store is one in all that wait for it', async () => {
    let tellWaiting = (): void => {};
    const starting = new Promise<void>((resolve) => (tellWaiting = resolve));
    // Its own copy of the code: the file with which it works for others is on its way when the user signs out.
    vi.resetModules();
    const { startTab: startFresh } = await import('../../src/worker/tabs/start-tab.ts');
    const stores = vi.spyOn(disk, 'open');
    let waiting: SyncEngine | undefined, left: Promise<unknown> | undefined;
    await Promise.all([
      openTab({
        starting,
        start: startFresh,
        atOnce(engine) {
          left = engine.signOut({ unsent: 'keep' }).then(() => engine.close());
        },
      }),
      openTab({
        atOnce(engine) {
          waiting = engine;
          tellWaiting();
        },
      }).catch(() => {}), // it may be ended in the middle of it
    ]);

    await left;
    await world.clock.advance(SILENCE_MS);
    await vi.waitFor(async () => expect(await waiting!.status().catch((fault: unknown) => fault)).toMatchObject({ code: 'CLIENT_CLOSED' }));
    expect(stores).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['a newer version of the app takes the store over from an older one', 1, 2, ['CLIENT_TAKEN_OVER', null]],
    ['an older version of the app leaves the store to a newer one', 2, 1, [null, 'CLIENT_TAKEN_OVER']],
  ] as const)('C10: %s', async (_what, before, after, faults) => {
    const versionOf = (version: number): Schema => ({ ...schema, version, hash: `${schema.hash}-${version}` });
    const first = await openTab({ of: versionOf(before) });
    const second = await openTab({ of: versionOf(after) }).catch(() => null);

    const codeOf = (tab: OpenTab | null) => (tab === null ? 'CLIENT_TAKEN_OVER' : tab.engine.create('account', { name: 'St. Mary' }).then(() => null, ({ code }: { code: string }) => code));

    await vi.waitFor(async () => expect([await codeOf(first), await codeOf(second)]).toEqual(faults));
  });
});
