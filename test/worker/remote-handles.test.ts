import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SyncClient } from '../../src/client/sync-client.ts';
import { defineSchema, picklist, text } from '../../src/schema.ts';
import { createSyncServer, type SyncServer } from '../../src/server/index.ts';
import { memory as memoryServerStore } from '../../src/server/store/memory.ts';
import { memory } from '../../src/storage/memory.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { EngineParts, EnginePlan } from '../../src/worker/engine-start.ts';
import { startEngine } from '../../src/worker/start-engine.ts';
import { typedClient } from '../support/typed-client.ts';
import { linkEngine } from './linked-engine.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), size: picklist('small', 'large') } } } });

let server: SyncServer;
const clients: SyncClient<typeof schema>[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
});

/** A client whose engine is on the other side of a channel, as in a worker. */
function open(guard?: EngineParts['guard']): SyncClient<typeof schema> {
  const plan: EnginePlan = { schema, tenant: '', user: 'ann', lifecycle: { isOnline: true, isForeground: true }, http: null, storage: null, guards: guard === undefined ? [] : ['account'] };
  const parts: EngineParts = { storage: memory(), transport: inProcess({ handle: server.fetch, token: async () => 'ann' }), ...(guard && { guard }) };
  const client = typedClient(schema, linkEngine(plan, parts, startEngine));
  clients.push(client);
  return client;
}

/** An account that is open behind one channel, and that a device behind another has changed since. */
async function start(guard?: EngineParts['guard']) {
  server = createSyncServer({ schema, store: memoryServerStore(), authenticate: () => ({ user: 'ann' }) });
  const phone = open();
  await phone.objects.account.create({ id: 'a1', name: 'St. Mary', city: 'Ghent' });
  await phone.exchange();
  const tablet = open(guard);
  await tablet.exchange();
  const opened = await tablet.objects.account.open('a1', { mode: 'edit' });
  await phone.objects.account.update('a1', { city: 'Bruges' });
  await phone.exchange();
  await tablet.exchange();
  return { tablet, account: tablet.objects.account, opened };
}

describe('a record that is open in another thread', () => {
  test('shows the same as in place: it stays, says that there is more, and takes it in on leaving', async () => {
    const { account, opened } = await start();
    await vi.waitFor(() => expect(opened).toMatchObject({ record: { id: 'a1', city: 'Ghent' }, newerAvailable: true, newer: 'changed' }));
    expect(Object.isFrozen(opened.record)).toBe(true);
    expect(await account.newer('a1')).toMatchObject({ state: 'live', record: { city: 'Bruges', size: null } });
    const leaving = opened.close();
    expect(await account.get('a1')).toMatchObject({ city: 'Bruges' });
    await leaving;
    await expect(opened.update({ name: 'St. Anne' })).rejects.toMatchObject({ code: 'HANDLE_CLOSED' });
  });

  test('shows a save through it as soon as that is durable, and the newest when asked', async () => {
    const { opened } = await start();
    expect(await opened.update({ name: 'St. Anne', city: 'Ypres' })).toMatchObject({ id: 'a1', overlaps: ['city'] });
    expect(opened.record).toMatchObject({ name: 'St. Anne', city: 'Ypres' });
    const heard: unknown[] = [];
    opened.subscribe(({ record }) => heard.push(record.city))();
    expect(heard).toEqual(['Ypres']);
  });

  test('takes in what is newer when asked', async () => {
    const { opened } = await start();
    expect(await opened.showNewest()).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: false });
    expect(opened).toMatchObject({ record: { city: 'Bruges' }, newerAvailable: false });
  });

  test('refuses what cannot be sent, and what is not there', async () => {
    const { account, opened } = await start();
    await expect(opened.update({ name: (() => 'a function') as unknown as string })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(account.open('nobody')).rejects.toMatchObject({ code: 'RECORD_MISSING' });
  });

  test('asks the guards of the page', async () => {
    const guard = vi.fn(async () => 'ask your manager');
    const { opened } = await start(guard);
    await expect(opened.update({ name: 'St. Anne' })).rejects.toMatchObject({ code: 'RECORD_CHANGED_ELSEWHERE', details: { reason: 'guard', guard: 'ask your manager' } });
    const sizeless = { id: 'a1', size: null };
    expect(guard).toHaveBeenCalledExactlyOnceWith('account', { action: 'save', newer: { ...sizeless, name: 'St. Mary', city: 'Bruges' }, next: { ...sizeless, name: 'St. Anne', city: 'Ghent' } });
    expect(opened.record).toMatchObject({ name: 'St. Mary' });
  });

  test('ends with its client', async () => {
    const { tablet, opened } = await start();
    await tablet.close();
    await opened.close();
    await expect(opened.showNewest()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});
