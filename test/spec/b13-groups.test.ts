import { afterEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/client/queue/transaction.ts';
import { refuse } from '../../src/server/index.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

let world: World<typeof schema>;
/** What the server's own rules say to a line. */
let isStrict = true;
afterEach(() => world.close());

const OFFLINE = { isOnline: false };
const objects = ['order', 'line', 'batch'] as const;
const order: Change = { op: 'create', object: 'order', id: 'o1', values: { note: 'first' } };
const line = (id: string, quantity: number): Change => ({ op: 'create', object: 'line', id, values: { order: 'o1', product: 'gauze', quantity } });
const batch: Change = { op: 'create', object: 'batch', id: 'b1', values: { line: 'l1', lot: '7' } };

async function open(): Promise<TestDevice> {
  isStrict = true;
  world = createWorld(schema, {
    objects: { line: { validate: ({ next }) => (isStrict && next.quantity === 13 ? refuse('quantity', 'unlucky') : undefined), allow: ({ op }) => !isStrict || op !== 'remove' } },
  });
  return world.device('ann');
}

/** A device whose order, with two lines and a batch, is online already. */
async function withOrder(): Promise<TestDevice> {
  const phone = await open();
  await phone.engine.save([order, line('l1', 1), line('l2', 2), batch]);
  await phone.engine.exchange();
  return phone;
}

const list = async ({ engine }: TestDevice) =>
  Object.fromEntries(await Promise.all(objects.map(async (object) => [object, (await engine.query({ object })).map(({ id, values }) => ({ id, values }))])));

async function expectAlike(phone: TestDevice): Promise<void> {
  await phone.engine.exchange();
  expect(await phone.engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
  const there = Object.fromEntries(await Promise.all(objects.map(async (object) => [object, (await world.server.online.list(object)).map(({ id, values }) => ({ id, values }))])));
  expect(await list(phone)).toEqual(there);
}

describe('B13: a refused group', () => {
  test('lists every member with its fields, and names the one that caused it', async () => {
    const { engine } = await open();
    await engine.save([order, line('l1', 1), line('l2', 13)]);
    await engine.exchange();
    expect(await engine.listSyncErrors()).toMatchObject([
      {
        class: 'validation', object: 'line', recordId: 'l2', op: 'create', fields: expect.arrayContaining([{ field: 'quantity', previous: null, mine: 13, online: null, isCause: true }]) as unknown,
        members: [
          { object: 'order', recordId: 'o1', op: 'create', onlineState: 'unknown', fields: [{ field: 'note', mine: 'first', isCause: false }] },
          { object: 'line', recordId: 'l1', fields: expect.arrayContaining([{ field: 'quantity', previous: null, mine: 1, online: null, isCause: false }]) as unknown },
          { object: 'line', recordId: 'l2' },
        ],
      },
    ]);
  });

  test('shows online of its other members what this device merged last', async () => {
    const { engine } = await withOrder();
    await engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, { op: 'update', object: 'line', id: 'l1', values: { quantity: 13 } }]);
    await engine.exchange();
    expect(await engine.listSyncErrors()).toMatchObject([{ recordId: 'l1', members: [{ recordId: 'o1', onlineState: 'live', fields: [{ field: 'note', previous: 'first', mine: 'second', online: 'first' }] }, { recordId: 'l1' }] }]);
  });

  test('is taken back whole, with the later edits of any of its records', async () => {
    const phone = await withOrder();
    const before = await list(phone);
    const refused = await phone.engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, line('l3', 13), { op: 'update', object: 'line', id: 'l1', values: { quantity: 5 } }]);
    await phone.engine.exchange();
    const later = await phone.engine.update('batch', 'b1', { lot: '8' });
    expect((await phone.engine.undo(refused.entry!)).entries).toEqual([refused.entry, later.entry]);
    expect(await list(phone)).toEqual(before);
    expect(await phone.engine.readJournal()).toHaveLength(2);
    await expectAlike(phone);
  });

  test('comes back with children and relations after an undelete, without a network', async () => {
    const phone = await withOrder();
    const before = await list(phone);
    const removed = await phone.engine.save([...['l1', 'l2'].map((id): Change => ({ op: 'remove', object: 'line', id })), { op: 'remove', object: 'batch', id: 'b1' }, { op: 'remove', object: 'order', id: 'o1' }]);
    expect(await list(phone)).toEqual({ order: [], line: [], batch: [] });
    await phone.engine.exchange();
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ class: 'permission', actions: ['undelete', 'retry', 'export'] }]);
    await phone.engine.setLifecycle(OFFLINE);
    phone.requests.length = 0;
    await phone.engine.resolve(removed.entry!, 'undelete');
    expect(await list(phone)).toEqual(before);
    expect(phone.requests).toEqual([]);
    await phone.engine.setLifecycle({ isOnline: true });
    await expectAlike(phone);
  });

  test('asks the server once for the whole group after an undo', async () => {
    const phone = await withOrder();
    const { entry } = await phone.engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, { op: 'update', object: 'line', id: 'l1', values: { quantity: 13 } }, { op: 'update', object: 'line', id: 'l2', values: { quantity: 5 } }]);
    await phone.engine.exchange();
    await phone.engine.undo(entry!);
    await phone.engine.exchange();
    expect(phone.requests.flatMap(({ path }) => (path.startsWith('record') ? [path] : []))).toEqual(['record?object=order&id=o1']);
  });

  test('A26: is fixed member by member, and goes up as one', async () => {
    const phone = await withOrder();
    const { entry } = await phone.engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, line('l3', 13), { op: 'update', object: 'line', id: 'l1', values: { quantity: 13 } }]);
    await phone.engine.exchange();
    await phone.engine.resolve(entry!, 'fix', [{ object: 'line', id: 'l3', values: { quantity: 3 } }, { object: 'line', id: 'l1', values: { quantity: 1 } }]);
    await phone.engine.exchange();
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('line', 'l3'))?.values).toMatchObject({ quantity: 3 });
    expect((await world.server.online.get('order', 'o1'))?.values).toMatchObject({ note: 'second' });
    await expectAlike(phone);
  });

  test('whose header is gone online is created anew with all that hangs on it, later edits and references included', async () => {
    const phone = await withOrder();
    await world.server.online.save([{ op: 'remove', object: 'order', id: 'o1' }]);
    await phone.engine.setLifecycle(OFFLINE);
    const refused = await phone.engine.update('order', 'o1', { note: 'second' });
    const later = await phone.engine.save([{ op: 'update', object: 'line', id: 'l1', values: { quantity: 5 } }, { op: 'create', object: 'batch', id: 'b2', values: { line: 'l2', lot: '9' } }]);
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ id: refused.entry, class: 'edit-vs-delete' }]);
    const { recreated } = await phone.engine.resolve(refused.entry!, 'recreate');
    expect(recreated.map(({ object, from }) => `${object} ${from}`).sort()).toEqual(['batch b1', 'batch b2', 'line l1', 'line l2', 'order o1']);
    await phone.engine.exchange();
    expect(await phone.engine.outcome(refused.entry!)).toEqual({ kind: 'saved' });
    expect(await phone.engine.outcome(later.entry!)).toEqual({ kind: 'withdrawn' });
    const to = Object.fromEntries(recreated.map((one) => [one.from, one.to]));
    expect((await world.server.online.get('line', to.l1!))?.values).toMatchObject({ order: to.o1, quantity: 5 });
    expect((await world.server.online.get('batch', to.b2!))?.values).toMatchObject({ line: to.l2, lot: '9' });
    expect((await world.server.online.get('order', to.o1!))?.values).toMatchObject({ note: 'second' });
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 0, pending: 0 });
  });

  test('is undone, retried and exported under its one number', async () => {
    const phone = await withOrder();
    const { entry } = await phone.engine.save([line('l3', 13), line('l4', 13)]);
    await phone.engine.exchange();
    expect((await phone.engine.exportEntries([entry!]))[0]!.members).toHaveLength(2);
    isStrict = false;
    await phone.engine.resolve(entry!, 'retry');
    await expectAlike(phone);
  });
});
