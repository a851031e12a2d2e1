import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseUploadRequest } from '../../src/protocol/parse.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import type { Change } from '../../src/client/queue/transaction.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };
const order = (id: string, values: Record<string, unknown> = {}): Change => ({ op: 'create', object: 'order', id, values });
const line = (id: string, of: string, values: Record<string, unknown> = {}): Change => ({ op: 'create', object: 'line', id, values: { order: of, product: 'gauze', quantity: 1, ...values } });
const lines = (of: string, count: number): Change[] => Array.from({ length: count }, (_, index) => line(`${of}-${index + 1}`, of));
const entriesOf = ({ requests }: TestDevice) => requests.filter(({ path }) => path === 'upload').flatMap(({ body }) => parseUploadRequest(decodeEnvelope(body!)).entries);

describe('A15: a transaction', () => {
  test('A15: queues a header with its children as one entry, and the server takes all of it', async () => {
    world = createWorld(schema);
    const device = await world.device('ann', { lifecycle: OFFLINE });
    const { entry, records } = await device.engine.save([line('l1', 'o1'), { op: 'create', object: 'batch', id: 'b1', values: { line: 'l1', lot: '7' } }, order('o1')]);
    expect(records).toEqual([{ object: 'line', id: 'l1' }, { object: 'batch', id: 'b1' }, { object: 'order', id: 'o1' }]);
    expect(await device.engine.status()).toMatchObject({ pending: 1 });
    expect(await goOnline(device)).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(entriesOf(device)).toMatchObject([{ members: 3, headers: [{ object: 'order', id: 'o1', epoch: 0, n: 0 }] }]);
    expect(device.events.filter(({ type }) => type === 'change:queued')).toMatchObject([{ object: 'order' }, { object: 'line' }, { object: 'batch' }]);
    for (const object of ['order', 'line', 'batch'] as const) expect(await world.server.online.list(object)).toHaveLength(1);
  });

  test('A15: is all or nothing: line 7 of 10 breaks a rule, nothing is online, and all 11 records show the error', async () => {
    world = createWorld(schema, { objects: { line: { validate: ({ next }) => (next.quantity === 13 ? refuse('quantity', 'unlucky') : undefined) } } });
    const device = await world.device('ann', { lifecycle: OFFLINE });
    const changes = [order('o1'), ...lines('o1', 10)];
    const { entry } = await device.engine.save(changes.map((change) => (change.id === 'o1-7' ? line('o1-7', 'o1', { quantity: 13 }) : change)));
    expect(await goOnline(device)).toMatchObject({ pending: 0, syncErrors: 1 });
    expect(await device.engine.listSyncErrors()).toMatchObject([{ id: entry, object: 'line', recordId: 'o1-7', class: 'validation' }]);
    expect(await world.server.online.list('order')).toEqual([]);
    expect(await world.server.online.list('line')).toEqual([]);
    const shown = [...(await device.engine.query({ object: 'order' })), ...(await device.engine.query({ object: 'line' }))];
    expect(shown.map(({ syncState }) => syncState)).toEqual(Array.from({ length: 11 }, () => 'error'));
  });

  test('A15: with one bad member queues nothing, and the fault names object, field and change', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    const bad = { op: 'create', object: 'line', id: 'l2', values: { order: 'o1', quantity: 1 } } as const;
    await expect(engine.save([order('o1'), line('l1', 'o1'), bad])).rejects.toMatchObject({ code: 'FIELD_REQUIRED', details: { object: 'line', field: 'product', change: 2 } });
    expect(await engine.status()).toMatchObject({ pending: 0 });
    expect(await engine.query({ object: 'order' })).toEqual([]);
  });

  test.each([
    ['records outside groups', [{ op: 'create', object: 'account', values: { name: 'a' } }, { op: 'create', object: 'account', values: { name: 'b' } }]],
    ['two orders', [order('o1'), order('o2')]],
    ['an order and a record outside groups', [order('o1'), { op: 'create', object: 'account', values: { name: 'a' } }]],
  ] as const)('A15: of %s is refused, and nothing is queued', async (_, changes) => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    await expect(engine.save(changes)).rejects.toMatchObject({ code: 'GROUP_MIXED', details: { change: 1 } });
    expect(await engine.status()).toMatchObject({ pending: 0 });
  });

  test('A15: names no record twice, and hangs nothing on what it deletes', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    await engine.save([order('o1'), line('l1', 'o1')]);
    await expect(engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'x' } }, { op: 'remove', object: 'order', id: 'o1' }])).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { change: 1 } });
    await expect(engine.save([{ op: 'remove', object: 'order', id: 'o1' }, line('l2', 'o1')])).rejects.toMatchObject({ code: 'OPTION_INVALID', details: { object: 'line', id: 'l2' } });
  });

  test('A15: that is larger than the server takes is refused at the save, never split', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: OFFLINE });
    await expect(engine.save([order('o1'), ...lines('o1', DEFAULT_LIMITS.members)])).rejects.toMatchObject({ code: 'CHANGE_TOO_LARGE', details: { members: DEFAULT_LIMITS.members + 1 } });
    const long = 'x'.repeat(DEFAULT_LIMITS.entryBytes / 4);
    const heavy = Array.from({ length: 5 }, (_, index) => line(`l${index}`, 'o1', { product: long }));
    await expect(engine.save([order('o1'), ...heavy])).rejects.toMatchObject({ code: 'CHANGE_TOO_LARGE' });
    expect(await engine.status()).toMatchObject({ pending: 0 });
    expect((await engine.save([order('o1'), ...lines('o1', DEFAULT_LIMITS.members - 1)])).entry).toBe(1);
  });
});

