import 'fake-indexeddb/auto';
import { forceCloseDatabase, IDBFactory } from 'fake-indexeddb';
import { describe, expect, test, vi } from 'vitest';
import { rowBlock } from '../../src/core/row-block.ts';
import { utf8 } from '../../src/shared/bytes.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { describeIndexedDbBehaviour } from './indexeddb-behaviour.ts';
import { describeIndexedDbFolding } from './indexeddb-folding.ts';
import { describeIndexedDb } from './indexeddb-suite.ts';

describeIndexedDb('IndexedDB (fake-indexeddb)', () => new IDBFactory());
describeIndexedDbBehaviour('IndexedDB (fake-indexeddb)', () => new IDBFactory(), (database) => forceCloseDatabase(database as never));
describeIndexedDbFolding('folding in IndexedDB (fake-indexeddb)', () => new IDBFactory());

test('IndexedDB says so where there is none', async () => {
  vi.stubGlobal('indexedDB', undefined);
  try {
    await expect(indexedDb({ name: 'x' }).open({ tenant: '', user: 'u' })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  } finally {
    vi.unstubAllGlobals();
  }
});

describe('IndexedDB where a part of the code cannot be loaded', () => {
  test('takes rows one by one, and says that it cannot pack them', async () => {
    vi.resetModules();
    vi.doMock('../../src/storage/indexeddb-packing.ts', () => { throw new Error('offline'); });
    try {
      const { indexedDb: withoutPacking } = await import('../../src/storage/indexeddb.ts');
      const storage = await withoutPacking({ name: 'x', factory: new IDBFactory() }).open({ tenant: '', user: 'u' });
      const rows = Array.from({ length: 300 }, (_, index) => ({ id: String(index).padStart(3, '0'), bytes: utf8(`row ${index}`) }));
      const records = rows.map((row) => ({ object: 'note', ...row }));
      expect(await storage.commit({ durability: 'relaxed', putRecords: records })).toBe('done');
      expect(await storage.scanRecords({ object: 'note', limit: 999 })).toEqual(records);
      await expect(storage.commit({ durability: 'relaxed', putPacked: [{ object: 'note', block: rowBlock(rows) }] })).rejects.toMatchObject({ code: 'PART_UNAVAILABLE' });
      await expect(storage.packed!.scan({ object: 'note', limitBytes: 1 })).rejects.toMatchObject({ code: 'PART_UNAVAILABLE' });
      await storage.close();
    } finally {
      vi.doUnmock('../../src/storage/indexeddb-packing.ts');
      vi.resetModules();
    }
  });
});
