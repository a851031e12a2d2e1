import { describe, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/shared/bytes.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Commit } from '../../src/storage/storage-adapter.ts';
import { describeStorageAdapter } from '../../src/testing/describe-storage-adapter.ts';
import { faultyStorage, type CommitFate, type FaultyStorageOptions } from '../../src/testing/faulty-storage.ts';

const OWNER = { tenant: 't', user: 'u' };

function put(key: string): Commit {
  return { durability: 'strict', putState: [{ key, bytes: utf8(key) }] };
}

/** A faulty store over memory: commit number `n` meets the nth fate, and all later ones are done. */
async function openWith(fates: readonly CommitFate[], options: FaultyStorageOptions = {}) {
  const adapter = faultyStorage(memory(), { ...options, decide: ({ number }) => fates[number - 1] ?? 'done' });
  const storage = await adapter.open(OWNER);
  const keysAfterRestart = async () => (await (await adapter.open(OWNER)).scanState({ prefix: '', limit: 99 })).map((row) => row.key);
  return { adapter, storage, keysAfterRestart };
}

function createPlace() {
  let fullAt = 0;
  const storage = faultyStorage(memory(), { decide: ({ number }) => (number === fullAt ? 'full' : 'done') });
  return { storage, fillUp: (nth: number) => void (fullAt = storage.commits + nth) };
}

describeStorageAdapter({
  name: 'memory with faults',
  describe,
  test,
  createPlace,
  createAdapter: ({ storage }) => storage,
  crash: ({ storage }) => storage.crash(),
  packed: true,
  failures: { fillUp: (place, nth) => place.fillUp(nth) },
});

describe('storage with faults', () => {
  test('keeps a commit from landing when it crashes before it', async () => {
    const { storage, keysAfterRestart } = await openWith(['done', 'crash-before']);
    await storage.commit(put('1'));
    await expect(storage.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_CLOSED', details: { crashed: true } });
    expect(await keysAfterRestart()).toEqual(['1']);
  });

  test('lets a commit land that it crashes after, though nobody hears of it', async () => {
    const { storage, keysAfterRestart } = await openWith(['done', 'crash-after']);
    await storage.commit(put('1'));
    await expect(storage.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    expect(await keysAfterRestart()).toEqual(['1', '2']);
  });

  test('is dead after a crash: no later call of any store that was open gets through', async () => {
    const { adapter, storage, keysAfterRestart } = await openWith(['crash-before']);
    const beside = await adapter.open(OWNER);
    await expect(storage.commit(put('1'))).rejects.toThrow();
    for (const dead of [storage, beside]) {
      await expect(dead.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(dead.readRecords([])).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(dead.scanRecords({ object: 'a', limit: 1 })).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await expect(dead.scanState({ prefix: '', limit: 1 })).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
      await dead.close();
    }
    expect(await keysAfterRestart()).toEqual([]);
    expect(adapter.commits).toBe(1);
  });

  test('never answers once dead when it is told to hang', async () => {
    const { storage } = await openWith(['crash-after'], { afterCrash: 'hang' });
    const settled = vi.fn();
    storage.commit(put('1')).then(settled, settled);
    storage.readRecords([]).then(settled, settled);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).not.toHaveBeenCalled();
  });

  test('tells of its crash once, so that the rest of the process can be taken down', async () => {
    const onCrash = vi.fn();
    const { storage } = await openWith(['crash-before'], { onCrash });
    await expect(storage.commit(put('1'))).rejects.toThrow();
    await expect(storage.commit(put('2'))).rejects.toThrow();
    expect(onCrash).toHaveBeenCalledTimes(1);
  });

  test('refuses a commit for lack of room, or for no reason, and writes nothing of it', async () => {
    const { storage, keysAfterRestart } = await openWith(['full', 'fail']);
    await expect(storage.commit(put('1'))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(storage.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await storage.commit(put('3'));
    expect(await keysAfterRestart()).toEqual(['3']);
  });

  test('hands the whole attempt to whoever decides', async () => {
    const decide = vi.fn(() => 'done' as const);
    const storage = await faultyStorage(memory(), { decide }).open(OWNER);
    await storage.commit(put('1'));
    expect(decide.mock.calls).toMatchObject([[{ number: 1, owner: OWNER, commit: put('1') }]]);
  });

  test('does not land a commit whose process crashed while it was delayed', async () => {
    const waiting: (() => void)[] = [];
    const adapter = faultyStorage(memory(), { delay: () => new Promise((resolve) => void waiting.push(resolve)) });
    const tick = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      for (const go of waiting.splice(0)) go();
    };
    const opening = adapter.open(OWNER);
    await tick();
    await tick();
    const storage = await opening;
    const writing = storage.commit(put('1')).catch((thrown: unknown) => thrown);
    adapter.crash();
    await tick();
    expect(await writing).toMatchObject({ code: 'STORAGE_CLOSED' });

    const reopening = adapter.open(OWNER);
    await tick();
    await tick();
    const scanning = (await reopening).scanState({ prefix: '', limit: 9 });
    await tick();
    await tick();
    expect(await scanning).toEqual([]);
  });

  test('writes the bytes of the call, also when it delays', async () => {
    let go = () => {};
    let isDelaying = false;
    const adapter = faultyStorage(memory(), { delay: () => (isDelaying ? new Promise((resolve) => (go = resolve)) : Promise.resolve()) });
    const storage = await adapter.open(OWNER);
    const commit = put('as given');
    isDelaying = true;
    const writing = storage.commit(commit);
    commit.putState![0]!.bytes.fill(0);
    isDelaying = false;
    go();
    await writing;
    expect((await storage.scanState({ prefix: '', limit: 1 }))[0]!.bytes).toEqual(utf8('as given'));
  });
});
