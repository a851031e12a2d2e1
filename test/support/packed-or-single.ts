import { countOf } from '../../src/core/row-block.ts';
import type { Commit, RecordRow, StateRow, StorageAdapter } from '../../src/storage/storage-adapter.ts';

/** A storage that gives and takes rows one by one, as a host's own may. */
export function rowByRow(disk: StorageAdapter): StorageAdapter {
  return {
    async open(owner) {
      const storage = await disk.open(owner);
      return {
        readRecords: (keys) => storage.readRecords(keys),
        scanRecords: (range) => storage.scanRecords(range),
        scanState: (range) => storage.scanState(range),
        commit: (commit) => storage.commit(commit),
        close: () => storage.close(),
      };
    },
  };
}

/** Counts rows by the way in which they are written. */
export function counting(disk: StorageAdapter, counts: { packed: number; single: number }): StorageAdapter {
  return {
    async open(owner) {
      const storage = await disk.open(owner);
      const commit = storage.commit.bind(storage);
      storage.commit = (step: Commit) => {
        for (const { block } of step.putPacked ?? []) counts.packed += countOf(block);
        counts.single += step.putRecords?.length ?? 0;
        return commit(step);
      };
      return storage;
    },
  };
}

/** All rows of Ann's store but the mark of its holder. */
export async function rowsOf(disk: StorageAdapter, objects: readonly string[]): Promise<{ readonly records: readonly RecordRow[]; readonly state: readonly StateRow[] }> {
  const storage = await disk.open({ tenant: '', user: 'ann' });
  const records = (await Promise.all(objects.map((object) => storage.scanRecords({ object, limit: Infinity })))).flat();
  const state = (await storage.scanState({ prefix: '', limit: Infinity })).filter(({ key }) => key !== 'fence');
  await storage.close();
  return { records, state };
}
