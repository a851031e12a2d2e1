import { afterEach, describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages } from '../../src/protocol/items.ts';
import type { SnapshotAnswer } from '../../src/protocol/messages.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { imagesOf } from '../support/forged-page.ts';
import { createWorld, type Intercept, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text(), city: text() } },
    order: { mode: 'override', fields: { account: text(), city: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
    note: { fields: { body: text() } },
  },
});

const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof schema>;
afterEach(() => world.close());

/** What a device shows of each object. */
async function shownOn({ engine }: TestDevice): Promise<string> {
  const all = await Promise.all(['account', 'order', 'line', 'note'].map((object) => engine.query({ object })));
  return all.map((records) => records.map(({ id, values }) => `${id}:${Object.values(values).join('/')}`).join()).join(' | ');
}

type Online = Parameters<World<typeof schema>['server']['online']['save']>[0][number];
const online = (op: 'create' | 'update', object: string, id: string, values: Record<string, string>): Online => ({ op, object, id, values });
const remove = (object: string, id: string): Online => ({ op: 'remove', object, id });

/**
 * A phone that has not heard of much: of its accounts some are gone and some changed, its notes are all gone, an order of two lines has a change
 * that waits on the phone and a newer state online.
 */
async function setUp(disk: StorageAdapter): Promise<{ readonly phone: TestDevice; readonly tablet: TestDevice }> {
  world = createWorld(schema, { limits: { pageItems: 4 }, inScope: (_, { values }) => values.city !== 'Lima' });
  const accounts = Array.from({ length: 14 }, (_, index) => online('create', 'account', `a${String(index).padStart(2, '0')}`, { name: `n${index}` }));
  await world.server.online.save([...accounts, online('create', 'order', 'o1', { account: 'a01' }), ...['l1', 'l2'].map((id) => online('create', 'line', id, { order: 'o1', product: 'gauze' })), online('create', 'note', 'n1', { body: 'first' })]);
  const phone = await world.device('ann', { storage: disk }), tablet = await world.device('ann');
  await phone.engine.download();
  await tablet.engine.create('account', { name: 'far', city: 'Lima' }, 'z1');
  await tablet.engine.exchange();
  await phone.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: false });
  await phone.engine.update('line', 'l1', { product: 'mine' });
  await world.server.online.save([...['a02', 'a03', 'a09', 'a13'].map((id) => remove('account', id)), remove('note', 'n1')]);
  await world.server.online.save([online('update', 'account', 'a00', { name: 'new' }), online('update', 'account', 'a12', { name: 'new' }), online('create', 'account', 'a031', { name: 'between' })]);
  await world.server.online.save([online('update', 'line', 'l2', { product: 'theirs' })]);
  return { phone, tablet };
}

/** No upload gets through, so that what waits on the phone is in the way of its group. */
const NO_UPLOADS: Intercept = (request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request));

