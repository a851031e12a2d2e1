import { expect, test } from 'vitest';
import { defineSchema, parent, recordId, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { copyDisk } from '../support/copy-disk.ts';
import { counting, rowByRow, rowsOf } from '../support/packed-or-single.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, put, type TestDevice, type World } from '../support/world.ts';

const city = text();
const schema = defineSchema({
  version: 1,
  objects: {
    memo: { mode: 'override', fields: { subject: text(), city } },
    account: { mode: 'override', fields: { name: text(), city, serverId: recordId() } },
    visit: { mode: 'override', fields: { account: parent('account'), note: text(), city } },
    order: { mode: 'override', fields: { account: text(), city } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text(), city } },
  },
});

const OBJECTS = Object.keys(schema.objects);
const OFFLINE = { isOnline: false, isForeground: true };
const FIELDS: Readonly<Record<string, string>> = { memo: 'subject', account: 'name', visit: 'note', order: 'account', line: 'product' };

interface Lot {
  below(most: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Most of what a device saves is plain; texts are long, so that pages are worth the core for large batches. */
async function work({ engine }: TestDevice, lot: Lot, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const object = lot.pick(['memo', 'memo', 'memo', 'memo', 'memo', 'memo', 'account', 'account', 'visit', 'order', 'line']), id = `${object}${lot.below(object === 'memo' ? 60 : 15)}`;
    const above = object === 'visit' ? { account: `account${lot.below(15)}` } : object === 'line' ? { order: `order${lot.below(15)}` } : {};
    const values = { [FIELDS[object]!]: `${id} ${time} ${'x'.repeat(400)}`, city: lot.pick(['Ghent', 'Bruges', 'Bruges', 'Bruges', 'Lima']), ...above };
    const isHere = (await engine.get(object, id)) !== null;
    const change = isHere && lot.below(6) === 0 ? { op: 'remove' as const, object, id } : put(isHere ? 'update' : 'create', object, id, values);
    await engine.save([change]).catch(() => {});
  }
}

const NO_UPLOADS: Parameters<TestDevice['intercept']>[0] = (request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request));

/** A phone with changes that wait and things kept aside, and a feed with much that it has not read. */
async function setUp(seed: number): Promise<{ readonly world: World<typeof schema>; readonly disk: StorageAdapter }> {
  const random = createSeededRandom(seed);
  const below = (most: number): number => Math.floor(random.next() * most);
  const lot: Lot = { below, pick: (from) => from[below(from.length)]! };
  const world = createWorld(schema, { limits: { pageItems: 60 + below(60) }, inScope: (_, { values }) => values.city !== 'Lima' });
  const disk = memory();
  const phone = await world.device('ann', { storage: disk }), tablet = await world.device('ann');
  await work(tablet, lot, 60);
  await tablet.engine.exchange();
  if (lot.below(2) === 0) await phone.engine.download();
  await phone.engine.exchange();
  phone.intercept(NO_UPLOADS);
  await phone.engine.setLifecycle({ isOnline: false });
  await work(phone, lot, lot.below(12));
  await work(tablet, lot, 40);
  await tablet.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: true });
  await phone.engine.exchange();
  await phone.engine.close();
  await work(tablet, lot, 120);
  await tablet.engine.exchange();
  return { world, disk };
}

/** What reading the feed makes of a disk, on rows of one kind. */
async function readOnto(world: World<typeof schema>, copy: StorageAdapter, storage: StorageAdapter): Promise<object> {
  const device = await world.device('ann', { storage, lifecycle: OFFLINE });
  const lists = new Map<string, unknown>();
  for (const object of OBJECTS) await device.engine.watchQuery({ object }, (records) => void lists.set(object, records));
  // Somebody has a few records open.
  for (const { id } of (await device.engine.query({ object: 'memo' })).slice(0, 3)) await device.engine.watchHandle('memo', id, 'edit', () => {});
  device.intercept(NO_UPLOADS);
  await device.engine.setLifecycle({ isOnline: true });
  await device.engine.exchange();
  await device.engine.query({ object: 'memo' });
  const told = device.events.filter(({ type }) => type.startsWith('feed')).map((event) => JSON.stringify(event)).sort();
  await device.engine.close();
  return { told, lists, ...(await rowsOf(copy, OBJECTS)) };
}

test('A29: reading the feed leads to the same on rows that are packed and on single rows', async () => {
  const counts = { packed: 0, single: 0 };
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const { world, disk } = await setUp(seed);
    for (const { key } of (await rowsOf(disk, OBJECTS)).state) kinds.add(key.split('/')[0]!);
    const packed = await copyDisk(disk, 'ann', OBJECTS), single = await copyDisk(disk, 'ann', OBJECTS);
    const ends = [await readOnto(world, packed, counting(packed, counts)), await readOnto(world, single, rowByRow(single))];
    await world.close();
    expect(ends[0], `seed ${seed}`).toEqual(ends[1]);
  }
  for (const kind of ['side', 'parked', 'gone', 'outside', 'queue', 'record-id']) expect(kinds).toContain(kind);
  expect(counts.packed).toBeGreaterThan(100);
  expect(counts.single).toBeGreaterThan(50);
});
