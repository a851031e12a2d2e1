import { afterEach, describe, expect, test } from 'vitest';
import { autoNumber, created, defineSchema, lastModified, parent, recordId, serverOwned, text, integer } from '../../src/schema.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: {
      fields: { name: text({ required: true }), city: text(), phone: text(), visits: integer(), code: recordId(), number: autoNumber({ prefix: 'A-' }), label: serverOwned(text()), createdAt: created(), changedAt: lastModified() },
    },
    contact: { fields: { account: parent('account'), name: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

describe('two devices of one user', () => {
  test('A11, A13: a save is durable, shows at once and goes up by itself', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const saved = await engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    expect((await engine.get('account', saved.id))?.values).toMatchObject({ name: 'St. Mary', city: 'Ghent' });
    expect(await engine.outcome(saved.entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', saved.id))?.values).toMatchObject({ name: 'St. Mary', city: 'Ghent' });
  });

  test('A27, C1: the answer alone brings Record ID, auto-number, formula and stamps, and either id finds the record', async () => {
    world = createWorld(schema, { objects: { account: { formulas: ({ record }) => ({ label: `${record.name}!` }) } } });
    const { engine, requests } = await world.device('ann', { pollIntervalMs: 1e9 });
    await engine.exchange();
    const { id, entry } = await engine.create('account', { name: 'St. Mary' });
    await engine.outcome(entry!);
    const values = (await engine.get('account', id))!.values;
    expect(values).toMatchObject({ number: expect.stringMatching(/^A-/) as string, label: 'St. Mary!', createdAt: expect.any(String) as string, changedAt: expect.any(String) as string });
    expect(values.code).not.toBe(id);
    expect((await engine.get('account', values.code as string))?.id).toBe(id);
    expect(requests.filter(({ path }) => path.startsWith('upload'))).toHaveLength(1);
  });

  test('A28, A29: what one device saves arrives on the other through the feed, and not on another user’s', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann'), other = await world.device('ben');
    for (const { engine } of [tablet, phone, other]) await engine.exchange();
    const { id } = await tablet.engine.create('account', { name: 'St. Mary' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await other.engine.exchange();
    expect((await phone.engine.get('account', id))?.values.name).toBe('St. Mary');
    expect(await other.engine.get('account', id)).toBeNull();
  });

  test('A19: the first save of a field wins; the second becomes a sync error that undo takes back', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    const { id } = await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    for (const { engine } of [tablet, phone]) await engine.setLifecycle({ isOnline: false });
    await tablet.engine.update('account', id, { city: 'Bruges' });
    await phone.engine.update('account', id, { city: 'Antwerp', phone: '1' });
    await tablet.engine.setLifecycle({ isOnline: true });
    await tablet.engine.exchange();
    await phone.engine.setLifecycle({ isOnline: true });
    const status = await phone.engine.exchange();
    expect(status).toMatchObject({ state: 'error', pending: 0, syncErrors: 1 });
    const [error] = await phone.engine.listSyncErrors();
    expect(error).toMatchObject({
      class: 'conflict',
      actions: ['undo', 'keepMine', 'fix', 'export'],
      fields: [
        { field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Bruges', isCause: true },
        { field: 'phone', previous: null, mine: '1', online: null, isCause: false },
      ],
    });
    expect((await phone.engine.get('account', id))?.values.city).toBe('Antwerp');
    await phone.engine.undo(error!.id);
    expect((await phone.engine.get('account', id))?.values).toMatchObject({ city: 'Bruges', phone: null });
    expect((await phone.engine.exchange()).syncErrors).toBe(0);
    expect(await phone.engine.outcome(error!.id)).toEqual({ kind: 'undone' });
  });

  test('A19: edits of different fields do not clash, and both devices end alike', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    const { id } = await tablet.engine.create('account', { name: 'St. Mary' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await tablet.engine.update('account', id, { city: 'Bruges' });
    await phone.engine.update('account', id, { phone: '1' });
    for (const { engine } of [tablet, phone, tablet, phone]) await engine.exchange();
    const [left, right] = await Promise.all([tablet, phone].map(async ({ engine }) => (await engine.get('account', id))!.values));
    expect(left).toEqual(right);
    expect(left).toMatchObject({ city: 'Bruges', phone: '1' });
  });

  test('C5: edits made while an earlier one waits build on what the server made of it', async () => {
    world = createWorld(schema, { objects: { account: { beforeSave: ({ next }) => ({ city: next.city === null ? null : next.city.toUpperCase() }) } } });
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'x', city: 'ghent' });
    await engine.update('account', id, { city: 'bruges' });
    await engine.update('account', id, { city: 'antwerp' });
    expect(await engine.exchange()).toMatchObject({ syncErrors: 0, pending: 0 });
    expect((await engine.get('account', id))?.values.city).toBe('ANTWERP');
  });

  test('C2: a lost answer is asked for again, and nothing is doubled', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    let lost = 0;
    device.intercept(async (request, send) => {
      const response = await send(request);
      if (request.path === 'upload' && lost++ === 0) throw new TypeError('connection reset');
      return response;
    });
    const { id, entry } = await device.engine.create('account', { name: 'St. Mary' });
    await world.clock.advance(60_000);
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    const uploads = device.requests.filter(({ path }) => path === 'upload');
    expect(uploads).toHaveLength(2);
    expect((await world.server.online.get('account', id))?.version[1]).toBe(1);
    expect(await world.server.online.list('account')).toHaveLength(1);
  });

  test('a new device downloads everything; edits on the way stay on top', async () => {
    world = createWorld(schema);
    for (let index = 0; index < 1200; index++) await world.server.online.save([{ op: 'create', object: 'account', id: `a${index}`, values: { name: `n${index}` } }]);
    const { engine, requests } = await world.device('ann');
    await engine.create('account', { name: 'mine' }, 'mine');
    const receipt = await engine.download();
    expect(receipt).toMatchObject({ records: 1201, removed: 0 });
    expect(requests.filter(({ path }) => path.startsWith('snapshot'))).toHaveLength(3);
    expect(await engine.query({ object: 'account' })).toHaveLength(1201);
    expect(await engine.status()).toMatchObject({ state: 'upToDate', hasFeedGap: false });
    await world.server.online.save([{ op: 'remove', object: 'account', id: 'a7' }]);
    expect(await engine.download()).toMatchObject({ removed: 1 });
    expect(await engine.get('account', 'a7')).toBeNull();
  });

  test('live queries hear of local saves and of the feed', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    const heard: string[][] = [];
    await phone.engine.watchQuery({ object: 'account', where: { city: 'Ghent' }, orderBy: 'name' }, (records) => heard.push(records.map(({ values }) => values.name as string)));
    const { id } = await tablet.engine.create('account', { name: 'b', city: 'Ghent' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await phone.engine.create('account', { name: 'a', city: 'Ghent' });
    await phone.engine.update('account', id, { city: 'Bruges' });
    await phone.engine.exchange();
    expect(heard[0]).toEqual([]);
    expect(heard).toContainEqual(['b']);
    expect(heard).toContainEqual(['a', 'b']);
    expect(heard.at(-1)).toEqual(['a']);
  });
});
