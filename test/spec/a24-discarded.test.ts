import { afterEach, describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, goOnline, listOnline, put, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

const DAY_MS = 24 * 3_600_000;
const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof groupSchema>;
afterEach(() => world.close());

const shownOf = async ({ engine }: TestDevice, object: string) => (await engine.query({ object })).map(({ id, values }: RecordView) => ({ id, ...values }));

/** An order with two lines, submitted on the tablet while the phone was offline. */
async function createSubmittedOrder(disk = memory()): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  const tablet = await world.device('ann'), phone = await world.device('ann', { storage: disk });
  await tablet.engine.save([put('create', 'order', 'o1', { status: 'open', notes: 'first' }), put('create', 'line', 'l1', { order: 'o1', product: 'gauze', quantity: 1 }), put('create', 'line', 'l2', { order: 'o1', product: 'tape', quantity: 2 })]);
  await tablet.engine.exchange();
  await phone.engine.download();
  await phone.engine.setLifecycle({ isOnline: false });
  await tablet.engine.update('order', 'o1', { status: 'submitted' });
  await tablet.engine.exchange();
  return { tablet, phone };
}

describe('A24: edits of an order that was submitted on another device', () => {
  test('are dropped whole, those saved later too; online nothing changes, and the device shows what was submitted', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedOrder();
    const { engine } = phone;
    const before = [await listOnline(world, 'order'), await listOnline(world, 'line')];
    const first = await engine.save([put('update', 'order', 'o1', { notes: 'mine' }), put('create', 'line', 'l3', { order: 'o1', product: 'salve', quantity: 3 })]);
    const second = await engine.update('line', 'l3', { quantity: 4 });
    const third = await engine.remove('line', 'l1');
    expect(await goOnline(phone)).toMatchObject({ state: 'upToDate', pending: 0, syncErrors: 0, notices: 1 });
    expect([await listOnline(world, 'order'), await listOnline(world, 'line')]).toEqual(before);
    expect([await shownOf(phone, 'order'), await shownOf(phone, 'line')]).toEqual(before);
    const [notice] = await engine.listNotices();
    const entries = [first.entry, second.entry, third.entry];
    expect(notice).toMatchObject({ kind: 'discarded', object: 'order', recordId: 'o1', entries, acknowledgedAt: null });
    for (const entry of entries) expect(await engine.outcome(entry!)).toEqual({ kind: 'discarded', notice: notice!.id });
    expect(phone.events.filter(({ type }) => type === 'notice:raised')).toEqual([{ type: 'notice:raised', notice: notice!.id, kind: 'discarded', object: 'order', id: 'o1' }]);
    // Never sent again: the later entries did not even go up once.
    expect(phone.requests.filter(({ path }) => path === 'upload')).toHaveLength(1);
  });

  test('stay in the journal for 30 days, and the notice until the user has read it, through restarts', async () => {
    world = createWorld(groupSchema);
    const disk = memory();
    const { tablet, phone } = await createSubmittedOrder(disk);
    // What polls would only take time.
    await tablet.engine.close();
    const { entry } = await phone.engine.save([put('update', 'order', 'o1', { notes: 'mine' }), put('create', 'line', 'l3', { order: 'o1', product: 'salve', quantity: 3 })]);
    await goOnline(phone);
    await phone.engine.close();
    await world.clock.advance(29 * DAY_MS);
    const again = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    expect(await again.engine.readJournal(entry!)).toMatchObject([
      { entry, reason: 'discarded', members: [{ object: 'order', id: 'o1', op: 'update', previous: { notes: 'first' }, mine: { notes: 'mine' } }, { object: 'line', id: 'l3', op: 'create', mine: { product: 'salve', quantity: 3 } }] },
    ]);
    await again.engine.close();
    await world.clock.advance(30 * DAY_MS);
    const late = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    expect(await late.engine.readJournal()).toEqual([]);
    const seen: number[] = [];
    await late.engine.watchNotices((notices) => seen.push(notices.filter(({ acknowledgedAt }) => acknowledgedAt === null).length));
    const [notice] = await late.engine.listNotices();
    await late.engine.acknowledgeNotice(notice!.id);
    await late.engine.acknowledgeNotice(notice!.id);
    expect(await late.engine.status()).toMatchObject({ notices: 0 });
    expect(seen).toEqual([1, 0]);
    expect(late.events.filter(({ type }) => type === 'notice:acknowledged')).toEqual([{ type: 'notice:acknowledged', notice: notice!.id }]);
    await expect(late.engine.acknowledgeNotice(notice!.id + 1)).rejects.toMatchObject({ code: 'NOTICE_UNKNOWN' });
    await world.clock.advance(31 * DAY_MS);
    expect(await late.engine.listNotices()).toEqual([]);
  });

  test('are dropped once, however often the answer is lost', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedOrder();
    const { entry } = await phone.engine.update('order', 'o1', { notes: 'mine' });
    let answers = 0;
    phone.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path.startsWith('feed') || (request.path === 'upload' && ++answers < 3)) throw new TypeError('the answer is lost');
      return answer;
    });
    for (let attempt = 0; attempt < 4; attempt++) await goOnline(phone);
    expect(answers).toBe(3);
    expect(await phone.engine.outcome(entry!)).toMatchObject({ kind: 'discarded' });
    expect(await phone.engine.listNotices()).toHaveLength(1);
    expect(await phone.engine.readJournal()).toHaveLength(1);
    // The answer alone brings what was submitted.
    expect(await shownOf(phone, 'order')).toEqual(await listOnline(world, 'order'));
  });

  test('whose submit was itself refused are ordinary edits', async () => {
    world = createWorld(groupSchema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    await tablet.engine.create('order', { status: 'open', notes: 'first' }, 'o1');
    await tablet.engine.exchange();
    await phone.engine.download();
    const { entry } = await phone.engine.update('order', 'o1', { notes: 'mine' });
    await goOnline(phone);
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(await listOnline(world, 'order')).toMatchObject([{ notes: 'mine', status: 'open' }]);
  });
});
