import { afterEach, describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import type { FeedAnswer } from '../../src/protocol/messages.ts';
import { defineSchema, integer, parent, reference, serverOwned, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { forgePage, holdBack, imagesOf } from '../support/forged-page.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, listOnline, put, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text(), lines: serverOwned(integer()) } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
    event: { fields: { name: text(), attendees: serverOwned(integer()) } },
    attendee: { fields: { event: parent('event'), name: text(), guestOf: reference('attendee') } },
  },
});
const OBJECTS = ['order', 'line', 'event', 'attendee'] as const;

let world: World<typeof schema>;
afterEach(() => world.close());

function createBook(pageItems?: number): World<typeof schema> {
  return createWorld(schema, {
    ...(pageItems !== undefined && { limits: { pageItems } }),
    objects: { order: { formulas: ({ children }) => ({ lines: children.line.length }) }, event: { formulas: ({ children }) => ({ attendees: children.attendee.length }) } },
  });
}

/** An order of so many lines, in one save. */
function order(id: string, lines: number): ReturnType<typeof put>[] {
  return [put('create', 'order', id, { note: 'new' }), ...Array.from({ length: lines }, (_, index) => put('create', 'line', `${id}-l${index + 1}`, { order: id, product: 'gauze' }))];
}

async function expectAlike({ engine }: TestDevice): Promise<void> {
  for (const object of OBJECTS) expect((await engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
}

/** Every list of an object that a person would have seen, by ids. */
async function watch({ engine }: TestDevice, object: string): Promise<string[][]> {
  const seen: string[][] = [];
  await engine.watchQuery({ object }, (records: readonly RecordView[]) => void seen.push(records.map(({ id }) => id)));
  return seen;
}

describe('A35: an order of which line 3 is held back', () => {
  const ALL = ['o1-l1', 'o1-l2', 'o1-l3', 'o1-l4'];

  async function holdLineBack(disk = memory()): Promise<{ tablet: TestDevice; phone: TestDevice }> {
    world = createBook();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann', { storage: disk })];
    await tablet.engine.save(order('o1', 4));
    await tablet.engine.exchange();
    phone.intercept(forgePage((page) => holdBack(page, (id) => id === 'o1-l3')));
    return { tablet, phone };
  }

  /** What the line's arrival looks like: a page that has it alone. */
  async function deliver({ tablet, phone }: { tablet: TestDevice; phone: TestDevice }): Promise<void> {
    await tablet.engine.update('line', 'o1-l3', { product: 'tape' });
    await tablet.engine.exchange();
    phone.intercept(forgePage((page) => holdBack(page, (id) => id !== 'o1-l3')));
    await phone.engine.exchange();
  }

  test('is not visible until the line arrives; then everything appears in one event', async () => {
    const { tablet, phone } = await holdLineBack();
    const orders = await watch(phone, 'order'), lines = await watch(phone, 'line');
    expect(await phone.engine.exchange()).toMatchObject({ parked: 1, pending: 0, syncErrors: 0 });
    expect(await phone.engine.get('order', 'o1')).toBeNull();
    expect(await phone.engine.explain('line', 'o1-l1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'line', id: 'o1-l3' }] }]);
    expect(phone.events.filter(({ type }) => type === 'feed:kept-aside')).toMatchObject(Array.from({ length: 4 }, () => ({ reason: 'incomplete' })));
    await deliver({ tablet, phone });
    expect(orders).toEqual([[], ['o1']]);
    expect(lines).toEqual([[], ALL]);
    const merged = phone.events.map(({ type }) => type).filter((type) => type.startsWith('feed:'));
    expect(merged.slice(merged.indexOf('feed:merged'), -1)).toEqual(Array.from({ length: 5 }, () => 'feed:merged'));
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
    await expectAlike(phone);
  });

  test('waits over a restart of the app, since when it has waited included', async () => {
    const disk = memory();
    const { tablet, phone } = await holdLineBack(disk);
    await phone.engine.exchange();
    const since = world.clock.now();
    await phone.engine.close();
    await world.clock.advance(60_000);
    const again = await world.device('ann', { storage: disk });
    expect(await again.engine.status()).toMatchObject({ parked: 1, oldestParkedAt: since });
    expect(await again.engine.get('order', 'o1')).toBeNull();
    const lines = await watch(again, 'line');
    await deliver({ tablet, phone: again });
    expect(lines).toEqual([[], ALL]);
  });

  test('takes what a newer manifest says: a line that was deleted meanwhile is not waited for', async () => {
    const { tablet, phone } = await holdLineBack();
    await phone.engine.exchange();
    await tablet.engine.remove('line', 'o1-l3');
    await tablet.engine.exchange();
    phone.intercept(null);
    await phone.engine.exchange();
    expect((await phone.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['o1-l1', 'o1-l2', 'o1-l4']);
    await expectAlike(phone);
  });

  test('takes what a newer manifest says: a line that the user may see no more, and of which no word comes, is not waited for', async () => {
    const { tablet, phone } = await holdLineBack();
    await phone.engine.exchange();
    await tablet.engine.update('order', 'o1', { note: 'later' });
    await tablet.engine.exchange();
    const isThird = (id: string): boolean => id === 'o1-l3';
    phone.intercept(forgePage((page) => ({ ...holdBack(page, isThird), groups: holdBack(page, isThird).groups.map((group) => ({ ...group, others: [] })) })));
    await phone.engine.exchange();
    expect((await phone.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['o1-l1', 'o1-l2', 'o1-l4']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });

  test('is brought by a download, and nothing goes on waiting', async () => {
    const { phone } = await holdLineBack();
    await phone.engine.exchange();
    await phone.engine.download();
    expect(await phone.engine.status()).toMatchObject({ parked: 0, hasFeedGap: false });
    await expectAlike(phone);
  });

  test('is brought whole by a fetch of the order, or of a line', async () => {
    const { phone } = await holdLineBack();
    await phone.engine.exchange();
    expect(await phone.engine.fetch('line', 'o1-l2')).toMatchObject({ id: 'o1-l2' });
    await expectAlike(phone);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });
});

test('A35: an order that a line left for another does not change before the line comes, which the page of both names and does not have', async () => {
  world = createBook();
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  for (const id of ['o1', 'o2']) await tablet.engine.save(order(id, 2));
  for (const { engine } of [tablet, phone]) await engine.exchange();
  await tablet.engine.update('line', 'o1-l1', { order: 'o2' });
  await tablet.engine.exchange();
  phone.intercept(forgePage((page) => holdBack(page, (id) => id === 'o1-l1')));
  expect(await phone.engine.exchange()).toMatchObject({ parked: 1 });
  const countsOf = async (): Promise<unknown[]> => (await phone.engine.query({ object: 'order' })).map(({ values }) => values.lines);
  expect(await countsOf()).toEqual([2, 2]);
  await tablet.engine.update('line', 'o1-l1', { product: 'tape' });
  await tablet.engine.exchange();
  phone.intercept(null);
  expect(await phone.engine.exchange()).toMatchObject({ parked: 0 });
  expect(await countsOf()).toEqual([1, 3]);
  await expectAlike(phone);
});

describe('A35: a child', () => {
  async function seeAttendee(isHeldBack: (id: string) => boolean): Promise<{ tablet: TestDevice; phone: TestDevice }> {
    world = createBook();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    await tablet.engine.create('event', { name: 'Round table' }, 'e1');
    await tablet.engine.create('attendee', { event: 'e1', name: 'Jo' }, 'p1');
    await tablet.engine.create('attendee', { event: 'e1', name: 'Al', guestOf: 'p1' }, 'p2');
    await tablet.engine.exchange();
    const forged = forgePage((page) => holdBack(page, isHeldBack));
    // Nor is it to be had by itself.
    phone.intercept((request, send) => (request.path.startsWith('record') ? Promise.reject(new TypeError('no way there')) : forged(request, send)));
    await phone.engine.exchange();
    return { tablet, phone };
  }

  test('whose master is not there waits for it, and comes with it', async () => {
    const { tablet, phone } = await seeAttendee((id) => id === 'e1');
    const attendees = await watch(phone, 'attendee');
    expect(attendees).toEqual([[]]);
    expect(await phone.engine.status()).toMatchObject({ parked: 2 });
    expect(await phone.engine.explain('attendee', 'p1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'event', id: 'e1' }] }]);
    await tablet.engine.update('event', 'e1', { name: 'Long table' });
    await tablet.engine.exchange();
    phone.intercept(null);
    await phone.engine.exchange();
    expect(attendees).toEqual([[], ['p1', 'p2']]);
    await expectAlike(phone);
  });

  test('does not wait for a record that it only refers to', async () => {
    const { phone } = await seeAttendee((id) => id === 'p1');
    expect((await phone.engine.query({ object: 'attendee' })).map(({ values }) => values)).toEqual([{ event: 'e1', name: 'Al', guestOf: 'p1' }]);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });

  test('does not wait for a master that no page brought, and that the device has from an answer', async () => {
    world = createBook();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    await tablet.engine.create('event', { name: 'Round table' }, 'e1');
    for (const { engine } of [tablet, phone]) await engine.exchange();
    let isLost = true;
    const forged = forgePage((page) => holdBack(page, (id) => id === 'e2'));
    phone.intercept((request, send) => (isLost && request.path !== 'upload' ? Promise.reject(new TypeError('no way there')) : forged(request, send)));
    await phone.engine.create('event', { name: 'High table' }, 'e2');
    await phone.engine.exchange();
    // The phone has its event from the answer; the child of it comes with no master on the page.
    await tablet.engine.exchange();
    await tablet.engine.create('attendee', { event: 'e2', name: 'Jo' }, 'p1');
    await tablet.engine.exchange();
    isLost = false;
    await phone.engine.exchange();
    expect((await phone.engine.query({ object: 'attendee' })).map(({ id }) => id)).toEqual(['p1']);
  });
});

test('A35: whatever the pages are cut to, no moment shows an order with another number of lines than it says', async () => {
  world = createBook(6);
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  const random = createSeededRandom(35);
  const pick = (count: number): number => Math.floor(random.next() * count);
  let next = 0;
  for (let saved = 0; saved < 60; saved++) {
    const id = `o${pick(8)}`, known = await tablet.engine.get('order', id);
    const lines = (await tablet.engine.query({ object: 'line', where: { order: id } })).map((line) => line.id);
    if (known === null) await tablet.engine.save(order(id, 1 + pick(4)));
    else if (lines.length > 9 || pick(3) === 0) await tablet.engine.remove('line', lines[pick(lines.length)] ?? (await tablet.engine.create('line', { order: id }, `x${next++}`)).id);
    else await tablet.engine.create('line', { order: id, product: 'tape' }, `n${next++}`);
  }
  await tablet.engine.exchange();
  let moments = 0;
  phone.intercept(async (request, send) => {
    const orders = await phone.engine.query({ object: 'order' });
    const lines = await phone.engine.query({ object: 'line' });
    for (const { id, values } of orders) expect(lines.filter((line) => line.values.order === id)).toHaveLength(Number(values.lines));
    expect(lines.filter((line) => !orders.some(({ id }) => id === line.values.order))).toEqual([]);
    moments++;
    return send(request);
  });
  await phone.engine.exchange();
  expect(await phone.engine.status()).toMatchObject({ lastFault: null, parked: 0 });
  expect(moments).toBeGreaterThan(10);
  await expectAlike(phone);
});

test('A35: rows that come a second time, or after newer ones, change nothing', async () => {
  world = createBook();
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  const pages: FeedAnswer[] = [];
  await tablet.engine.save(order('o1', 2));
  await tablet.engine.exchange();
  phone.intercept(forgePage((page) => (pages.push(page), page)));
  await phone.engine.exchange();
  for (const product of ['tape', 'gauze']) {
    await tablet.engine.update('line', 'o1-l1', { product });
    await tablet.engine.exchange();
    await phone.engine.exchange();
  }
  phone.events.length = 0;
  await tablet.engine.update('order', 'o1', { note: 'last' });
  await tablet.engine.exchange();
  const before = await phone.engine.query({ object: 'line' });
  // The envelope of the newest page around the rows of an earlier one.
  phone.intercept(forgePage((page) => ({ ...page, layouts: pages[1]!.layouts, items: pages[1]!.items, groups: pages[1]!.groups, transactions: page.transactions.map((transaction) => ({ ...transaction, items: [] })) })));
  await phone.engine.exchange();
  expect(phone.events.filter(({ type }) => type === 'feed:merged' || type === 'feed:kept-aside')).toEqual([]);
  expect(phone.events.filter(({ type }) => type === 'feed:skipped')).toHaveLength(imagesOf(pages[1]!).length);
  expect(await phone.engine.query({ object: 'line' })).toEqual(before);
  expect(await phone.engine.status()).toMatchObject({ lastFault: null, parked: 0 });
});

test('A35: the delete of a record that the device never had makes no record and no event', async () => {
  world = createBook();
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.create('event', { name: 'Round table' }, 'e1');
  await tablet.engine.exchange();
  await tablet.engine.remove('event', 'e1');
  await tablet.engine.exchange();
  const events = await watch(phone, 'event');
  await phone.engine.exchange();
  expect(phone.events).toContainEqual({ type: 'feed:polled', transactions: 2, head: 2 });
  expect(phone.events.filter(({ type }) => type === 'feed:merged' || type === 'feed:kept-aside')).toEqual([]);
  expect(events).toEqual([[]]);
});