describe('applying a download', () => {
  test('A31: a kill between any two commits leaves all of the old or all of the new, and the next opening ends what was begun', async () => {
    const seen: string[] = [];
    let commits = Infinity, old = '', fresh = '', removed = 0;
    for (let diesIn = 0; diesIn <= commits; diesIn++) {
      const disk = memory();
      let diesAt = Infinity;
      const dying = faultyStorage(disk, { decide: ({ number }) => (number > diesAt ? 'fail' : 'done') });
      const { phone } = await setUp(dying);
      old = await shownOn(phone);
      const before = dying.commits;
      diesAt = before + diesIn;
      phone.intercept(NO_UPLOADS);
      await phone.engine.setLifecycle({ isOnline: true });
      const receipt = await phone.engine.download().catch(() => null);
      if (receipt !== null) {
        commits = diesIn - 1;
        fresh = await shownOn(phone);
        removed = receipt.removed;
      }
      await phone.engine.close();
      const again = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
      again.intercept(NO_UPLOADS);
      seen.push(await shownOn(again));
      expect(again.events.flatMap((event) => (event.type === 'download:applied' ? [event.removed] : []))).toEqual(seen.at(-1) === old || receipt !== null ? [] : [removed || expect.any(Number)]);
      // Once it is whole, the next download has nothing to take away.
      await again.engine.setLifecycle({ isOnline: true });
      const next = await again.engine.download();
      if (seen.at(-1) !== old) expect(next.removed).toBe(0);
      seen.push(await shownOn(again));
      await world.close();
    }
    expect(fresh).not.toBe(old);
    expect(fresh).toContain('l1:o1/mine,l2:o1/gauze');
    expect(fresh).toContain('z1:far/Lima');
    expect(removed).toBe(5);
    expect(new Set(seen)).toEqual(new Set([old, fresh]));
    // More than one commit lies between the decision and the end of it.
    expect(seen.filter((_, index) => index % 2 === 0).filter((shown) => shown === fresh).length).toBeGreaterThan(5);
    world = createWorld(schema);
  });

  test('A10: who looks on while it is half applied is told so, and shown no half of it', async () => {
    const disk = memory();
    let diesAt = Infinity;
    const dying = faultyStorage(disk, { decide: ({ number }) => (number > diesAt ? 'fail' : 'done') });
    const { phone } = await setUp(dying);
    await phone.engine.watchStatus(({ progress }) => {
      // The decision, and one page.
      if (progress?.stage === 'applying' && diesAt === Infinity) diesAt = dying.commits + 2;
    });
    await phone.engine.setLifecycle({ isOnline: true });
    await expect(phone.engine.download()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(phone.engine.query({ object: 'account' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await phone.engine.close();
    const looking = await world.device('ann', { storage: disk, readOnly: true });
    await expect(looking.engine.query({ object: 'account' })).rejects.toMatchObject({ code: 'CLIENT_READ_ONLY', message: expect.stringContaining('a download') });
    const again = await world.device('ann', { storage: disk });
    expect(await again.engine.get('account', 'a02')).toBeNull();
  });

  test('A31: is ended by the next call when there is room again, and told once', async () => {
    let fullFrom = Infinity;
    const disk = faultyStorage(memory(), { decide: ({ number }) => (number > fullFrom ? 'full' : 'done') });
    const { phone } = await setUp(disk);
    const lists: string[][] = [];
    await phone.engine.watchQuery({ object: 'note' }, (records: readonly RecordView[]) => void lists.push(records.map(({ id }) => id)));
    await phone.engine.watchStatus(({ progress }) => {
      if (progress?.stage === 'applying' && fullFrom === Infinity) fullFrom = disk.commits + 3;
    });
    await phone.engine.setLifecycle({ isOnline: true });
    await expect(phone.engine.download()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(phone.engine.get('account', 'a13')).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(lists).toEqual([['n1']]);
    fullFrom = 1_000;
    expect(await phone.engine.get('account', 'a13')).toBeNull();
    expect(await phone.engine.get('account', 'a02')).toBeNull();
    expect(phone.events.filter(({ type }) => type === 'download:applied')).toHaveLength(2);
    expect(lists).toEqual([['n1'], []]);
  });

  test('A31: more records than are named one by one are told of, each list once', async () => {
    world = createWorld(schema, { limits: { pageItems: 4_000 } });
    const all = 10_500;
    await world.server.online.save(Array.from({ length: all }, (_, index) => online('create', 'note', `n${index}`, { body: 'b' })));
    const device = await world.device('ann');
    const lists: number[] = [], accounts: number[] = [], watched: unknown[] = [];
    await device.engine.watchQuery({ object: 'note' }, (records: readonly RecordView[]) => void lists.push(records.length));
    await device.engine.watchQuery({ object: 'account' }, (records: readonly RecordView[]) => void accounts.push(records.length));
    await device.engine.watchRecord('note', 'n7', (record: RecordView | null) => void watched.push(record?.values.body));
    await device.engine.download();
    await device.engine.query({ object: 'account' });
    expect(lists).toEqual([0, all]);
    expect(accounts).toEqual([0]);
    expect(watched.at(-1)).toBe('b');
  });
});

/** Changes the pages of downloads. */
function forgeSnapshot(forge: (page: SnapshotAnswer, place: number) => object): Intercept {
  let place = 0;
  return async (request, send) => {
    const response = await send(request);
    if (!request.path.startsWith('snapshot')) return response;
    return { ...response, body: encodeEnvelope(forge(decodeEnvelope(response.body) as SnapshotAnswer, place++)) };
  };
}

/** The second page goes on to another object, the third has the records of the first. */
function forgeReturn(): (page: SnapshotAnswer, place: number) => object {
  let first: SnapshotAnswer | null = null;
  return (page, place) => {
    first ??= page;
    return place === 1 ? { ...page, next: { object: 'order', id: 'o0' } } : place === 2 ? { ...page, layouts: first.layouts, items: first.items, next: null } : page;
  };
}

describe('the pages of a download', () => {
  test.each([
    ['that repeat a record', (page: SnapshotAnswer) => ({ ...page, items: encodeImages([...imagesOf(page as never), imagesOf(page as never).at(-1)!]) })],
    ['whose records are in no order', (page: SnapshotAnswer) => ({ ...page, items: encodeImages(imagesOf(page as never).toReversed()) })],
    ['that end before their last record', (page: SnapshotAnswer) => ({ ...page, next: page.next && { ...page.next, id: 'a00' } })],
    ['that come back to an object they have left', forgeReturn()],
  ])('%s are not believed: a record that is there would be taken for removed', async (_, forge) => {
    const { phone } = await setUp(memory());
    const old = await shownOn(phone);
    await phone.engine.setLifecycle({ isOnline: true });
    phone.intercept(forgeSnapshot(forge));
    await expect(phone.engine.download()).rejects.toMatchObject({ code: 'TRANSPORT_BAD_ANSWER' });
    expect(await shownOn(phone)).toBe(old);
  });

  test('C1: are in the order of UTF-8 bytes, storage in that of UTF-16 units, and nothing is taken for removed or kept for that', async () => {
    world = createWorld(schema, { limits: { pageItems: 1 } });
    const ids = ['a', 'a\ud83d\ude00', 'a\ud83d\ude00b', 'a\uff21', 'a\uff21b', 'ab', '\ud83d\ude00', '\uff21', '\uff21\ud83d\ude00', '\uff21\uff21', 'z'];
    await world.server.online.save(ids.map((id) => online('create', 'note', id, { body: id })));
    const { engine } = await world.device('ann');
    await engine.download();
    for (const gone of [['a\uff21', '\ud83d\ude00'], ['a\ud83d\ude00', '\uff21'], ['\uff21\uff21'], ['z', 'a']]) {
      await world.server.online.save(gone.map((id) => remove('note', id)));
      expect(await engine.download()).toMatchObject({ removed: gone.length });
      const left = await world.server.online.list('note');
      expect((await engine.query({ object: 'note' })).map(({ id }) => id).sort()).toEqual(left.map(({ id }) => id).sort());
    }
  });
});
