import { afterEach, describe, expect, test, vi } from 'vitest';
import { defineSchema, integer, parent, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text(), city: text(), phone: text(), staff: integer() } },
    contact: { fields: { account: parent('account'), name: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const offline = { isOnline: false }, online = { isOnline: true };

async function pair(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, {
    objects: { account: { validate: ({ next }) => (next.staff === 13 ? refuse('staff', 'unlucky', 'Thirteen will not do.') : undefined), allow: ({ op, fields }) => op !== 'update' || !fields.includes('phone') } },
  });
  const tablet = await world.device('ann'), phone = await world.device('ann');
  await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
  await tablet.engine.exchange();
  for (const { engine } of [tablet, phone]) await engine.download();
  return { tablet, phone };
}

/** Lets a change be refused on the phone, takes it back, and holds the phone against the server. */
async function refuseAndUndo(phone: TestDevice, expected: object): Promise<void> {
  await phone.engine.exchange();
  const [error, ...others] = await phone.engine.listSyncErrors();
  expect(others).toEqual([]);
  expect(error).toMatchObject(expected);
  expect(await phone.engine.status()).toMatchObject({ state: 'error', syncErrors: 1 });
  await phone.engine.undo(error!.id);
  await phone.engine.exchange();
  expect(await phone.engine.status()).toMatchObject({ state: 'upToDate', syncErrors: 0, pending: 0 });
  for (const object of ['account', 'contact']) {
    const here = (await phone.engine.query({ object })).map(({ id, values }) => ({ id, values }));
    const there = (await world.server.online.list(object)).map(({ id, values }) => ({ id, values }));
    expect(here).toEqual(there);
  }
}

describe('sync errors', () => {
  test('B13, A19: a conflict names the field with what was seen, written and is online; undo makes device and server alike', async () => {
    const { tablet, phone } = await pair();
    await phone.engine.setLifecycle(offline);
    await phone.engine.update('account', 'a1', { city: 'Antwerp' });
    await tablet.engine.update('account', 'a1', { city: 'Bruges' });
    await tablet.engine.exchange();
    await phone.engine.setLifecycle(online);
    await refuseAndUndo(phone, { class: 'conflict', op: 'update', actions: ['undo', 'keepMine', 'fix', 'export'], onlineState: 'live', fields: [{ field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Bruges', isCause: true }] });
  });

  test('B13, A26: what validation refuses comes back with the host’s field, code and sentence', async () => {
    const { phone } = await pair();
    await phone.engine.update('account', 'a1', { staff: 13, city: 'Bruges' });
    await refuseAndUndo(phone, { class: 'validation', code: 'unlucky', message: 'Thirteen will not do.', fields: [{ field: 'city' }, { field: 'staff', mine: 13, online: null }] });
  });

  test('B13: a refused create is removed by undo', async () => {
    const { phone } = await pair();
    await phone.engine.create('account', { name: 'new', staff: 13 }, 'a2');
    await refuseAndUndo(phone, { class: 'validation', op: 'create', recordId: 'a2' });
    expect(await phone.engine.get('account', 'a2')).toBeNull();
  });

  test('B13: what may not be done comes back as a permission error', async () => {
    const { phone } = await pair();
    await phone.engine.update('account', 'a1', { phone: '1' });
    await refuseAndUndo(phone, { class: 'permission' });
  });

  test('B13: an edit of a record that was deleted online; undo removes the local copy', async () => {
    const { phone } = await pair();
    await world.server.online.save([{ op: 'remove', object: 'account', id: 'a1' }]);
    await phone.engine.update('account', 'a1', { city: 'Antwerp' });
    await refuseAndUndo(phone, { class: 'edit-vs-delete', onlineState: 'deleted' });
    expect(await phone.engine.get('account', 'a1')).toBeNull();
  });

  test('B13: a delete of a record that was changed online can be undeleted', async () => {
    const { phone } = await pair();
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } }]);
    await phone.engine.remove('account', 'a1');
    await refuseAndUndo(phone, { class: 'delete-vs-edit', op: 'remove', actions: ['undelete', 'keepMine', 'export'], fields: expect.arrayContaining([expect.objectContaining({ field: 'city', previous: 'Ghent', online: 'Bruges', isCause: true })]) as unknown });
    expect((await phone.engine.get('account', 'a1'))?.values.city).toBe('Bruges');
  });

  test('B13: of many that are undone at once, each record is asked for, one after another', async () => {
    const { phone } = await pair();
    const ids = Array.from({ length: 12 }, (_, index) => `b${index}`);
    for (const id of ids) await phone.engine.create('account', { name: id }, id);
    await phone.engine.exchange();
    for (const id of ids) await phone.engine.update('account', id, { staff: 13 });
    await phone.engine.exchange();
    let underWay = 0, most = 0, asked = 0;
    phone.intercept(async (request, send) => {
      if (!request.path.startsWith('record')) return send(request);
      most = Math.max(most, ++underWay);
      const response = await send(request);
      underWay--;
      asked++;
      return response;
    });
    await phone.engine.resolveAll('all', 'undo');
    await vi.waitFor(() => expect(asked).toBe(ids.length));
    expect(most).toBe(1);
  });

  test('B13: a create whose id is taken by a different record', async () => {
    const { phone } = await pair();
    await world.server.online.save([{ op: 'create', object: 'account', id: 'a2', values: { name: 'theirs' } }]);
    await phone.engine.create('account', { name: 'mine' }, 'a2');
    await refuseAndUndo(phone, { class: 'duplicate-key', fields: [{ field: 'name', mine: 'mine', online: 'theirs', isCause: true }] });
  });

  test('A20: a create that is online already with the same values is accepted', async () => {
    const { phone } = await pair();
    await world.server.online.save([{ op: 'create', object: 'account', id: 'a2', values: { name: 'same' } }]);
    const { entry } = await phone.engine.create('account', { name: 'same' }, 'a2');
    await phone.engine.exchange();
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', 'a2'))?.version[1]).toBe(1);
  });

  test('B13: a child of a parent that is gone', async () => {
    const { phone } = await pair();
    await world.server.online.save([{ op: 'remove', object: 'account', id: 'a1' }]);
    await phone.engine.create('contact', { account: 'a1', name: 'Jo' }, 'c1');
    await phone.engine.exchange();
    const [error] = await phone.engine.listSyncErrors();
    expect(error).toMatchObject({ class: 'missing-reference', fields: expect.arrayContaining([expect.objectContaining({ field: 'account' })]) as unknown });
    await phone.engine.undo(error!.id);
    expect(await phone.engine.get('contact', 'c1')).toBeNull();
  });

  test('C11: sync errors and what hangs on them survive a restart; what undo takes back stays readable as undone', async () => {
    world = createWorld(schema);
    const disk = memory();
    const before = await world.device('ann', { storage: disk });
    await world.server.online.save([{ op: 'create', object: 'account', id: 'a1', values: { city: 'Bruges' } }]);
    await before.engine.create('account', { city: 'mine' }, 'a1');
    await before.engine.exchange();
    const edit = await before.engine.update('account', 'a1', { name: 'later' });
    await before.engine.close();
    const after = await world.device('ann', { storage: disk });
    const [error] = await after.engine.listSyncErrors();
    expect(error).toMatchObject({ class: 'duplicate-key', dependants: [{ entry: edit.entry, object: 'account', id: 'a1' }] });
    await after.engine.undo(error!.id);
    expect(await after.engine.outcome(error!.id)).toEqual({ kind: 'undone' });
    expect(await after.engine.outcome(edit.entry!)).toEqual({ kind: 'undone' });
    const store = await disk.open({ tenant: '', user: 'ann' });
    expect(await store.scanState({ prefix: 'journal/', limit: 10 })).toHaveLength(2);
  });

  test('C11: an undo of what is no sync error is refused and changes nothing', async () => {
    const { phone } = await pair();
    await phone.engine.setLifecycle(offline);
    const { entry } = await phone.engine.update('account', 'a1', { city: 'x' });
    await expect(phone.engine.undo(entry!)).rejects.toMatchObject({ code: 'SYNC_ERROR_UNKNOWN' });
    await expect(phone.engine.undo(999)).rejects.toMatchObject({ code: 'SYNC_ERROR_UNKNOWN' });
    expect(await phone.engine.status()).toMatchObject({ pending: 1 });
  });
});

describe('the status', () => {
  test('B8: says what is so, and hears of every change', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const heard: string[] = [];
    await engine.watchStatus(({ state, pending }) => heard.push(`${state} ${pending}`));
    await engine.setLifecycle(online);
    await engine.download();
    await engine.setLifecycle(offline);
    await engine.create('account', { name: 'x' });
    expect(await engine.status()).toMatchObject({ state: 'pending', pending: 1, isOnline: false, oldestPendingAt: world.clock.now() });
    await engine.setLifecycle(online);
    await engine.exchange();
    expect(heard[0]).toBe('pending 0');
    expect(heard).toContain('active 0');
    expect(heard).toContain('upToDate 0');
    expect(heard).toContain('pending 1');
    expect(heard.at(-1)).toBe('upToDate 0');
  });

  test('a second client over one store takes it over, and the first can write no more', async () => {
    world = createWorld(schema);
    const disk = memory();
    const first = await world.device('ann', { storage: disk });
    const second = await world.device('ann', { storage: disk });
    await expect(first.engine.create('account', { name: 'x' })).rejects.toMatchObject({ code: 'CLIENT_TAKEN_OVER' });
    await expect(second.engine.create('account', { name: 'y' })).resolves.toBeDefined();
  });

  test('a closed client says so', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    await engine.close();
    await expect(engine.create('account', { name: 'x' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await engine.close();
  });
});
