import { afterEach, describe, expect, test } from 'vitest';
import { createSyncClient as createNodeClient } from '../../bindings/node/index.ts';
import { createSyncClient as createWebClient } from '../../bindings/web/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { openCrm, playCrmScenario, schema, type CrmClient } from './crm-scenario.ts';

describe.each([
  ['node', createNodeClient],
  ['web, without workers', createWebClient],
])('the client for %s', (_name, createSyncClient) => {
  const clients: CrmClient[] = [];

  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  function open(options: Partial<Parameters<typeof createSyncClient<typeof schema>>[0]> = {}): CrmClient {
    const client = createSyncClient({ schema, user: 'ann', storage: memory(), transport: openCrm().transport(), ...options });
    clients.push(client);
    return client;
  }

  test('carries records between two devices', async () => {
    const { transport } = openCrm();

    const log = await playCrmScenario(open({ transport: transport() }), open({ transport: transport() }));

    expect(log).toEqual(
      expect.arrayContaining([
        ['read back', { id: 'st-mary', number: 'A-000001', name: 'St. Mary', city: 'Ghent', visits: null, size: null, syncState: 'synced' }],
        ['downloaded', 1],
        ['heard of it', 3],
        ['refused', { kind: 'refused', syncError: 2 }],
        ['status', 'error'],
        ['as before', 'Ghent'],
        ['gone', null],
      ]),
    );
    expect(log.flatMap(([what, value]) => (what === 'fault' ? [(value as { readonly code: string }).code] : []))).toEqual([
      'FIELD_REQUIRED',
      'VALUE_INVALID',
      'RECORD_MISSING',
      'VALUE_INVALID',
      'VALUE_INVALID',
      'QUERY_INVALID',
      'OPTION_INVALID',
      'SYNC_ERROR_UNKNOWN',
    ]);
  });

  test('runs in place', async () => {
    expect(await open().runtime).toEqual({ kind: 'in-place', skipped: [] });
  });

  test('finds its records again in a store that it opens a second time', async () => {
    const storage = memory();
    const first = open({ storage });
    const saved = await first.objects.account.create({ name: 'A' });
    await first.close();

    expect(await open({ storage }).objects.account.get(saved.id)).toMatchObject({ name: 'A' });
  });

  test('keeps a record as it is while it is open, and asks the host before it is saved over something newer', async () => {
    const { transport } = openCrm();
    const phone = open({ transport: transport() });
    await phone.objects.account.create({ id: 'a1', name: 'A', city: 'Ghent' });
    await phone.exchange();
    const tablet = open({ transport: transport(), guards: { account: ({ action, newer, next }) => (newer.city === next?.city ? undefined : `${action}: it is in ${newer.city} now`) } });
    await tablet.exchange();
    const opened = await tablet.objects.account.open('a1');
    await phone.objects.account.update('a1', { city: 'Bruges' });
    await phone.exchange();
    await tablet.exchange();
    expect(opened).toMatchObject({ record: { city: 'Ghent' }, newerAvailable: true });
    await expect(opened.update({ visits: 1 })).rejects.toMatchObject({ code: 'RECORD_CHANGED_ELSEWHERE', details: { guard: 'save: it is in Bruges now' } });
    expect((await opened.update({ city: 'Bruges' })).overlaps).toEqual(['city']);
    await opened.close();
    await tablet.exchange();
    expect(await tablet.objects.account.get('a1')).toMatchObject({ city: 'Bruges' });
  });

  test('says in ready and in every call why its store cannot be opened', async () => {
    const client = open({ storage: { open: () => Promise.reject(new Error('no disk')) } });

    await expect(client.ready).rejects.toThrow('no disk');
    await expect(client.objects.account.get('a')).rejects.toThrow('no disk');
    await expect(client.close()).resolves.toBeUndefined();
  });

  test.each([
    ['schema', { schema: { objects: {} } }],
    ['user', { user: '' }],
    ['tenant', { tenant: 7 }],
    ['storage', { storage: {} }],
    ['transport', { transport: null }],
    ['guards', { guards: { account: 'never' } }],
    ['transport.url', { transport: { url: 'not a url' } }],
    ['transport.url', { transport: { url: 'https://example.com/?q=1' } }],
    ['transport.token', { transport: { url: 'https://example.com', token: 'secret' } }],
    ['transport.timeoutMs', { transport: { url: 'https://example.com', timeoutMs: 0 } }],
    ['pollIntervalMs', { pollIntervalMs: -1 }],
    ['wasm', { wasm: 'not a url' }],
  ])('refuses a wrong %s at once', (option, wrong) => {
    expect(() => open(wrong as unknown as Parameters<typeof open>[0])).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', details: { option } }));
  });
});

test('the client for web refuses a worker that is none', () => {
  const wrong = { schema, user: 'ann', storage: memory(), transport: openCrm().transport(), worker: 'worker.js' };

  expect(() => createWebClient(wrong as unknown as Parameters<typeof createWebClient>[0])).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', details: { option: 'worker' } }),
  );
});
