import { describe, expect, test } from 'vitest';
import { memory } from '../../src/server/store/memory.ts';
import { describeServerStore } from '../../src/testing/describe-server-store.ts';
import { createWorld, settle } from './harness.ts';

describeServerStore({ name: 'memory', describe, test, open: () => memory() });

describe('memory store', () => {
  test('a crash rolls open transactions back and lets the next server work', async () => {
    const store = memory();
    let enter = (): void => {};
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const dead = store.run('t', async (transaction) => {
      await transaction.openFeed('ann', 'f');
      enter();
      await new Promise(() => {}); // Its process is gone.
    });
    await entered;
    store.crash();
    expect(await store.read('t', (view) => view.getFeed('ann'))).toBeNull();
    expect(await Promise.race([dead, settle().then(() => 'still waiting')])).toBe('still waiting');
  });

  test('a crashed transaction cannot commit any more', async () => {
    const store = memory();
    const dead = store.run('t', async (transaction) => {
      await transaction.openFeed('ann', 'f');
      store.crash();
    });
    await expect(dead).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await store.read('t', (view) => view.getFeed('ann'))).toBeNull();
  });

  test('a transaction that waited for its turn does not begin after a crash', async () => {
    const store = memory();
    const first = store.run('t', async () => store.crash());
    const second = store.run('t', (transaction) => transaction.openFeed('ann', 'f'));
    await expect(first).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(second).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await store.run('t', (transaction) => transaction.openFeed('ann', 'g'))).toMatchObject({ feed: 'g' });
  });

  test('a snapshot is a backup: another store begins with it, and later saves do not change it', async () => {
    const { device, store } = createWorld();
    await device('ann').save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary' } });
    const backup = await store.snapshot();
    await device('ann').save(2, { update: 'account', id: 'a1', from: { name: 'St. Mary' }, to: { name: 'St. John' } });
    const restored = createWorld({ store: memory({ from: backup }) });
    expect((await restored.device('ann').record('account', 'a1')).images).toMatchObject([{ version: [1, 1], values: { name: 'St. Mary' } }]);
  });
});
