import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, integer, parent, serverOwned, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { copyDisk } from '../support/copy-disk.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { fields: { name: text(), total: serverOwned(integer()) } },
    line: { coalesce: 'never', fields: { order: parent('order', { group: true }), product: text(), quantity: integer() } },
  },
});
const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof schema>;
afterEach(() => world.close());

const formulas = { order: { formulas: ({ children }: { children: { line: readonly { quantity: number | null }[] } }) => ({ total: children.line.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0) }) } };
const saveOrder = ({ engine }: TestDevice) =>
  engine.save([
    { op: 'create', object: 'order', id: 'o1', values: { name: 'first' } },
    { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'gauze', quantity: 1 } },
    { op: 'create', object: 'line', id: 'l2', values: { order: 'o1', product: 'tape', quantity: 2 } },
  ]);
const valuesOf = async (object: 'order' | 'line', id: string): Promise<Record<string, unknown>> => ({ ...(await world.server.online.get(object, id))?.values });

/** Loses the answers to uploads until it is told otherwise. */
function loseAnswers(device: TestDevice): void {
  device.intercept(async (request, send) => {
    const answer = await send(request);
    if (request.path === 'upload') throw new TypeError('the answer is lost');
    return answer;
  });
}

describe('C3: a repeated answer for a group', () => {
  test('brings every record as it is now, masters and their sums included, though somebody went on since', async () => {
    world = createWorld(schema, { objects: formulas });
    const phone = await world.device('ann');
    loseAnswers(phone);
    const { entry } = await saveOrder(phone);
    await phone.engine.exchange();
    await world.server.online.save([{ op: 'update', object: 'line', id: 'l2', values: { quantity: 7 } }]);
    phone.intercept((request, send) => (request.path.startsWith('feed') ? Promise.reject(new TypeError('no feed')) : send(request)));
    await phone.engine.exchange();
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await phone.engine.get('order', 'o1'))?.values).toMatchObject({ name: 'first', total: 8 });
    expect((await phone.engine.get('line', 'l2'))?.values).toMatchObject({ quantity: 7 });
    expect(await world.server.online.list('line')).toHaveLength(2);
  });
});

describe('C5: edits that wait behind a group whose answer was lost', () => {
  test('begin from what the group committed, so what somebody wrote since is not overwritten unseen', async () => {
    world = createWorld(schema);
    const phone = await world.device('ann');
    loseAnswers(phone);
    await saveOrder(phone);
    await phone.engine.exchange();
    const clash = await phone.engine.update('line', 'l2', { quantity: 3 });
    await world.server.online.save([{ op: 'update', object: 'line', id: 'l2', values: { quantity: 7 } }]);
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await phone.engine.outcome(clash.entry!)).toMatchObject({ kind: 'refused' });
    expect((await phone.engine.listSyncErrors())[0]).toMatchObject({ class: 'conflict', object: 'line', fields: [{ field: 'quantity', previous: 2, mine: 3, online: 7 }] });
    expect(await valuesOf('line', 'l2')).toMatchObject({ quantity: 7 });
  });

  test('begin from what the server made of their own record, each of the group by itself', async () => {
    world = createWorld(schema, { objects: { line: { beforeSave: ({ next, op }) => (op === 'create' ? { product: `${next.product!}!` } : undefined) } } });
    const phone = await world.device('ann');
    loseAnswers(phone);
    await saveOrder(phone);
    await phone.engine.exchange();
    const edits = [await phone.engine.update('line', 'l1', { product: 'GAUZE' }), await phone.engine.update('line', 'l2', { product: 'TAPE' })];
    phone.intercept(null);
    expect(await phone.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    for (const { entry } of edits) expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect([await valuesOf('line', 'l1'), await valuesOf('line', 'l2')]).toMatchObject([{ product: 'GAUZE' }, { product: 'TAPE' }]);
  });
});

describe('C2: a store that came back from a copy', () => {
  test('sends nothing twice: what both copies had is saved once, what clashes becomes a sync error, the rest goes up', async () => {
    world = createWorld(schema);
    const disk = memory();
    const before = await world.device('ann', { storage: disk });
    loseAnswers(before);
    const shared = await saveOrder(before);
    await before.engine.exchange();
    await before.engine.close();
    const copied = await copyDisk(disk, 'ann', ['order', 'line']);
    const original = await world.device('ann', { storage: disk });
    await original.engine.create('order', { name: 'of the original' }, 'o2');
    await original.engine.exchange();
    const copy = await world.device('ann', { storage: copied, lifecycle: OFFLINE });
    const clash = await copy.engine.create('order', { name: 'of the copy' }, 'o3');
    const behind = await copy.engine.create('line', { order: 'o3', product: 'salve' }, 'l3');
    expect(await goOnline(copy)).toMatchObject({ pending: 1, syncErrors: 1 });
    expect(await copy.engine.outcome(shared.entry!)).toEqual({ kind: 'saved' });
    expect(await copy.engine.listSyncErrors()).toMatchObject([{ id: clash.entry, class: 'fate-unknown', dependants: [{ entry: behind.entry }] }]);
    await copy.engine.resolve(clash.entry!, 'retry');
    expect(await copy.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.list('order')).map(({ id }) => id)).toEqual(['o1', 'o2', 'o3']);
    expect((await world.server.online.list('line')).map(({ id }) => id)).toEqual(['l1', 'l2', 'l3']);
    // From then on they are two stores.
    await original.engine.create('order', { name: 'again' }, 'o4');
    await copy.engine.create('order', { name: 'again' }, 'o5');
    for (const { engine } of [original, copy]) expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
  });
});

describe('C2: a store that was wiped', () => {
  test('while a group was under way, is a new store; the group is online once, and comes back by itself', async () => {
    world = createWorld(schema);
    const before = await world.device('ann');
    const sent: Parameters<Parameters<TestDevice['intercept']>[0] & object>[0][] = [];
    before.intercept((request, send) => {
      if (request.path !== 'upload') return send(request);
      sent.push(request);
      return Promise.reject(new TypeError('it did not get through'));
    });
    await saveOrder(before);
    await before.engine.exchange();
    await before.engine.close();
    const after = await world.device('ann');
    await after.engine.download();
    expect(await after.engine.query({ object: 'line' })).toEqual([]);
    // The request had been on its way all the time, twice.
    const late = await world.device('ann', { lifecycle: OFFLINE });
    late.intercept((_, send) => send({ ...sent[0]!, signal: new AbortController().signal }));
    for (let times = 0; times < 2; times++) await goOnline(late);
    expect(await after.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await after.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['l1', 'l2']);
    expect(await world.server.online.list('order')).toHaveLength(1);
  });
});
