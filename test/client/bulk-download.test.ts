import { expect, test } from 'vitest';
import { defineSchema, parent, recordId, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { copyDisk } from '../support/copy-disk.ts';
import { counting, rowByRow, rowsOf } from '../support/packed-or-single.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, type World } from '../support/world.ts';

const fields = { name: text(), city: text(), serverId: recordId() };
const older = {
  account: { fields },
  order: { mode: 'override', fields: { account: text(), city: text() } },
  line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text(), city: text() } },
} as const;
const schema = defineSchema({ version: 2, objects: { ...older, account: { fields: { ...fields, phone: text() } } } });
const oldSchema = defineSchema({ version: 1, objects: older });

const OBJECTS = Object.keys(schema.objects);
const OFFLINE = { isOnline: false, isForeground: true };
const DAY_MS = 86_400_000;

/** Draws what happens before a download: on a device, elsewhere, and online. */
function createLot(seed: number) {
  const random = createSeededRandom(seed);
  const below = (most: number): number => Math.floor(random.next() * most);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  return {
    below,
    pick,
    // Some ids are in another order on the server than here.
    id: () => (below(15) === 0 ? pick(['b\ud83d\ude00', 'b\uff21']) : pick(['a', 'b', 'c'])) + below(20),
    city: () => pick(['Ghent', 'Lima', 'Bruges']),
  };
}

type Online = Parameters<World<typeof schema>['server']['online']['save']>[0][number];

/** Changes some records online; what cannot be, as of one that is gone, is left out. */
async function workOnline({ server }: World<typeof schema>, lot: ReturnType<typeof createLot>, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const object = lot.pick(OBJECTS), id = lot.id();
    const values = object === 'account' ? { name: lot.id(), city: lot.city(), phone: lot.id() } : object === 'order' ? { account: lot.id(), city: lot.city() } : { order: lot.id(), product: lot.id(), city: 'Ghent' };
    const isHere = (await server.online.get(object, id)) !== null;
    const change = (isHere ? (lot.below(3) === 0 ? { op: 'remove', object, id } : { op: 'update', object, id, values }) : { op: 'create', object, id, values }) as Online;
    await server.online.save([change]).catch(() => {});
  }
}

/** Brings a disk into the state that a seed has it in: older layouts, tombstones, changes that wait, what is out of scope or kept aside. */
async function setUp(seed: number): Promise<{ readonly world: World<typeof schema>; readonly disk: StorageAdapter }> {
  const lot = createLot(seed);
  const world = createWorld(schema, { limits: { pageItems: 2 + lot.below(12) }, inScope: (_, { values }) => values.city !== 'Lima' });
  const disk = memory();
  await workOnline(world, lot, 60);
  const first = await world.device('ann', lot.below(2) === 0 ? { storage: disk } : { storage: disk, schema: oldSchema });
  await first.engine.download();
  await first.engine.close();
  const phone = await world.device('ann', { storage: disk }), tablet = await world.device('ann');
  await tablet.engine.download();
  await workOnline(world, lot, 15);
  if (lot.below(2) === 0) await phone.engine.download();
  await workOnline(world, lot, 15);
  for (let time = 0; time < 6; time++) {
    const known = await tablet.engine.query({ object: lot.pick(['account', 'order', 'line']) });
    if (known.length > 0) await tablet.engine.update(known[0]!.object, lot.pick(known).id, { city: lot.city() });
    if (lot.below(2) === 0) await tablet.engine.create('order', { account: lot.id(), city: 'Lima' }, `far${time}`);
  }
  for (let time = 0; time < lot.below(4); time++) {
    const object = lot.pick(['account', 'order', 'line']), known = await phone.engine.query({ object });
    await phone.engine.setLifecycle({ isOnline: false });
    if (known.length > 0) await phone.engine.update(object, lot.pick(known).id, { city: lot.city() });
  }
  await tablet.engine.exchange();
  phone.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request)));
  await phone.engine.setLifecycle({ isOnline: true });
  await phone.engine.exchange();
  await phone.engine.close();
  if (lot.below(3) === 0) {
    await tablet.engine.setLifecycle({ isForeground: false });
    await world.clock.advance(8 * DAY_MS);
  }
  await workOnline(world, lot, 25);
  return { world, disk };
}

/** What a download made of a disk, on rows of one kind. */
async function downloadOnto(world: World<typeof schema>, copy: StorageAdapter, storage: StorageAdapter): Promise<object> {
  const device = await world.device('ann', { storage, lifecycle: OFFLINE });
  const lists: unknown[] = [];
  for (const object of OBJECTS) await device.engine.watchQuery({ object }, (records) => void lists.push(records));
  device.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request)));
  await device.engine.setLifecycle({ isOnline: true });
  const receipt = await device.engine.download();
  await device.engine.query({ object: 'account' });
  const told = device.events.filter(({ type }) => type.startsWith('download') || type.startsWith('feed:merged'));
  await device.engine.close();
  return { receipt, told, lists, ...(await rowsOf(copy, OBJECTS)) };
}

test('A31: a download leads to the same on rows that are packed and on single rows', async () => {
  const counts = { packed: 0, single: 0 };
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 16; seed++) {
    const { world, disk } = await setUp(seed);
    for (const { key } of (await rowsOf(disk, OBJECTS)).state) kinds.add(key.split('/')[0]!);
    const packed = await copyDisk(disk, 'ann', OBJECTS), single = await copyDisk(disk, 'ann', OBJECTS);
    const ends = [await downloadOnto(world, packed, counting(packed, counts)), await downloadOnto(world, single, rowByRow(single))];
    await world.close();
    expect(ends[0], `seed ${seed}`).toEqual(ends[1]);
  }
  // The seeds have what makes a record other than plain, and most records are.
  for (const kind of ['side', 'parked', 'gone', 'outside', 'queue', 'record-id']) expect(kinds).toContain(kind);
  expect(counts.packed).toBeGreaterThan(counts.single);
});
