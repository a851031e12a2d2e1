import { afterEach, describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage, type CommitFate } from '../../src/testing/faulty-storage.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { readAll } from '../support/stores.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text() } }, contact: { fields: { account: parent('account'), name: text() } } } });
const OFFLINE = { isOnline: false, isForeground: true };
const owner = { tenant: '', user: 'ann' };

let world: World<typeof schema>;
afterEach(() => world.close());

const isClosed = ({ engine }: TestDevice) => expect(engine.status()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
const createStrictWorld = () => createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined) } } });

describe('C11: signing out', () => {
  test('with everything sent closes the client', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.create('account', { name: 'x' });
    await device.engine.exchange();
    expect(await device.engine.signOut({})).toEqual({ pending: 0, syncErrors: 0, drafts: 0 });
    await isClosed(device);
  });

  test('with something unsent asks what is to become of it, and stays signed in', async () => {
    world = createStrictWorld();
    const device = await world.device('ann');
    await device.engine.create('account', { city: 'Nowhere' });
    await device.engine.exchange();
    await device.engine.setLifecycle(OFFLINE);
    await device.engine.create('account', { name: 'x' });
    await expect(device.engine.signOut({})).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT', details: { pending: 1, syncErrors: 1, drafts: 0 } });
    expect(await device.engine.status()).toMatchObject({ pending: 1 });
    await device.engine.create('account', { name: 'y' });
    expect(await device.engine.status()).toMatchObject({ pending: 2 });
  });

  test('can upload first: it goes once all is sent, and stays where something cannot be', async () => {
    world = createStrictWorld();
    const device = await world.device('ann');
    device.intercept(() => Promise.reject(new TypeError('no network')));
    await device.engine.create('account', { name: 'x' });
    await expect(device.engine.signOut({ unsent: 'upload' })).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT', details: { pending: 1 } });
    device.intercept(null);
    const bad = await device.engine.create('account', { city: 'Nowhere' });
    await expect(device.engine.signOut({ unsent: 'upload' })).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT', details: { pending: 0, syncErrors: 1 } });
    await device.engine.undo(bad.entry!);
    await device.engine.signOut({ unsent: 'upload' });
    await isClosed(device);
    expect(await world.server.online.list('account')).toHaveLength(1);
  });

  test('counts drafts as unsent, hands them out, and says of their records that they are in one', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    await engine.outcome((await engine.create('account', { name: 'x', city: 'Ghent' }, 'a1')).entry!);
    const opened = await engine.draft({ kind: 'open', object: 'account', id: 'a1' });
    const draft = (opened as { id: string }).id;
    await engine.draft({ kind: 'change', draft, op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } });
    await engine.draft({ kind: 'change', draft, op: 'create', object: 'contact', id: 'c1', values: { account: 'a1', name: 'Jo' } });
    expect(await engine.explain('account', 'a1')).toEqual([{ code: 'draft', draft }]);
    await expect(engine.signOut({})).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT', details: { pending: 0, syncErrors: 0, drafts: 1 } });
    expect(await engine.exportEntries('all')).toEqual([
      {
        entry: null, savedAt: world.clock.now(), state: 'draft', refusal: null,
        members: [
          { object: 'account', id: 'a1', op: 'update', previous: { city: 'Ghent' }, mine: { city: 'Bruges' } },
          { object: 'contact', id: 'c1', op: 'create', previous: {}, mine: { account: 'a1', name: 'Jo' } },
        ],
      },
    ]);
    expect(await engine.signOut({ unsent: 'keep' })).toEqual({ pending: 0, syncErrors: 0, drafts: 1 });
  });

  test('keeps what is unsent where it is, every row of it', async () => {
    world = createWorld(schema);
    const disk = memory();
    const device = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    await device.engine.create('account', { name: 'x' });
    // A save in the last moment is counted too; one after that is refused.
    const [signedOut] = await Promise.all([device.engine.signOut({ unsent: 'keep' }), device.engine.create('account', { name: 'just in time' })]);
    expect(signedOut).toMatchObject({ pending: 2 });
    const before = await readAll(disk, ['account']);
    expect(before.state.filter(({ key }) => key.startsWith('queue/'))).toHaveLength(2);
    await expect(device.engine.create('account', { name: 'too late' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(await readAll(disk, ['account'])).toEqual(before);
  });
});

describe('C11: wiping', () => {
  async function filled(storage = memory()): Promise<TestDevice> {
    world = createWorld(schema);
    const device = await world.device('ann', { storage });
    await device.engine.create('account', { name: 'St. Mary' }, 'a1');
    await device.engine.create('contact', { account: 'a1', name: 'Jo' }, 'c1');
    await device.engine.exchange();
    await device.engine.download();
    return device;
  }

  test('removes every row of this user, and of nobody else; the next client is a new store', async () => {
    const disk = memory();
    const device = await filled(disk);
    const other = await world.device('bob', { storage: disk });
    await other.engine.exchange();
    const bobs = await readAll(disk, ['account'], 'bob');
    const identity = device.requests[0]!.headers['fieldtide-store'];
    await device.engine.wipe({ exported: false });
    expect(await readAll(disk, ['account', 'contact'])).toEqual({ state: [], records: [] });
    expect(await readAll(disk, ['account'], 'bob')).toEqual(bobs);
    await isClosed(device);
    await other.engine.close();
    const next = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    expect(await next.engine.query({ object: 'account' })).toEqual([]);
    expect(await next.engine.status()).toMatchObject({ hasFeedGap: true, lastDownloadAt: null });
    await next.engine.setLifecycle({ isOnline: true });
    await next.engine.exchange();
    expect(next.requests[0]!.headers['fieldtide-store']).not.toBe(identity);
  });

  test('needs the word that what is unsent was exported', async () => {
    const disk = memory();
    const device = await filled(disk);
    await device.engine.setLifecycle(OFFLINE);
    await device.engine.update('account', 'a1', { city: 'Ghent' });
    await expect(device.engine.wipe({ exported: false })).rejects.toMatchObject({ code: 'SIGN_OUT_UNSENT', details: { pending: 1 } });
    expect(await device.engine.exportEntries('all')).toMatchObject([{ members: [{ object: 'account', id: 'a1', previous: { city: null }, mine: { city: 'Ghent' } }] }]);
    await device.engine.wipe({ exported: true });
    expect(await readAll(disk, ['account', 'contact'])).toEqual({ state: [], records: [] });
  });

  test.each(['crash-before', 'crash-after', 'full', 'fail'] as const)('that is cut off at any commit (%s) leaves a store that opens, with an identity of its own or as it was, and can be wiped', async (fate: CommitFate) => {
    for (let cut = 1; ; cut++) {
      let commits: number | null = null;
      const inner = memory();
      const disk = faultyStorage(inner, { decide: () => (commits !== null && ++commits === cut ? fate : 'done') });
      const device = await filled(disk);
      const before = await readAll(inner, ['account', 'contact']);
      commits = 0;
      const outcome = await device.engine.wipe({ exported: false }).then(() => 'done', () => 'failed');
      if (outcome === 'done' && commits < cut) return expect(cut).toBeGreaterThan(3);
      commits = null;
      const isUntouched = cut === 1 && fate !== 'crash-after';
      const left = await readAll(inner, ['account', 'contact']);
      if (isUntouched) expect(left).toEqual(before);
      else expect(left.state.every(({ key }) => key.startsWith('layout/'))).toBe(true);
      const next = await world.device('ann', { storage: disk });
      await next.engine.exchange();
      expect(await next.engine.query({ object: 'account' })).toBeDefined();
      await next.engine.wipe({ exported: false });
      expect(await readAll(inner, ['account', 'contact'])).toEqual({ state: [], records: [] });
      await world.close();
    }
  });

  test('stops where somebody has opened the store anew meanwhile, whose rows stay', async () => {
    const inner = memory();
    let commits: number | null = null;
    const disk = faultyStorage(inner, { delay: async () => void (commits !== null && (await onDelay())) });
    const device = await filled(disk);
    let second: TestDevice | null = null;
    async function onDelay(): Promise<void> {
      const store = await inner.open(owner);
      const rows = await store.scanState({ prefix: 'fence', limit: 1 });
      if (rows.length > 0 || second !== null) return;
      commits = null;
      second = await world.device('ann', { storage: inner });
      await second.engine.download();
    }
    commits = 0;
    await device.engine.wipe({ exported: false });
    expect(await second!.engine.query({ object: 'account' })).toHaveLength(1);
    expect(await second!.engine.query({ object: 'contact' })).toHaveLength(1);
  });
});
