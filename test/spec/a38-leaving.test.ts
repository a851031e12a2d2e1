import { afterEach, describe, expect, test } from 'vitest';
import type { SyncClient } from '../../src/client/sync-client.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { typedClient } from '../support/typed-client.ts';
import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { faultyStorage, type CommitAttempt } from '../../src/testing/faulty-storage.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), phone: text() } } } });

type Device = TestDevice & { readonly client: SyncClient<typeof schema> };

let world: World<typeof schema>;
afterEach(() => world.close());

async function device(storage: StorageAdapter = memory()): Promise<Device> {
  const one = await world.device('ann', { storage });
  return { ...one, client: typedClient(schema, one.engine) };
}

/** A tablet with an account open, of which a phone of the same user has changed the city since. */
async function start(storage?: StorageAdapter) {
  world = createWorld(schema);
  const phone = await device();
  await phone.client.objects.account.create({ id: 'a1', name: 'St. Mary', city: 'Ghent' });
  await phone.client.exchange();
  const tablet = await device(storage);
  await tablet.client.exchange();
  const open = await tablet.client.objects.account.open('a1', { mode: 'edit' });
  await phone.client.objects.account.update('a1', { city: 'Bruges' });
  await phone.client.exchange();
  await tablet.client.exchange();
  return { phone, tablet, open, account: tablet.client.objects.account };
}

describe('A38: leaving a record', () => {
  test('A38: shows what came meanwhile to whoever reads or opens it next, also when nobody waits for the leaving', async () => {
    const { open, account } = await start();
    const leaving = open.close();
    const read = account.get('a1'), opened = account.open('a1'), listed = account.query().get();
    expect(await read).toMatchObject({ city: 'Bruges' });
    expect(await opened).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: false });
    expect(await listed).toMatchObject([{ city: 'Bruges' }]);
    await leaving;
  });

  test('A38: shows what waited for it after the next commit, where the disk had no room for that', async () => {
    let isFull = false;
    const { open, account } = await start(faultyStorage(memory(), { decide: () => (isFull ? 'full' : 'done') }));
    isFull = true;
    await open.close().catch(() => {});
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent' });
    isFull = false;
    await account.create({ id: 'a2', name: 'Another' });
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A38: shows what waited for it with a later poll, where the disk had no room and nothing is written any more', async () => {
    let isFull = false;
    const { tablet, open, account } = await start(faultyStorage(memory(), { decide: () => (isFull ? 'full' : 'done') }));
    isFull = true;
    await open.close().catch(() => {});
    await tablet.client.exchange();
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent' });
    isFull = false;
    await tablet.client.exchange();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A36, A38: shows what waited for a page that is gone with a later poll, where the disk had no room at the next start', async () => {
    const disk = memory();
    const { tablet } = await start(disk);
    await tablet.client.close();
    let isFull = true;
    const decide = ({ commit }: CommitAttempt) => (isFull && commit.removeState?.some((key) => key.startsWith('parked/')) ? 'full' : 'done');
    const restarted = await device(faultyStorage(disk, { decide }));
    expect(await restarted.client.objects.account.get('a1')).toMatchObject({ city: 'Ghent' });
    await restarted.client.exchange();
    expect(await restarted.client.objects.account.get('a1')).toMatchObject({ city: 'Ghent' });
    isFull = false;
    await restarted.client.exchange();
    expect(await restarted.client.objects.account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A38: closes at the end of a block', async () => {
    const { open, account } = await start();
    {
      await using leaving = open;
      expect(leaving.record).toMatchObject({ city: 'Ghent' });
    }
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('A38, C7: after a save that waits, nothing is merged over it until the server has answered', async () => {
    const { tablet, open, account } = await start();
    await tablet.client.setLifecycle({ isOnline: false });
    await open.update({ phone: '7' });
    await open.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Ghent', phone: '7', syncState: 'waiting' });
    expect(await account.newer('a1')).toMatchObject({ record: { city: 'Bruges' } });
    await tablet.client.setLifecycle({ isOnline: true });
    await tablet.client.exchange();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges', phone: '7', syncState: 'synced' });
    expect(await account.newer('a1')).toBeNull();
  });

  test('A38, C6: a version that waited and is older than the answer to an own save is not brought back', async () => {
    const { tablet, open, account } = await start();
    await open.update({ phone: '7' });
    await tablet.client.exchange();
    expect(open).toMatchObject({ record: { city: 'Ghent', phone: '7' }, newer: 'changed' });
    tablet.events.length = 0;
    await open.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges', phone: '7' });
    expect(tablet.events.filter(({ type }) => type === 'feed:merged')).toEqual([]);
  });
});