describe('A15: single saves in a group', () => {
  test('A15: a child saved alone names its header at the version that the user saw', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.save([order('o1'), line('l1', 'o1'), { op: 'create', object: 'batch', id: 'b1', values: { line: 'l1' } }]);
    await device.engine.exchange();
    await device.engine.update('batch', 'b1', { lot: '9' });
    await device.engine.exchange();
    const [first, second] = entriesOf(device);
    expect(first).toMatchObject({ headers: [{ id: 'o1', epoch: 0, n: 0 }] });
    expect(second).toMatchObject({ members: 1, headers: [{ object: 'order', id: 'o1' }] });
    expect(second!.headers[0]!.n).toBeGreaterThan(0);
  });

  test('A15: a line moved to another header names both, in key order', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.save([order('o2'), line('l1', 'o2')]);
    await device.engine.save([order('o1')]);
    await device.engine.exchange();
    await device.engine.save([{ op: 'update', object: 'line', id: 'l1', values: { order: 'o1' } }, { op: 'update', object: 'order', id: 'o1', values: { note: 'from 2' } }]);
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(entriesOf(device).at(-1)).toMatchObject({ members: 2, headers: [{ id: 'o1' }, { id: 'o2' }] });
    expect(await world.server.online.list('line')).toMatchObject([{ values: { order: 'o1' } }]);
  });

  test('A15: the delete of a header takes what hangs on it along as one entry, children first', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.save([order('o1'), ...lines('o1', 3), { op: 'create', object: 'batch', id: 'b1', values: { line: 'o1-2' } }]);
    await device.engine.save([order('o2'), line('other', 'o2')]);
    await device.engine.exchange();
    const { entry } = await device.engine.remove('order', 'o1');
    expect(await device.engine.query({ object: 'line' })).toMatchObject([{ id: 'other' }]);
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(entriesOf(device).at(-1)).toMatchObject({ members: 5 });
    expect(device.events.flatMap((event) => (event.type === 'change:queued' && event.op === 'remove' ? [event.object] : []))).toEqual(['batch', 'line', 'line', 'line', 'order']);
    expect(await world.server.online.list('batch')).toEqual([]);
    expect((await world.server.online.list('line')).map(({ id }) => id)).toEqual(['other']);
  });

  test('A15: an unsent delete is taken back offline with the whole group', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.save([order('o1'), ...lines('o1', 2)]);
    await device.engine.exchange();
    await device.engine.setLifecycle({ isOnline: false });
    const { entry } = await device.engine.remove('order', 'o1');
    await expect(device.engine.restore('order', 'o2')).rejects.toMatchObject({ code: 'RECORD_MISSING' });
    expect(await device.engine.restore('line', 'o1-1')).toEqual({ object: 'line', id: 'o1-1', entry });
    expect(await device.engine.query({ object: 'line' })).toMatchObject([{ syncState: 'synced' }, { syncState: 'synced' }]);
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'undone' });
    expect(await device.engine.readJournal(entry!)).toMatchObject([{ reason: 'undone', members: [{ op: 'remove' }, { op: 'remove' }, { op: 'remove' }] }]);
    expect(await device.engine.status()).toMatchObject({ pending: 0 });
    await expect(device.engine.restore('order', 'o1')).rejects.toMatchObject({ code: 'RECORD_MISSING' });
  });

  test('A23: a submitted record and its group are closed on the device, also while the submit waits', async () => {
    world = createWorld(schema);
    const device = await world.device('ann', { lifecycle: OFFLINE });
    await device.engine.save([order('o1', { state: 'submitted' }), line('l1', 'o1')]);
    const locked = { code: 'RECORD_LOCKED', details: { headerObject: 'order', headerId: 'o1' } };
    for (const isOnline of [false, true]) {
      await device.engine.setLifecycle({ isOnline });
      if (isOnline) await device.engine.exchange();
      await expect(device.engine.update('line', 'l1', { quantity: 2 })).rejects.toMatchObject(locked);
      await expect(device.engine.update('order', 'o1', { state: null })).rejects.toMatchObject(locked);
      await expect(device.engine.remove('order', 'o1')).rejects.toMatchObject(locked);
      await expect(device.engine.save([line('l2', 'o1')])).rejects.toMatchObject(locked);
    }
    await device.engine.save([order('o2'), line('l3', 'o2')]);
    await device.engine.save([{ op: 'update', object: 'order', id: 'o2', values: { state: 'submitted' } }, { op: 'update', object: 'line', id: 'l3', values: { quantity: 4 } }]);
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
  });

  test('A15: a group is whole after a restart', async () => {
    world = createWorld(schema);
    const disk = memory();
    const device = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    const { entry } = await device.engine.save([order('o1'), ...lines('o1', 3)]);
    await device.engine.close();
    const again = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    expect(await again.engine.query({ object: 'line' })).toHaveLength(3);
    await goOnline(again);
    expect(await again.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(await world.server.online.list('line')).toHaveLength(3);
  });
});
