import { afterEach, describe, expect, test } from 'vitest';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import { defineSchema, integer, lastModified, picklist, reference, serverOwned, text } from '../../src/schema.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { fields: { name: text({ required: true }), city: text(), score: serverOwned(integer()), changedAt: lastModified() } },
    visit: { fields: { account: reference('account'), status: picklist('planned', 'submitted') } },
    // Nothing but fields: what an object is without configuration.
    siteAudit: { fields: { title: text(), status: picklist('draft', 'submitted') } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const typesOf = (events: readonly SyncEvent[]): string[] => events.map(({ type }) => type);

async function listOnline(device: TestDevice, object: 'account' | 'visit' | 'siteAudit'): Promise<readonly string[]> {
  return (await device.engine.query({ object })).map(({ id }) => id);
}

describe('what the whole is for', () => {
  test('A1: every save appears online exactly once, also when each answer is lost once', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), reader = await world.device('ann');
    let uploads = 0;
    tablet.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path === 'upload' && ++uploads % 2 === 1) throw new Error('lost on the way back');
      return answer;
    });
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.push((await tablet.engine.create('account', { name: `St. Mary ${count}` })).id);
      await tablet.engine.exchange();
      await tablet.engine.exchange();
    }
    expect(uploads).toBe(2 * ids.length);
    expect(await tablet.engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
    await reader.engine.download();
    expect([...(await listOnline(reader, 'account'))].sort()).toEqual([...ids].sort());
  });

  test('A2: a server read right after the answer sees the save', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id, entry } = await engine.create('account', { name: 'St. Mary' });
    await engine.outcome(entry!);
    expect((await world.server.online.get('account', id))?.values.name).toBe('St. Mary');
  });

  test('A4: creates, edits and deletes all go up by themselves', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.update('account', id, { city: 'Ghent' });
    await engine.outcome((await engine.update('account', id, { city: 'Bruges' })).entry!);
    expect((await world.server.online.get('account', id))?.values.city).toBe('Bruges');
    await engine.outcome((await engine.remove('account', id)).entry!);
    expect(await world.server.online.get('account', id)).toBeNull();
  });

  test('A5: the record shows at once where it stands, and the answer says which fields the server changed', async () => {
    world = createWorld(schema, { objects: { account: { formulas: ({ record }) => ({ score: record.name?.length ?? 0 }) } } });
    const { engine, events } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const { id } = await engine.create('account', { name: 'St. Mary' });
    expect(await engine.get('account', id)).toMatchObject({ values: { name: 'St. Mary', score: null }, syncState: 'waiting' });
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    expect(await engine.get('account', id)).toMatchObject({ values: { score: 8 }, syncState: 'synced' });
    const ofUpload = typesOf(events).filter((type) => type.startsWith('change:') || type.startsWith('upload:'));
    expect(ofUpload).toEqual(['change:queued', 'upload:started', 'upload:accepted']);
    expect(events.find(({ type }) => type === 'upload:accepted')).toMatchObject({ object: 'account', id, changedByServer: ['score', 'changedAt'] });
  });

  test('A6: another device of the user has a save after one poll', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    for (const { engine } of [tablet, phone]) await engine.exchange();
    const { id } = await tablet.engine.create('account', { name: 'St. Mary' });
    await tablet.engine.exchange();
    const polls = (): number => phone.requests.filter(({ path }) => path.startsWith('feed')).length;
    const before = polls();
    await phone.engine.exchange();
    expect((await phone.engine.get('account', id))?.values.name).toBe('St. Mary');
    // One page, and the answer that there is nothing more.
    expect(polls() - before).toBeLessThanOrEqual(2);
  });

  test('A7: an online edit alone is not on the feed; a download brings it', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id, entry } = await engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    await engine.outcome(entry!);
    await engine.exchange();
    await world.server.online.save([{ op: 'update', object: 'account', id, values: { city: 'Antwerp' } }]);
    await engine.exchange();
    expect((await engine.get('account', id))?.values.city).toBe('Ghent');
    await engine.download();
    expect((await engine.get('account', id))?.values.city).toBe('Antwerp');
  });

  test('A7: a device’s save of another field carries the online edit along, as part of the record', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    const { id } = await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await world.server.online.save([{ op: 'update', object: 'account', id, values: { city: 'Antwerp' } }]);
    await tablet.engine.update('account', id, { name: 'St. Mary, Ghent' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect((await phone.engine.get('account', id))?.values).toMatchObject({ name: 'St. Mary, Ghent', city: 'Antwerp' });
  });

  test('A9: an object without any configuration is saved, as a draft of its own and as submitted', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id, entry } = await engine.create('siteAudit', { title: 'Roof', status: 'draft' });
    await engine.outcome(entry!);
    expect((await world.server.online.get('siteAudit', id))?.values.status).toBe('draft');
    await engine.outcome((await engine.update('siteAudit', id, { status: 'submitted' })).entry!);
    expect((await world.server.online.get('siteAudit', id))?.values.status).toBe('submitted');
  });

  test('A9, A19: such an object is checked, and its records are saved one by one', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann'), phone = await world.device('ann');
    const { id } = await tablet.engine.create('siteAudit', { title: 'Roof' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    for (const { engine } of [tablet, phone]) await engine.setLifecycle({ isOnline: false });
    await tablet.engine.update('siteAudit', id, { title: 'Roof, north' });
    const second = await phone.engine.update('siteAudit', id, { title: 'Roof, south' });
    for (const { engine } of [tablet, phone]) {
      await engine.setLifecycle({ isOnline: true });
      await engine.exchange();
    }
    expect(await phone.engine.outcome(second.entry!)).toMatchObject({ kind: 'refused' });
  });

  test('A18, A19: whoever changed the value online, the check is the same: another device, the back office', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    const { id, entry } = await engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    await engine.outcome(entry!);
    await engine.setLifecycle({ isOnline: false });
    const edit = await engine.update('account', id, { city: 'Bruges' });
    await world.server.online.save([{ op: 'update', object: 'account', id, values: { city: 'Antwerp' } }]);
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    expect(await engine.outcome(edit.entry!)).toMatchObject({ kind: 'refused' });
    expect(await engine.listSyncErrors()).toMatchObject([{ class: 'conflict' }]);
    expect((await world.server.online.get('account', id))?.values.city).toBe('Antwerp');
  });
});
