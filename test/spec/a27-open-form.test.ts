import { afterEach, describe, expect, test } from 'vitest';
import type { OpenRecord } from '../../src/client/facade/typed-handles.ts';
import type { SyncClient } from '../../src/client/sync-client.ts';
import { autoNumber, defineSchema, recordId, serverOwned, text } from '../../src/schema.ts';
import { refuse, type SyncServerOptions } from '../../src/server/index.ts';
import { typedClient } from '../support/typed-client.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), phone: text(), label: serverOwned(text()), number: autoNumber(), serverId: recordId() } } } });

type Device = TestDevice & { readonly client: SyncClient<typeof schema>; readonly open: OpenRecord<typeof schema, 'account'> };

let world: World<typeof schema>;
afterEach(() => world.close());

/** A device with an account open that is online; the server writes cities its own way. */
async function start(hooks: NonNullable<SyncServerOptions<typeof schema>['objects']>['account'] = { beforeSave: ({ next }) => ({ city: typeof next.city === 'string' ? next.city.toUpperCase() : null }) }): Promise<Device> {
  world = createWorld(schema, { objects: { account: hooks } });
  const device = await world.device('ann');
  const client = typedClient(schema, device.engine);
  await client.objects.account.create({ id: 'a1', name: 'St. Mary' });
  await client.exchange();
  return { ...device, client, open: await client.objects.account.open('a1', { mode: 'edit' }) };
}

const elsewhere = (values: { readonly name?: string; readonly city?: string; readonly phone?: string }) => world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values }]);

