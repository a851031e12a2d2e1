import { afterEach, describe, expect, test } from 'vitest';
import { createTypedClient } from '../../src/client/sync-client.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Storage, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { createWorld, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }) } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

/** A store on a platform that answers `isPersisted` to whoever asks. */
function storeOf(isPersisted: () => boolean): StorageAdapter {
  const disk = memory();
  const estimate: Storage['estimate'] = async () => ({ usedBytes: 1, quotaBytes: 2, isPersisted: isPersisted() });
  return {
    async open(owner) {
      const storage = await disk.open(owner);
      return {
        readRecords: (keys) => storage.readRecords(keys),
        scanRecords: (range) => storage.scanRecords(range),
        scanState: (range) => storage.scanState(range),
        commit: (commit) => storage.commit(commit),
        close: () => storage.close(),
        estimate,
      };
    },
  };
}

describe('the status says whether the device may throw unsent work away', () => {
  test.each([true, false])('A8: when the store opens, as the platform says: %s', async (isPersisted) => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { storage: storeOf(() => isPersisted) });

    await engine.exchange();

    expect(await engine.status()).toMatchObject({ storagePersisted: isPersisted });
  });

  test('A8: where the adapter cannot say, nothing is claimed', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');

    expect(await engine.checkStorage()).toBeNull();
    expect(await engine.status()).toMatchObject({ storagePersisted: null });
  });

  test('A8: where the platform fails to say, nothing is claimed and the client works', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', {
      storage: storeOf(() => {
        throw new Error('the storage manager is gone');
      }),
    });

    expect(await engine.checkStorage()).toBeNull();
    expect(await engine.create('account', { name: 'St. Mary' })).toMatchObject({ entry: 1 });
  });

  test('A8: within an hour where the platform changes its mind, and who watches hears of it', async () => {
    world = createWorld(schema);
    let isPersisted = true;
    const { engine } = await world.device('ann', { storage: storeOf(() => isPersisted) });
    const heard: (boolean | null)[] = [];
    await engine.watchStatus(({ storagePersisted }) => heard.push(storagePersisted));
    await engine.exchange();

    isPersisted = false;
    await world.clock.advance(HOUR_MS - 1);
    expect(heard.at(-1)).toBe(true);
    await world.clock.advance(1);

    expect(heard.at(-1)).toBe(false);
  });

  test('A8: a client that asks the platform to keep the store answers, and shows, what it said', async () => {
    world = createWorld(schema);
    let isPersisted = false;
    const { engine } = await world.device('ann', { storage: storeOf(() => isPersisted) });
    const asking = (answer: boolean) => async () => (isPersisted = answer);
    const clientThat = (persist: () => Promise<unknown>) => createTypedClient({ schema, engine, runtime: { report: Promise.resolve({ kind: 'in-place', skipped: [] }), subscribe: () => () => {} }, persist });

    expect(await clientThat(asking(false)).persistStorage()).toBe(false);
    expect(await engine.status()).toMatchObject({ storagePersisted: false });
    expect(await clientThat(asking(true)).persistStorage()).toBe(true);

    expect(await engine.status()).toMatchObject({ storagePersisted: true });
  });
});
