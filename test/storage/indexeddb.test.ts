import 'fake-indexeddb/auto';
import { forceCloseDatabase, IDBFactory } from 'fake-indexeddb';
import { expect, test, vi } from 'vitest';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { describeIndexedDbBehaviour } from './indexeddb-behaviour.ts';
import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB (fake-indexeddb)', () => new IDBFactory());
describeIndexedDbBehaviour('IndexedDB (fake-indexeddb)', () => new IDBFactory(), (database) => forceCloseDatabase(database as never));

test('IndexedDB says so where there is none', async () => {
  vi.stubGlobal('indexedDB', undefined);
  try {
    await expect(indexedDb({ name: 'x' }).open({ tenant: '', user: 'u' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  } finally {
    vi.unstubAllGlobals();
  }
});
