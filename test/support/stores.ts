import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import type { UploadRequest } from '../../src/protocol/messages.ts';
import { parseUploadRequest } from '../../src/protocol/parse.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import type { TestDevice } from './world.ts';

/** Copies a user's store, as a backup or a cloned disk would. */
export async function copyStore(from: StorageAdapter, to: StorageAdapter, objects: readonly string[], user = 'ann'): Promise<void> {
  const [source, target] = [await from.open({ tenant: '', user }), await to.open({ tenant: '', user })];
  const putState = await source.scanState({ prefix: '', limit: Infinity });
  const putRecords = (await Promise.all(objects.map(async (object) => (await source.scanRecords({ object, limit: Infinity })).map((row) => ({ ...row, object }))))).flat();
  await target.commit({ putState, putRecords, durability: 'strict' });
  await Promise.all([source.close(), target.close()]);
}

/** The uploads that a device sent, oldest first. */
export function uploadsOf({ requests }: TestDevice): UploadRequest[] {
  return requests.filter(({ path }) => path === 'upload').map(({ body }) => parseUploadRequest(decodeEnvelope(body!)));
}

/** Everything that a user's store holds. */
export async function readAll(adapter: StorageAdapter, objects: readonly string[], user = 'ann') {
  const store = await adapter.open({ tenant: '', user });
  const state = await store.scanState({ prefix: '', limit: Infinity });
  const records = (await Promise.all(objects.map((object) => store.scanRecords({ object, limit: Infinity })))).flat();
  await store.close();
  return { state, records };
}
