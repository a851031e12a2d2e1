import { afterEach, describe, expect, test } from 'vitest';
import type { DraftInfo } from '../../src/client/drafts/draft.ts';
import { defineSchema, recordId, text } from '../../src/schema.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), phone: text(), serverId: recordId() } } } });
const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof schema>;
afterEach(() => world.close());

/** A device with a save that waits, and a draft of the record; the server writes cities its own way. */
async function start(): Promise<TestDevice & { readonly draft: string }> {
  world = createWorld(schema, { objects: { account: { beforeSave: ({ next }) => ({ city: typeof next.city === 'string' ? next.city.toUpperCase() : null }) } } });
  const device = await world.device('ann', { lifecycle: OFFLINE });
  await device.engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
  const { id: draft } = (await device.engine.draft({ kind: 'open', object: 'account', id: 'a1' })) as DraftInfo;
  return { ...device, draft };
}

describe('A27: a draft of a record whose own save is answered meanwhile', () => {
  test('A27, C5: goes on from what the server made of that save, and does not conflict with it', async () => {
    const device = await start();
    const { engine, draft } = device;
    await engine.draft({ kind: 'change', draft, op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } });
    await goOnline(device);
    expect((await world.server.online.get('account', 'a1'))?.values.city).toBe('GHENT');
    expect(await engine.draft({ kind: 'read', draft })).toMatchObject([{ op: 'update', values: { city: 'Bruges', name: 'St. Mary' } }]);
    await engine.draft({ kind: 'save', draft });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values.city).toBe('BRUGES');
  });

  test('A27: shows what the server wrote, where the user has not, and saves nothing of that', async () => {
    const device = await start();
    const { engine, draft } = device;
    await goOnline(device);
    expect(await engine.draft({ kind: 'read', draft })).toMatchObject([{ op: null, values: { city: 'GHENT', serverId: expect.any(String) as string } }]);
    expect(await engine.draft({ kind: 'save', draft })).toEqual({ entries: [] });
  });

  test('A27, C5: still conflicts with what somebody else wrote', async () => {
    const device = await start();
    const { engine, draft } = device;
    device.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path !== 'upload') return answer;
      device.intercept(null);
      throw new TypeError('the answer is lost');
    });
    await goOnline(device);
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Hasselt' } }]);
    await engine.draft({ kind: 'change', draft, op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } });
    await engine.exchange();
    expect(await engine.draft({ kind: 'read', draft })).toMatchObject([{ values: { city: 'Bruges' } }]);
    await engine.draft({ kind: 'save', draft });
    await engine.exchange();
    expect(await engine.listSyncErrors()).toMatchObject([{ class: 'conflict', fields: [{ field: 'city', previous: 'GHENT', mine: 'Bruges', online: 'HASSELT' }] }]);
  });

  test('A27, C5: of a field that waits in a later save too, goes on from what becomes of that one', async () => {
    const device = await start();
    const { engine, draft } = device;
    await goOnline(device);
    await engine.setLifecycle(OFFLINE);
    await engine.draft({ kind: 'discard', draft });
    await engine.update('account', 'a1', { city: 'Ypres' });
    const { id: next } = (await engine.draft({ kind: 'open', object: 'account', id: 'a1' })) as DraftInfo;
    await engine.update('account', 'a1', { phone: '7' });
    await engine.draft({ kind: 'change', draft: next, op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } });
    await goOnline(device);
    await engine.draft({ kind: 'save', draft: next });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'BRUGES', phone: '7' });
  });
});
