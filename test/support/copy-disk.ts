import { memory } from '../../src/storage/memory.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';

/** Copies what one user has on a disk, as a backup of a device does. Nobody may have it open. */
export async function copyDisk(disk: StorageAdapter, user: string, objects: readonly string[]): Promise<StorageAdapter> {
  const owner = { tenant: '', user };
  const copy = memory();
  const [from, to] = [await disk.open(owner), await copy.open(owner)];
  const rows = await Promise.all(objects.map(async (object) => (await from.scanRecords({ object, limit: 10_000 })).map((row) => ({ ...row, object }))));
  await to.commit({ putRecords: rows.flat(), putState: await from.scanState({ prefix: '', limit: 10_000 }), durability: 'strict' });
  await Promise.all([from.close(), to.close()]);
  return copy;
}