describe('A27: a record that is open while an own save of it is answered', () => {
  test('A27: changes in the fields of that save alone; what others wrote waits for leaving', async () => {
    const { client, open } = await start();
    await elsewhere({ name: 'St. Anne' });
    await open.update({ city: 'Ghent' });
    expect(open).toMatchObject({ record: { name: 'St. Mary', city: 'Ghent', syncState: 'waiting' }, syncState: 'waiting', newerAvailable: false });
    await client.exchange();
    expect(await client.objects.account.get('a1')).toMatchObject({ name: 'St. Anne', city: 'GHENT' });
    expect(open).toMatchObject({ record: { name: 'St. Mary', city: 'GHENT', syncState: 'synced' }, syncState: 'synced', newerAvailable: true });
    expect((await open.showNewest()).record).toMatchObject({ name: 'St. Anne' });
  });

  test('A27: shows what only the server writes as soon as it is there', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const client = typedClient(schema, engine);
    await client.objects.account.create({ id: 'a1', name: 'St. Mary' });
    const open = await client.objects.account.open('a1');
    expect(open.record).toMatchObject({ number: null, serverId: null, syncState: 'waiting' });
    await client.setLifecycle({ isOnline: true });
    await client.exchange();
    expect(open).toMatchObject({ record: { number: expect.any(String) as string, serverId: expect.any(String) as string, syncState: 'synced' }, newerAvailable: false });
  });

  test('A27: shows what the server computes with a save, whatever fields the save was of', async () => {
    const { client, open } = await start({ beforeSave: ({ next }) => ({ label: `${String(next.name)}, ${String(next.city)}` }) });
    expect(open.record).toMatchObject({ label: 'St. Mary, null' });
    await open.update({ city: 'Ghent' });
    expect(open.record).toMatchObject({ label: 'St. Mary, null' });
    await client.exchange();
    expect(open).toMatchObject({ record: { label: 'St. Mary, Ghent' }, newerAvailable: false });
  });

  test('A27, C5: shows what the server made of the save, not what somebody wrote after it before the answer came', async () => {
    const device = await start();
    const { client, open } = device;
    device.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path !== 'upload') return answer;
      device.intercept(null);
      throw new TypeError('the answer is lost');
    });
    await open.update({ city: 'Ghent' });
    await client.exchange();
    await elsewhere({ city: 'Hasselt' });
    await client.exchange();
    expect(await client.objects.account.get('a1')).toMatchObject({ city: 'HASSELT' });
    expect(open).toMatchObject({ record: { city: 'GHENT', syncState: 'synced' }, newer: 'changed' });
    await open.update({ city: 'Bruges' });
    await client.exchange();
    expect(await client.syncErrors.list()).toMatchObject([{ class: 'conflict', fields: [{ previous: 'GHENT', mine: 'Bruges', online: 'HASSELT' }] }]);
  });

  test('A27, C5: what the user has saved again since is left as it is', async () => {
    const device = await start();
    const { client, open } = device;
    await open.update({ city: 'Ghent' });
    device.intercept(async (request, send) => {
      if (request.path === 'upload') {
        device.intercept(null);
        await open.update({ city: 'Bruges' });
      }
      return send(request);
    });
    await client.exchange();
    expect(open.record).toMatchObject({ city: 'BRUGES' });
    expect(await client.status.get()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values.city).toBe('BRUGES');
  });

  test('A27, A36: a save conflicts with what the handle never showed, though this device has it already', async () => {
    const { client, open } = await start();
    await elsewhere({ phone: '7' });
    await open.update({ city: 'Ghent' });
    await client.exchange();
    expect(await client.objects.account.get('a1')).toMatchObject({ phone: '7' });
    await open.update({ phone: '8' });
    await client.exchange();
    expect(await client.syncErrors.list()).toMatchObject([{ class: 'conflict', fields: [{ field: 'phone', previous: null, mine: '8', online: '7' }] }]);
    expect(open).toMatchObject({ record: { phone: '8', syncState: 'error' } });
  });

  test('A27, A36: a delete conflicts with what the handle never showed', async () => {
    const { client, open } = await start();
    await elsewhere({ phone: '7' });
    await open.update({ city: 'Ghent' });
    await client.exchange();
    await open.remove();
    expect(open).toMatchObject({ record: { name: 'St. Mary', phone: null }, newer: 'deleted' });
    await client.exchange();
    expect(await client.syncErrors.list()).toMatchObject([{ class: 'delete-vs-edit' }]);
  });

  test('A27: goes on from what it showed, whatever the form holds that was not saved', async () => {
    const { client, open } = await start();
    const form = { ...open.record, phone: '8' };
    await open.update({ city: 'Ghent' });
    await client.exchange();
    expect(open.record).toMatchObject({ city: 'GHENT', phone: null });
    await open.update({ phone: form.phone });
    await client.exchange();
    expect(await client.status.get()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'GHENT', phone: '8' });
  });

  test('A27: is shown on when the server takes the record away with the save, and says so', async () => {
    const { client, open } = await start({ afterSave: async ({ next, write }) => void (next?.city === 'Ghent' && (await write.remove('account', 'a1'))) });
    await open.update({ city: 'Ghent' });
    await client.exchange();
    expect(await client.objects.account.get('a1')).toBeNull();
    expect(open).toMatchObject({ record: { name: 'St. Mary', city: 'Ghent' }, newer: 'deleted' });
    await expect(open.update({ city: 'Bruges' })).rejects.toMatchObject({ code: 'RECORD_MISSING' });
  });

  test('A27, B13: a change that the user takes back goes from what is shown, and nothing else with it', async () => {
    const { client, open } = await start({ validate: ({ next }) => (next.city === 'Ghent' ? refuse('city', 'no-such-city') : undefined) });
    await open.update({ city: 'Ghent' });
    await client.exchange();
    expect(open).toMatchObject({ record: { city: 'Ghent' }, syncState: 'error' });
    await elsewhere({ name: 'St. Anne' });
    const [error] = await client.syncErrors.list();
    await client.syncErrors.undo(error!.id);
    expect(await client.objects.account.get('a1')).toMatchObject({ city: null });
    expect(open).toMatchObject({ record: { name: 'St. Mary', city: null }, syncState: 'synced' });
  });
});
