import { afterEach, expect, test } from 'vitest';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import { refuse } from '../../src/server/index.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, listOnline, put, type TestDevice, type World } from '../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

/** An order of two lines on two devices. */
async function open(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, { objects: { line: { validate: ({ next }) => (next.product === 'refused' ? refuse('product', 'no-such-product') : undefined) } } });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([
    put('create', 'order', 'o1', { note: 'ours' }),
    put('create', 'line', 'l1', { order: 'o1', product: 'gauze', quantity: 1 }),
    put('create', 'line', 'l2', { order: 'o1', product: 'tape', quantity: 2 }),
  ]);
  for (const { engine } of [tablet, phone]) await engine.exchange();
  return { tablet, phone };
}

/** What a person sees of the order that others change. */
async function shownOn({ engine }: TestDevice): Promise<unknown[]> {
  const [order, ...lines] = [await engine.get('order', 'o1'), await engine.get('line', 'l1'), await engine.get('line', 'l2')];
  return [order?.values.note, ...lines.map((line) => line?.values.quantity)];
}

const reasonsIn = (events: readonly SyncEvent[]): Set<string> => new Set(events.flatMap((event) => (event.type === 'feed:kept-aside' ? [event.reason] : [])));

const YES_NO = [true, false];
const TABLE = YES_NO.flatMap((isComplete) =>
  YES_NO.flatMap((isFree) =>
    (['nothing', 'a pending change', 'a sync error'] as const).flatMap((own) => YES_NO.map((isNewer) => ({ isComplete, isFree, own, isNewer }))),
  ),
);

test.each(TABLE)('A34: with complete=$isComplete, out of use=$isFree, $own of its own, newer=$isNewer, a group is merged whole, or not at all', async ({ isComplete, isFree, own, isNewer }) => {
  const { tablet, phone } = await open();
  let isUploadLost = false, isFeedLost = true, isHeldBack = false;
  const forged = forgePage((page) => (isHeldBack ? holdBack(page, (id) => id === 'l2') : page));
  phone.intercept((request, send) => {
    if ((isUploadLost && request.path === 'upload') || (isFeedLost && request.path.startsWith('feed'))) throw new TypeError('no way there');
    return forged(request, send);
  });
  // Its own save comes back through the feed: those are the rows that it has.
  await phone.engine.save([put('update', 'order', 'o1', { note: 'own' }), put('update', 'line', 'l1', { quantity: 3 }), put('update', 'line', 'l2', { quantity: 4 })]);
  await phone.engine.exchange();
  const before = ['own', 3, 4], theirs = ['theirs', 5, 6];
  expect(await shownOn(phone)).toEqual(before);
  if (isNewer) {
    await tablet.engine.exchange();
    await tablet.engine.save([put('update', 'order', 'o1', { note: 'theirs' }), put('update', 'line', 'l1', { quantity: 5 }), put('update', 'line', 'l2', { quantity: 6 })]);
    await tablet.engine.exchange();
  }
  // Of the line that is not there, or that nobody changes: what is in the way of one is in the way of all.
  isUploadLost = own === 'a pending change';
  if (own !== 'nothing') await phone.engine.update('line', 'l1', { product: own === 'a sync error' ? 'refused' : 'mine' });
  const leave = isFree ? () => {} : await phone.engine.watchHandle('line', 'l2', 'view', () => {});
  await phone.engine.exchange();
  isFeedLost = false;
  isHeldBack = !isComplete;
  phone.events.length = 0;
  await phone.engine.exchange();

  const isMerged = isNewer && isComplete && isFree && own === 'nothing';
  expect(await shownOn(phone)).toEqual(isMerged ? theirs : before);
  const reason = own === 'a sync error' ? 'in-error' : own === 'a pending change' ? 'pending' : isComplete ? 'in-use' : 'incomplete';
  expect(reasonsIn(phone.events)).toEqual(isNewer && !isMerged ? new Set([reason]) : new Set());
  expect(phone.events.filter(({ type }) => type === 'feed:merged')).toHaveLength(isMerged ? 3 : 0);
  const isParked = isNewer && !isMerged && own === 'nothing';
  expect(await phone.engine.status()).toMatchObject({ parked: isParked ? 1 : 0, oldestParkedAt: isParked ? world.clock.now() : null });
  const waits = { code: 'newer-version-waits', because: isComplete ? 'in-use' : 'incomplete', missing: isComplete ? [] : [{ object: 'line', id: 'l2' }] };
  expect(await phone.engine.explain('order', 'o1')).toEqual(isParked ? [waits] : isNewer && !isMerged ? [{ code: 'kept-aside' }] : []);

  // Once nothing is in the way, the device is as the server.
  leave();
  isUploadLost = isHeldBack = false;
  for (const { id } of await phone.engine.listSyncErrors()) await phone.engine.undo(id);
  await tablet.engine.exchange();
  await tablet.engine.update('line', 'l2', { quantity: 7 });
  for (const { engine } of [tablet, phone]) await engine.exchange();
  for (const object of ['order', 'line']) expect((await phone.engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
  expect(await phone.engine.status()).toMatchObject({ parked: 0, oldestParkedAt: null });
});
