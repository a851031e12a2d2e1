import { afterEach, describe, expect, test } from 'vitest';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

const DAY_MS = 24 * 3_600_000;

let world: World<typeof groupSchema>;
afterEach(() => world.close());


async function createOpenOrder(disk = memory()): Promise<TestDevice> {
  const phone = await world.device('ann', { storage: disk });
  await phone.engine.save([{ op: 'create', object: 'order', id: 'o1', values: { status: 'open', notes: 'first' } }, { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'gauze', quantity: 1 } }]);
  await phone.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: false });
  return phone;
}

describe('A22: an edit that replaces what was changed online', () => {
  test('is saved, and a quiet notice says what was there', async () => {
    world = createWorld(groupSchema);
    const phone = await createOpenOrder();
    await world.server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'theirs' } }]);
    const { entry } = await phone.engine.update('order', 'o1', { notes: 'mine', status: 'checked' });
    expect(await goOnline(phone)).toMatchObject({ state: 'pending', hasFeedGap: true, pending: 0, syncErrors: 0, notices: 1 });
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('order', 'o1'))?.values).toMatchObject({ notes: 'mine', status: 'checked' });
    expect(await phone.engine.listNotices()).toMatchObject([
      { kind: 'overwritten', object: 'order', recordId: 'o1', entries: [entry], fields: [{ object: 'order', id: 'o1', field: 'notes', online: 'theirs', mine: 'mine' }] },
    ]);
  });

  test('by deleting it says so too', async () => {
    world = createWorld(groupSchema);
    const phone = await createOpenOrder();
    await world.server.online.save([{ op: 'update', object: 'line', id: 'l1', values: { quantity: 7 } }]);
    const { entry } = await phone.engine.remove('line', 'l1');
    await goOnline(phone);
    expect(await world.server.online.get('line', 'l1')).toBeNull();
    expect(await phone.engine.listNotices()).toMatchObject([{ kind: 'overwritten', entries: [entry], fields: [{ object: 'line', id: 'l1', field: 'quantity', online: 7, mine: null }] }]);
  });

  test('raises none where nothing was replaced unseen, and the notice goes by itself after 30 days', async () => {
    world = createWorld(groupSchema);
    const phone = await createOpenOrder();
    await phone.engine.update('order', 'o1', { notes: 'mine' });
    await goOnline(phone);
    expect(await phone.engine.listNotices()).toEqual([]);
    await world.server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: 'theirs' } }]);
    await phone.engine.update('order', 'o1', { notes: 'mine again' });
    await phone.engine.exchange();
    expect(await phone.engine.listNotices()).toHaveLength(1);
    await phone.engine.setLifecycle({ isOnline: false });
    await world.clock.advance(31 * DAY_MS);
    expect(await phone.engine.listNotices()).toEqual([]);
  });
});
