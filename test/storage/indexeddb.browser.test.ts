import { describe, expect, test } from 'vitest';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { describeIndexedDbBehaviour } from './indexeddb-behaviour.ts';
import { describeIndexedDbFolding } from './indexeddb-folding.ts';
import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB', () => indexedDB);
describeIndexedDbBehaviour('IndexedDB', () => indexedDB, (database) => {
  database.close();
  database.dispatchEvent(new Event('close'));
});
describeIndexedDbFolding('folding in IndexedDB', () => indexedDB);

// Chromium's storage buckets: a corner of the origin's storage with an IndexedDB and a quota of its own.
interface StorageBuckets {
  open(name: string, options: { readonly quota: number }): Promise<{ readonly indexedDB: IDBFactory }>;
  delete(name: string): Promise<void>;
}

describe('IndexedDB at the quota of the browser itself', () => {
  const buckets = (navigator as { readonly storageBuckets?: StorageBuckets }).storageBuckets;

  test.skipIf(buckets === undefined)('refuses a commit with STORAGE_FULL, writes nothing of it, and takes removes', async () => {
    const bucket = await buckets!.open('quota', { quota: 5_000_000 });
    const storage = await indexedDb({ name: 'quota', factory: bucket.indexedDB }).open({ tenant: 't', user: 'u' });
    const small = { key: 'small', bytes: new Uint8Array(10) };
    await storage.commit({ durability: 'strict', putState: [small] });

    const row = crypto.getRandomValues(new Uint8Array(50_000));
    const page = Array.from({ length: 200 }, (_, index) => ({ object: 'note', id: `${index}`, bytes: row }));
    await expect(storage.commit({ durability: 'strict', putRecords: page, removeState: ['small'] })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await storage.scanState({ prefix: '', limit: 9 })).toEqual([small]);
    expect(await storage.scanRecords({ object: 'note', limit: 9 })).toEqual([]);
    // Chromium counts what it took back until it tidies up, so for a while there is room for removes only.
    expect(await storage.commit({ durability: 'strict', removeState: ['small'] })).toBe('done');
    expect(await storage.scanState({ prefix: '', limit: 9 })).toEqual([]);
    await storage.close();
    await buckets!.delete('quota');
  });
});
