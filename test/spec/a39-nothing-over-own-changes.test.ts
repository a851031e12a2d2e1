import { afterEach, describe, expect, test } from 'vitest';
import { refuse } from '../../src/server/index.ts';
import { createWorld, goOnline, listOnline, put, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

let world: World<typeof groupSchema>;
afterEach(() => world.close());

const LOST = (): never => {
  throw new TypeError('no way there');
};

/** A record as a device shows it. */
async function shown({ engine }: TestDevice, object: string, id: string): Promise<unknown> {
  return (await engine.get(object, id))?.values;
}

async function expectAlike({ engine }: TestDevice, ...objects: readonly string[]): Promise<void> {
  for (const object of objects) expect((await engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
}

/** An order of two lines on two devices; the server sums up, and marks the other lines of a line that it saves. */
async function openOrder(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(groupSchema, {
    objects: {
      order: { formulas: ({ children }) => ({ total: String(children.line.reduce((sum, line) => sum + Number(line.quantity), 0)) }) },
      line: { validate: ({ next }) => (next.product === 'refused' ? refuse('product', 'no-such-product') : undefined) },
    },
  });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([
    put('create', 'order', 'o1', { status: 'open', notes: 'ours' }),
    put('create', 'line', 'l1', { order: 'o1', product: 'gauze', quantity: 1 }),
    put('create', 'line', 'l2', { order: 'o1', product: 'tape', quantity: 2 }),
  ]);
  for (const { engine } of [tablet, phone]) await engine.exchange();
  return { tablet, phone };
}

describe('A39: a group of which one line has a change of its own', () => {
  test.each(['waits for its upload', 'was refused'])('that %s, takes nothing from the feed; what came is merged once the line is settled', async (state) => {
    const { tablet, phone } = await openOrder();
    await tablet.engine.save([put('update', 'order', 'o1', { notes: 'theirs' }), put('update', 'line', 'l2', { quantity: 5 }), put('create', 'line', 'l3', { order: 'o1', product: 'pins', quantity: 9 })]);
    await tablet.engine.exchange();
    if (state === 'waits for its upload') phone.intercept((request, send) => (request.path === 'upload' ? LOST() : send(request)));
    else phone.intercept((request, send) => (request.path.startsWith('feed') ? LOST() : send(request)));
    await phone.engine.update('line', 'l1', { product: state === 'was refused' ? 'refused' : 'mine' });
    await phone.engine.exchange();
    if (state === 'was refused') phone.intercept(null);
    await phone.engine.exchange();
    // The line of the change, its group's header, a line that only others have changed, and one that only others have.
    expect(await shown(phone, 'line', 'l1')).toMatchObject({ quantity: 1 });
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ notes: 'ours', total: '3' });
    expect(await shown(phone, 'line', 'l2')).toMatchObject({ quantity: 2 });
    expect(await shown(phone, 'line', 'l3')).toBeUndefined();
    expect(await phone.engine.explain('order', 'o1')).toEqual([{ code: 'kept-aside' }]);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
    phone.intercept(null);
    for (const { id } of await phone.engine.listSyncErrors()) await phone.engine.undo(id);
    await phone.engine.exchange();
    expect(await shown(phone, 'line', 'l3')).toMatchObject({ quantity: 9 });
    await expectAlike(phone, 'order', 'line');
  });

  test('that is new and that nobody else has heard of, is not overtaken by a newer header', async () => {
    const { tablet, phone } = await openOrder();
    let isLost = true;
    phone.intercept((request, send) => (isLost && request.path === 'upload' ? LOST() : send(request)));
    await phone.engine.create('line', { order: 'o1', product: 'mine', quantity: 20 }, 'l9');
    await tablet.engine.update('line', 'l2', { quantity: 5 });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ total: '3' });
    expect(await shown(phone, 'line', 'l2')).toMatchObject({ quantity: 2 });
    isLost = false;
    await phone.engine.exchange();
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ total: '26' });
    await expectAlike(phone, 'order', 'line');
  });

  test('keeps it while another line waits: the answer to one save takes in that save’s records alone', async () => {
    const { tablet, phone } = await openOrder();
    // The first save goes up; the second one waits behind it, and its upload is lost.
    let uploads = 0;
    phone.intercept((request, send) => (request.path === 'upload' && ++uploads > 1 ? LOST() : send(request)));
    await phone.engine.setLifecycle({ isOnline: false });
    await phone.engine.update('line', 'l1', { quantity: 10 });
    await phone.engine.update('line', 'l2', { product: 'glue' });
    await tablet.engine.update('order', 'o1', { notes: 'theirs' });
    await tablet.engine.exchange();
    await goOnline(phone);
    expect(await phone.engine.status()).toMatchObject({ pending: 1 });
    expect(await shown(phone, 'line', 'l1')).toMatchObject({ quantity: 10 });
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ notes: 'ours', total: '3' });
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ notes: 'theirs', total: '12' });
    await expectAlike(phone, 'order', 'line');
  });

  test('stays as it is when others delete it; the delete comes once the user has let go', async () => {
    const { tablet, phone } = await openOrder();
    phone.intercept((request, send) => (request.path === 'upload' ? LOST() : send(request)));
    await phone.engine.update('line', 'l1', { product: 'mine' });
    await tablet.engine.remove('order', 'o1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect((await phone.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['l1', 'l2']);
    expect(await shown(phone, 'order', 'o1')).toMatchObject({ notes: 'ours' });
    phone.intercept(null);
    expect(await phone.engine.exchange()).toMatchObject({ syncErrors: 1 });
    expect((await phone.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['l1', 'l2']);
    const [error] = await phone.engine.listSyncErrors();
    await phone.engine.undo(error!.id);
    expect(await phone.engine.query({ object: 'line' })).toEqual([]);
    expect(await phone.engine.query({ object: 'order' })).toEqual([]);
  });

  test('waits over a restart of the app, and over a download', async () => {
    const { tablet, phone } = await openOrder();
    phone.intercept((request, send) => (request.path === 'upload' ? LOST() : send(request)));
    await phone.engine.update('line', 'l1', { product: 'mine' });
    await tablet.engine.save([put('update', 'order', 'o1', { notes: 'theirs' }), put('update', 'line', 'l2', { quantity: 5 })]);
    await tablet.engine.remove('line', 'l2');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await phone.engine.close();
    const again = await world.device('ann', { storage: phone.disk });
    again.intercept((request, send) => (request.path === 'upload' ? LOST() : send(request)));
    await again.engine.download();
    expect(await again.engine.status()).toMatchObject({ pending: 1, hasFeedGap: false, parked: 0 });
    expect(await shown(again, 'order', 'o1')).toMatchObject({ notes: 'ours', total: '3' });
    expect(await shown(again, 'line', 'l2')).toMatchObject({ quantity: 2 });
    again.intercept(null);
    await again.engine.exchange();
    expect(await shown(again, 'order', 'o1')).toMatchObject({ notes: 'theirs' });
    await expectAlike(again, 'order', 'line');
  });
});

