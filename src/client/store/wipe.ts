import type { Commit, Storage, StorageAdapter, StoreOwner } from '../../storage/storage-adapter.ts';
import { takenOver } from './store-fence.ts';
import { decodeLayout, STATE } from './stored.ts';

const ROWS = 1_000;

/**
 * Removes every row of a store. The first commit takes what makes it this store: its identity, the queue, the cursor, the mark of its
 * holder, who can write no more. Whatever interrupts the rest leaves a store that opens as a new one. Records go next, layouts last,
 * without which they could not be read.
 *
 * @param fence - the mark of the client that wipes; a store that another client has taken over is left to that one.
 * @throws {@link SyncFault} `CLIENT_TAKEN_OVER`, storage faults
 */
export async function wipeStore(adapter: StorageAdapter, owner: StoreOwner, objects: Iterable<string>, fence: Uint8Array): Promise<void> {
  const storage = await adapter.open(owner);
  try {
    await removeAll(storage, objects, fence);
  } finally {
    await storage.close();
  }
}

async function removeAll(storage: Storage, objects: Iterable<string>, fence: Uint8Array): Promise<void> {
  const all = new Set(objects);
  for (const { bytes } of await scanAll(storage, STATE.layout)) all.add(decodeLayout(bytes).object);
  const state = await scanAll(storage, '');
  const outcome = await storage.commit({
    expect: [{ key: STATE.fence, bytes: fence }],
    removeState: state.flatMap(({ key }) => (key.startsWith(STATE.layout) ? [] : [key])),
    durability: 'strict',
  });
  if (outcome !== 'done') throw takenOver();
  for (const object of all) {
    for (;;) {
      const rows = await storage.scanRecords({ object, limit: ROWS });
      if (rows.length === 0) break;
      if (!(await remove(storage, { removeRecords: rows.map(({ id }) => ({ object, id })) }))) return;
    }
  }
  await remove(storage, { removeState: state.flatMap(({ key }) => (key.startsWith(STATE.layout) ? [key] : [])) });
}

/** Somebody may have opened the store anew meanwhile: what is there then is not ours to remove. */
async function remove(storage: Storage, rows: Partial<Commit>): Promise<boolean> {
  return (await storage.commit({ ...rows, expect: [{ key: STATE.fence, bytes: null }], durability: 'strict' })) === 'done';
}

async function scanAll(storage: Storage, prefix: string): Promise<{ readonly key: string; readonly bytes: Uint8Array }[]> {
  const all: { readonly key: string; readonly bytes: Uint8Array }[] = [];
  for (;;) {
    const after = all.at(-1)?.key;
    const rows = await storage.scanState({ prefix, limit: ROWS, ...(after === undefined ? {} : { after }) });
    all.push(...rows);
    if (rows.length < ROWS) return all;
  }
}
