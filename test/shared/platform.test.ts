import { afterEach, describe, expect, test, vi } from 'vitest';
import { platformClock, platformFetch, platformIndexedDb, platformRandom, platformSha256, platformStorageManager } from '../../src/shared/platform.ts';
import { sha256 } from '../../src/shared/sha256.ts';
import { utf8 } from '../../src/shared/bytes.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the platform', () => {
  test('gives time that is now, and time that only grows', () => {
    expect(Math.abs(platformClock.now() - Date.now())).toBeLessThan(1_000);
    const first = platformClock.monotonic();
    expect(platformClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  test('sets timers that can be cancelled, twice and afterwards too', () => {
    vi.useFakeTimers();
    const run = vi.fn();
    const cancel = platformClock.setTimer(1_000, run);
    platformClock.setTimer(1_000, run);
    cancel();
    cancel();
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);
    cancel();
  });

  test('waits for at most 24 days where the host asks for more, and does not run at once', () => {
    vi.useFakeTimers();
    const run = vi.fn();
    platformClock.setTimer(2 ** 40, run);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('gives random numbers from 0 to below 1, and random bytes', () => {
    const numbers = Array.from({ length: 100 }, () => platformRandom.next());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(90);
    expect(platformRandom.bytes(16)).toHaveLength(16);
    expect(platformRandom.bytes(16)).not.toEqual(platformRandom.bytes(16));
  });

  test('is looked up when it is used, so that a polyfill may come late', async () => {
    vi.stubGlobal('fetch', async (url: string) => new Response(url));
    expect(await (await platformFetch('stubbed', {})).text()).toBe('stubbed');
  });

  test('may lack IndexedDB and a storage manager', () => {
    vi.stubGlobal('indexedDB', undefined);
    vi.stubGlobal('navigator', undefined);
    expect([platformIndexedDb(), platformStorageManager()]).toEqual([undefined, undefined]);
    const factory = {} as IDBFactory, storage = {} as StorageManager;
    vi.stubGlobal('indexedDB', factory);
    vi.stubGlobal('navigator', { storage });
    expect(platformIndexedDb()).toBe(factory);
    expect(platformStorageManager()).toBe(storage);
  });
});

test('Node hashes texts as our own code does', () => {
  const hash = platformSha256()!;
  for (const text of ['', 'Bearer abc', 'é€😀', 'x'.repeat(1_000)]) expect(hash(text)).toBe(String.fromCharCode(...sha256(utf8(text))));
});
