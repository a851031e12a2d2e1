import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Commit, Storage, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { createWorld, listOnline, put, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const LINES = 25;
const nameOf = (index: number): string => `l${String(index).padStart(2, '0')}`;

async function createDevices(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, { limits: { pageItems: 10 } });
  return { tablet: await world.device('ann'), phone: await world.device('ann') };
}

async function saveLarge({ engine }: TestDevice): Promise<void> {
  await engine.save([put('update', 'order', 'o1', { note: 'large' }), ...Array.from({ length: LINES }, (_, index) => put('create', 'line', nameOf(index), { order: 'o1', product: 'gauze' }))]);
  await engine.exchange();
}

async function expectAlike({ engine }: TestDevice): Promise<void> {
  for (const object of ['order', 'line']) expect((await engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
}

describe('A35: an order that comes in parts', () => {
  test('is all there is to wait for: a line that an older page named and that is gone keeps nothing waiting', async () => {
    const { tablet, phone } = await createDevices();
    await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), put('create', 'line', 'gone', { order: 'o1', product: 'tape' })]);
    await tablet.engine.exchange();
    phone.intercept(forgePage((page) => holdBack(page, (id) => id === 'gone')));
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    phone.intercept(forgePage((page) => (page.part === null ? holdBack(page, (id) => id === 'gone') : page)));
    // As one whom the user may not see: no manifest names it any more, and no page brings its delete.
    await world.server.online.save([{ op: 'remove', object: 'line', id: 'gone' }]);
    await saveLarge(tablet);
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ parked: 0, oldestParkedAt: null });
    await expectAlike(phone);
  });

  test.each([
    ['whose parts do not go forward', { object: 'line', id: 'l05' }],
    ['whose parts go back', { object: 'line', id: 'l01' }],
  ])('and %s does not count: a device does not read without end', async (_, next) => {
    const { tablet, phone } = await createDevices();
    await tablet.engine.create('order', { note: 'first' }, 'o1');
    await saveLarge(tablet);
    let place = 0;
    phone.intercept(forgePage((page) => (page.part === null || place > 4 ? page : { ...page, more: true, next: page.from, part: { ...page.part, place, next: place++ === 0 ? { object: 'line', id: 'l05' } : next } })));
    expect(await phone.engine.exchange()).toMatchObject({ lastFault: { code: 'TRANSPORT_BAD_ANSWER' } });
    expect(phone.events.filter(({ type }) => type === 'feed:part-staged')).toHaveLength(1);
  });
});

test('A10, A35: who looks on while a large order is half applied is told so, and shown no half of it', async () => {
  const disk = memory();
  world = createWorld(schema, { limits: { pageItems: 10 } });
  const tablet = await world.device('ann');
  await tablet.engine.create('order', { note: 'first' }, 'o1');
  await saveLarge(tablet);
  let applied = 0;
  const dying: StorageAdapter = {
    async open(owner) {
      const storage = await disk.open(owner);
      const commit = (one: Commit): ReturnType<Storage['commit']> => {
        if ((one.removeState ?? []).some((key) => key.startsWith('part/')) && ++applied >= 2) throw new Error('the app is gone');
        return storage.commit(one);
      };
      return { ...Object.fromEntries((['readRecords', 'scanRecords', 'scanState', 'close'] as const).map((name) => [name, storage[name].bind(storage)])), commit } as Storage;
    },
  };
  const phone = await world.device('ann', { storage: dying });
  await phone.engine.exchange();
  await phone.engine.close();
  const looking = await world.device('ann', { storage: disk, readOnly: true });
  await expect(looking.engine.query({ object: 'line' })).rejects.toMatchObject({ code: 'CLIENT_READ_ONLY', message: expect.stringContaining('large transaction') });
  const again = await world.device('ann', { storage: disk });
  await again.engine.exchange();
  expect(await (await world.device('ann', { storage: disk, readOnly: true })).engine.query({ object: 'line' })).toHaveLength(LINES);
});
