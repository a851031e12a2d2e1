import { afterEach, expect, test } from 'vitest';
import { memory } from '../../../src/storage/memory.ts';
import type { StorageAdapter } from '../../../src/storage/storage-adapter.ts';
import { ordersSchema as schema } from '../../support/orders.ts';
import { createWorld, type World } from '../../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

/** A disk, and the records that are read from it one by one. */
function watchedDisk(read: string[]): StorageAdapter {
  const disk = memory();
  return {
    async open(owner) {
      const storage = await disk.open(owner);
      const readRecords = storage.readRecords.bind(storage);
      storage.readRecords = (keys) => {
        read.push(...keys.map(({ id }) => id));
        return readRecords(keys);
      };
      return storage;
    },
  };
}

test('A36: a commit has only the open records looked at that it may change', async () => {
  world = createWorld(schema);
  const read: string[] = [];
  const { engine } = await world.device('ann', { storage: watchedDisk(read), lifecycle: { isOnline: false, isForeground: true } });
  for (const id of ['a1', 'a2', 'a3', 'a4']) await engine.create('account', { name: id }, id);
  const views: unknown[] = [];
  for (const id of ['a1', 'a2', 'a3']) await engine.watchHandle('account', id, 'view', ({ record }) => void views.push(record.values.name));
  await engine.status();
  read.length = 0;
  await engine.update('account', 'a4', { name: 'of none that is open' });
  await engine.update('account', 'a2', { name: 'open' });
  await engine.get('account', 'a4');
  expect(read).not.toContain('a1');
  expect(read).not.toContain('a3');
  expect(read).toContain('a2');
});