test('A39: a call of which only a child waits is not merged over by the feed, so its copy has what the user saw, and not what was submitted', async () => {
  world = createWorld(groupSchema);
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([put('create', 'call', 'c1', { name: 'St. Mary', status: 'saved', notes: 'first' }), put('create', 'callSample', 's1', { call: 'c1', product: 'gauze', quantity: 1 })]);
  for (const { engine } of [tablet, phone]) await engine.exchange();
  await tablet.engine.update('call', 'c1', { status: 'submitted', notes: 'theirs' });
  await tablet.engine.exchange();
  let isLost = true;
  phone.intercept((request, send) => (isLost && request.path === 'upload' ? LOST() : send(request)));
  await phone.engine.update('callSample', 's1', { quantity: 7 });
  await phone.engine.exchange();
  // The feed has brought the submitted header; nobody sees it before the sample is answered.
  expect(phone.events).toContainEqual({ type: 'feed:kept-aside', object: 'call', id: 'c1', reason: 'pending' });
  expect(await shown(phone, 'call', 'c1')).toMatchObject({ status: 'saved', notes: 'first' });
  isLost = false;
  expect(await phone.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0, notices: 1 });
  const calls = await listOnline(world, 'call');
  expect(calls.find(({ id }) => id === 'c1')).toMatchObject({ status: 'submitted', notes: 'theirs' });
  expect(calls.find(({ id }) => id !== 'c1')).toMatchObject({ status: 'saved', notes: 'first', copiedFrom: 'c1' });
  await expectAlike(phone, 'call', 'callSample');
});
