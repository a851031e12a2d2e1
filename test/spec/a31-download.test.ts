import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseSnapshotAnswer } from '../../src/protocol/parse.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text(), city: text() } },
    order: { fields: { account: text() } },
    line: { fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const RECORDS = 60;

/** A server with some accounts that hands them out ten at a time. */
async function createStockedWorld(): Promise<void> {
  world = createWorld(schema, { limits: { pageItems: 10 } });
  await world.server.online.save(Array.from({ length: RECORDS }, (_, index) => ({ op: 'create' as const, object: 'account', id: idOf(index), values: { name: `n${index}` } })));
}

const idOf = (index: number): string => `a${String(index).padStart(3, '0')}`;
const pagesOf = ({ requests }: TestDevice): number => requests.filter(({ path }) => path.startsWith('snapshot')).length;
const countOn = async ({ engine }: TestDevice): Promise<number> => (await engine.query({ object: 'account' })).length;

describe('a download', () => {
  test('is applied whole or not at all, whichever commit a crash hits, and goes on afterwards', async () => {
    await createStockedWorld();
    for (const fate of ['crash-before', 'crash-after'] as const) {
      for (let at = 2; ; at++) {
        const disk = memory();
        const storage = faultyStorage(disk, { decide: ({ number }) => (number === at ? fate : 'done') });
        const device = await world.device('ann', { storage });
        const finished = await device.engine.download().then(() => true, () => false);
        const again = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: true } });
        expect([0, RECORDS]).toContain(await countOn(again));
        await again.engine.setLifecycle({ isOnline: true });
        await again.engine.download();
        expect(await countOn(again)).toBe(RECORDS);
        if (finished) break;
      }
    }
  });

  test('goes on where it was cut off', async () => {
    await createStockedWorld();
    const device = await world.device('ann');
    let pages = 0;
    device.intercept((request, send) => (request.path.startsWith('snapshot') && ++pages > 3 ? Promise.reject(new TypeError('gone')) : send(request)));
    await expect(device.engine.download()).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    expect(await countOn(device)).toBe(0);
    device.intercept(null);
    const before = pagesOf(device);
    await device.engine.download();
    expect(pagesOf(device) - before).toBe(3);
    expect(await countOn(device)).toBe(RECORDS);
    expect(device.events).toContainEqual({ type: 'download:started', isResumed: true });
  });

  test('begins anew after twelve hours', async () => {
    await createStockedWorld();
    const device = await world.device('ann');
    let pages = 0;
    device.intercept((request, send) => (request.path.startsWith('snapshot') && ++pages > 3 ? Promise.reject(new TypeError('gone')) : send(request)));
    await device.engine.download().catch(() => {});
    device.intercept(null);
    await device.engine.setLifecycle({ isForeground: false });
    await world.clock.advance(12 * 3_600_000);
    await device.engine.setLifecycle({ isForeground: true });
    const before = pagesOf(device);
    await device.engine.download();
    expect(pagesOf(device) - before).toBe(6);
  });

  test('C6: keeps what the user changed meanwhile, takes away what is gone, and loses nothing that came by other ways', async () => {
    await createStockedWorld();
    const device = await world.device('ann');
    await device.engine.download();
    await world.server.online.save([{ op: 'remove', object: 'account', id: idOf(1) }, { op: 'remove', object: 'account', id: idOf(2) }]);
    let isUploadHeld = true;
    device.intercept(async (request, send) => {
      if (request.path === 'upload' && isUploadHeld) throw new TypeError('no way up');
      const response = await send(request);
      if (request.path.startsWith('snapshot?') && isUploadHeld) {
        isUploadHeld = false;
        await device.engine.create('account', { name: 'born meanwhile' }, 'a-new');
        await device.engine.wake();
        await world.clock.advance(0);
      }
      return response;
    });
    await device.engine.update('account', idOf(2), { city: 'of the user' });
    const receipt = await device.engine.download();
    expect(receipt.removed).toBe(1);
    expect(await device.engine.get('account', idOf(1))).toBeNull();
    expect(await device.engine.get('account', 'a-new')).toMatchObject({ values: { name: 'born meanwhile' } });
    await device.engine.exchange();
    expect((await device.engine.listSyncErrors())[0]).toMatchObject({ class: 'edit-vs-delete', recordId: idOf(2) });
  });

  test('A31: what user devices save during the download comes through the feed from its first page on', async () => {
    await createStockedWorld();
    const tablet = await world.device('ann'), phone = await world.device('ann');
    await phone.engine.download();
    let isFirst = true;
    tablet.intercept(async (request, send) => {
      const response = await send(request);
      if (request.path === 'snapshot' && isFirst) {
        isFirst = false;
        await phone.engine.update('account', idOf(0), { city: 'during' });
        await phone.engine.exchange();
      }
      return response;
    });
    await tablet.engine.download();
    await tablet.engine.exchange();
    expect((await tablet.engine.get('account', idOf(0)))?.values.city).toBe('during');
  });

  test('A31: a device that was away for longer than the feed keeps sees a gap, polls on, and a download closes it', async () => {
    await createStockedWorld();
    const tablet = await world.device('ann'), phone = await world.device('ann');
    for (const { engine } of [tablet, phone]) await engine.download();
    await phone.engine.setLifecycle({ isOnline: false });
    await phone.engine.update('account', idOf(3), { city: 'unsent' });
    await tablet.engine.update('account', idOf(4), { city: 'old news' });
    await tablet.engine.exchange();
    await tablet.engine.setLifecycle({ isForeground: false });
    await world.clock.advance(8 * 86_400_000);
    await tablet.engine.setLifecycle({ isForeground: true });
    await tablet.engine.update('account', idOf(5), { city: 'news' });
    await tablet.engine.exchange();
    await phone.engine.setLifecycle({ isOnline: true });
    expect(await phone.engine.exchange()).toMatchObject({ hasFeedGap: true, state: 'pending', pending: 0 });
    expect((await phone.engine.get('account', idOf(5)))?.values.city).toBe('news');
    expect((await phone.engine.get('account', idOf(4)))?.values.city).toBeNull();
    await phone.engine.download();
    expect((await phone.engine.get('account', idOf(4)))?.values.city).toBe('old news');
    expect(await phone.engine.exchange()).toMatchObject({ hasFeedGap: false, state: 'upToDate' });
    expect((await world.server.online.get('account', idOf(3)))?.values.city).toBe('unsent');
  });

  test('does not wait for what is saved after it was asked for', async () => {
    await createStockedWorld();
    const device = await world.device('ann');
    let saves = 0;
    device.intercept(async (request, send) => {
      // A host that saves whenever an upload goes out never lets the queue run empty.
      if (request.path === 'upload' && ++saves < 500) await device.engine.create('account', { name: `save ${saves}` });
      return send(request);
    });
    await device.engine.create('account', { name: 'before' });
    await device.engine.download();
    expect(saves).toBeLessThan(500);
    device.intercept(null);
  });

  test('does not run for ever on pages that do not go forward', async () => {
    await createStockedWorld();
    const device = await world.device('ann');
    device.intercept(async (request, send) => {
      const response = await send(request);
      if (!request.path.startsWith('snapshot')) return response;
      return { ...response, body: encodeEnvelope({ ...parseSnapshotAnswer(decodeEnvelope(response.body)), next: { object: 'account', id: idOf(9) } }) };
    });
    await expect(device.engine.download()).rejects.toMatchObject({ code: 'TRANSPORT_BAD_ANSWER' });
    expect(await countOn(device)).toBe(0);
  });
});

describe('fetching one record', () => {
  test('brings it with its group, and nothing else', async () => {
    world = createWorld(schema);
    await world.server.online.save([
      { op: 'create', object: 'order', id: 'o1', values: { account: 'x' } },
      { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'P' } },
      { op: 'create', object: 'account', id: 'a1', values: { name: 'n' } },
    ]);
    const { engine } = await world.device('ann');
    expect(await engine.fetch('line', 'l1')).toMatchObject({ values: { product: 'P' } });
    expect(await engine.get('order', 'o1')).not.toBeNull();
    expect(await engine.get('account', 'a1')).toBeNull();
    expect(await engine.fetch('account', 'nobody')).toBeNull();
  });
});
