import { afterEach, describe, expect, test } from 'vitest';
import type { DraftInfo } from '../../src/client/drafts/draft.ts';
import type { SaveReceipt } from '../../src/client/engine.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StoreOwner } from '../../src/storage/storage-adapter.ts';
import { drain } from '../support/manual-clock.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { coalesce: 'never', fields: { name: text({ required: true }), note: text() } } } });

let world: Omit<World<typeof schema>, 'schema'>;
afterEach(() => world.close());

/** What the simulator has found, each as small as it gets. */
describe('found by simulation', () => {
  test('C5: of several waiting edits only the next one is rebased, even where a later one began from the same value', async () => {
    // A trigger makes something else of a note each time, so every edit that waits has to be rebased.
    let saves = 0;
    world = createWorld(schema, { objects: { account: { beforeSave: ({ next, previous }) => (next.note === (previous?.note ?? null) ? undefined : { note: `${next.note} ${++saves}` }) } } });
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    await engine.setLifecycle({ isOnline: false });
    for (const note of ['b', 'c', 'b', 'd']) await engine.update('account', id, { note });
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', id))?.values.note).toBe('d 4');
  });

  test('C8: an edit that takes back what a form saved over an unseen edit is sent, not left out with it', async () => {
    world = createWorld(defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), note: text() } } } }));
    const { engine, intercept } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')));
    const seen = (await engine.get('account', id))!.values;
    await engine.update('account', id, { note: 'first' });
    await engine.exchange().catch(() => {});
    await engine.update('account', id, { note: 'by the form' }, seen);
    await engine.update('account', id, { note: null });
    expect((await engine.get('account', id))?.values.note).toBeNull();
  });

  test.each(['form', 'draft'] as const)('C8: an edit that takes back what a %s saved over an unseen edit that is online by then is sent, not left out with it', async (by) => {
    world = createWorld(defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), note: text() } } } }));
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    const seen = (await engine.get('account', id))!.values;
    const draft = by === 'draft' ? ((await engine.draft({ kind: 'open', object: 'account', id })) as DraftInfo).id : null;
    if (draft !== null) await engine.draft({ kind: 'change', draft, op: 'update', object: 'account', values: { note: 'by the draft' } });
    await engine.update('account', id, { note: 'first' });
    await engine.exchange();
    await engine.setLifecycle({ isOnline: false });
    if (draft !== null) await engine.draft({ kind: 'save', draft });
    else await engine.update('account', id, { note: 'by the form' }, seen);
    await engine.update('account', id, { note: null });
    expect((await engine.get('account', id))?.values.note).toBeNull();
    expect(await engine.status()).toMatchObject({ pending: 2 });
  });

  test('B3: a record that left while a change of it could not be sent leaves the device with that change', async () => {
    let isBroken = true;
    world = createWorld(schema, {
      canSee: ({ user }, { values }) => user !== 'ann' || values.note !== 'gone',
      objects: { account: { allow: () => { if (isBroken) throw new Error('not now'); return true; } } },
    });
    isBroken = false;
    const { engine, intercept } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    isBroken = true;
    const { entry } = await engine.update('account', id, { name: 'St. Maria' });
    await engine.exchange();
    isBroken = false;
    await world.server.online.save([{ op: 'update', object: 'account', id, values: { note: 'gone' } }]);
    await engine.download();
    expect((await engine.get('account', id))?.values.name).toBe('St. Maria');
    await world.clock.advance(60_000);
    await engine.exchange();
    expect(await engine.outcome(entry!)).toMatchObject({ kind: 'refused' });
    intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')));
    await engine.undo(entry!);
    expect(await engine.get('account', id)).toBeNull();
  });

  test('B3: the same where the device knows the record only as an image kept aside', async () => {
    world = createWorld(schema);
    const { engine, intercept } = await world.device('ann');
    const other = await world.device('ann');
    await engine.exchange();
    await engine.setLifecycle({ isOnline: false });
    await engine.create('account', { name: 'St. Mary' }, 'st-mary');
    await other.engine.create('account', { name: 'Another' }, 'st-mary');
    await other.engine.exchange();
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ syncErrors: 1 });
    await world.server.online.save([{ op: 'remove', object: 'account', id: 'st-mary' }]);
    await engine.download();
    intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')));
    const [error] = await engine.listSyncErrors();
    await engine.undo(error!.id);
    expect(await engine.get('account', 'st-mary')).toBeNull();
  });

  test('B3: what the device saves while the first page of a download is under way stays', async () => {
    world = createWorld(schema);
    const { engine, intercept } = await world.device('ann');
    await engine.exchange();
    let id = '';
    intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path !== 'snapshot') return answer;
      intercept(null);
      const saved = await engine.create('account', { name: 'St. Mary' });
      await engine.outcome(saved.entry!);
      id = saved.id;
      return answer;
    });
    await engine.download();
    expect((await engine.get('account', id))?.values.name).toBe('St. Mary');
  });

  test('B3: what the device hears of while the first page is on its way leaves again, if the page is the newer of the two', async () => {
    world = createWorld(schema);
    const { engine, intercept } = await world.device('ann');
    await world.server.online.save([{ op: 'create', object: 'account', id: 'st-mary', values: { name: 'St. Mary' } }]);
    await engine.exchange();
    intercept(async (request, send) => {
      if (request.path === 'snapshot') {
        expect(await engine.fetch('account', 'st-mary')).toMatchObject({ values: { name: 'St. Mary' } });
        await world.server.online.save([{ op: 'remove', object: 'account', id: 'st-mary' }]);
      }
      return send(request);
    });
    await engine.download();
    expect(await engine.get('account', 'st-mary')).toBeNull();
  });

  test('closing twice waits twice: the store is free when either answers', async () => {
    world = createWorld(schema);
    const adapter = memory();
    let isFree = false;
    const open = async (owner: StoreOwner) => {
      const storage = await adapter.open(owner);
      const close = storage.close.bind(storage);
      return Object.assign(storage, { close: () => close().then(() => void (isFree = true)) });
    };
    const { engine } = await world.device('ann', { storage: { open } });
    void engine.close();
    await engine.close();
    expect(isFree).toBe(true);
  });

  test('C10: a save of the tab that was there first is not overwritten by the tab that takes over', async () => {
    world = createWorld(schema);
    const adapter = memory();
    const { engine: first } = await world.device('ann', { storage: adapter });
    await first.setLifecycle({ isOnline: false });
    // The first tab saves at the moment at which the second one looks at the store.
    let saving: Promise<SaveReceipt> | null = null;
    const open = async (owner: StoreOwner) => {
      const storage = await adapter.open(owner);
      const scanState = storage.scanState.bind(storage);
      return Object.assign(storage, {
        async scanState(range: Parameters<typeof scanState>[0]) {
          const rows = await scanState(range);
          saving ??= first.create('account', { name: 'St. Mary' });
          await saving.catch(() => {});
          return rows;
        },
      });
    };
    const { engine: second } = await world.device('ann', { storage: { open }, lifecycle: { isOnline: false, isForeground: true } });
    const saved = await saving!.catch(() => null);
    const other = await second.create('account', { name: 'St. Anne' });
    expect(other.entry).not.toBe(saved?.entry);
    expect(await second.query({ object: 'account' })).toHaveLength(saved === null ? 1 : 2);
    expect(await second.status()).toMatchObject({ pending: saved === null ? 1 : 2 });
  });

  test('C10: a tab that lost the store says so, where the newer tab wrote rows in a layout that it has never seen', async () => {
    world = createWorld(schema);
    const storage = memory();
    await world.server.online.save([{ op: 'create', object: 'account', id: 'st-mary', values: { name: 'St. Mary' } }]);
    const { engine: first } = await world.device('ann', { storage, lifecycle: { isOnline: false, isForeground: true } });
    const { engine: second } = await world.device('ann', { storage });
    await second.download();
    await expect(first.get('account', 'st-mary')).rejects.toMatchObject({ code: 'CLIENT_TAKEN_OVER' });
    await expect(first.query({ object: 'account' })).rejects.toMatchObject({ code: 'CLIENT_TAKEN_OVER' });
  });

  test('B13: a refused edit of a record that the user has deleted since cannot become a new record', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    await world.server.online.save([{ op: 'remove', object: 'account', id }]);
    const { entry } = await engine.update('account', id, { note: 'closed' });
    await engine.exchange();
    await engine.remove('account', id);
    await expect(engine.resolve(entry!, 'recreate')).rejects.toMatchObject({ code: 'SYNC_ERROR_ACTION_UNAVAILABLE' });
    expect(await engine.undo(entry!)).toMatchObject({ entries: [entry, entry! + 1] });
    expect(await engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
  });

  test('A37: what a draft keeps as it was is closed once it is known to be submitted, and does not become one copy after another', async () => {
    const calls = defineSchema({
      version: 1,
      objects: { call: { mode: 'override', submitted: { field: 'status', values: ['submitted'], elsewhere: 'duplicate' }, fields: { status: text(), note: text() } } },
    });
    const office = createWorld(calls);
    try {
      const [{ engine: first }, { engine: second }] = [await office.device('ann'), await office.device('ann')];
      const { id } = await first.create('call', { note: 'asked' });
      await first.exchange();
      await second.exchange();
      const draft = await second.draft({ kind: 'open', object: 'call', id });
      await first.update('call', id, { status: 'submitted' });
      await first.exchange();
      await second.exchange();
      await expect(second.update('call', id, { note: 'asked twice' })).rejects.toMatchObject({ code: 'RECORD_CHANGED_ELSEWHERE' });
      await second.draft({ kind: 'discard', draft: 'id' in draft ? draft.id : '' });
      expect((await second.get('call', id))?.values.status).toBe('submitted');
      expect(await office.server.online.list('call')).toHaveLength(1);
    } finally {
      await office.close();
    }
  });

  test('C8: a value that the user takes from online after keeping another against it is shown as entered', async () => {
    const notes = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), note: text() } } } });
    const joined = createWorld(notes);
    try {
      const { engine } = await joined.device('ann');
      const { id } = await engine.create('account', { name: 'St. Mary', note: 'old' });
      await engine.exchange();
      await joined.server.online.save([{ op: 'update', object: 'account', id, values: { note: 'theirs' } }]);
      const { entry } = await engine.update('account', id, { name: 'St. Maria', note: 'mine' });
      await engine.exchange();
      await engine.setLifecycle({ isOnline: false });
      await engine.resolve(entry!, 'keepMine');
      await engine.update('account', id, { note: 'theirs' });
      expect((await engine.get('account', id))?.values.note).toBe('theirs');
    } finally {
      await joined.close();
    }
  });

  test('A33: who is put away while what was left is still being merged does not read the feed', async () => {
    world = createWorld(schema);
    const disk = memory();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann', { storage: disk })];
    await tablet.engine.create('account', { name: 'St. Mary' }, 'a1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await phone.engine.watchHandle('account', 'a1', 'view', () => {});
    await tablet.engine.update('account', 'a1', { note: 'new' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    await phone.engine.close();
    let letGo = (): void => {};
    const read = new Promise<void>((resolve) => (letGo = resolve));
    const slow = {
      async open(owner: StoreOwner) {
        const storage = await disk.open(owner);
        const readRecords = storage.readRecords.bind(storage);
        return Object.assign(storage, { readRecords: async (keys: Parameters<typeof readRecords>[0]) => read.then(() => readRecords(keys)) });
      },
    };
    const { engine, requests } = await world.device('ann', { storage: slow });
    while (!requests.some(({ path }) => path === 'hello')) await drain();
    await drain();
    await engine.setLifecycle({ isForeground: false });
    const asked = requests.length;
    letGo();
    expect((await engine.get('account', 'a1'))?.values.note).toBe('new');
    await drain();
    expect(requests.slice(asked).map(({ path }) => path.split('?', 1)[0])).not.toContain('feed');
  });
});
