import { bytesToHex, utf8 } from '../../shared/bytes.ts';
import type { Commit, RecordRow, StateRow, Storage, StorageAdapter, StoreOwner } from '../../storage/storage-adapter.ts';
import type { StorageFailures, StorageSuiteOptions } from '../describe-storage-adapter.ts';
import type { SuiteRunner } from '../suite-runner.ts';

/** One test's view of the adapter: a fresh place, and stores of it that are closed when the test ends. */
export interface Bench {
  /** Opens a store through a new adapter over the same place. */
  open(owner?: StoreOwner): Promise<Storage>;
  crash(): Promise<void>;
  fillUp(nth: number): Promise<void>;
  abortAfterSuccess(): Promise<void>;
  loseHandles(): Promise<void>;
}

/** The tests' common ground. */
export interface Suite {
  readonly runner: SuiteRunner;
  /** What the adapter's author brought along. */
  readonly capabilities: Readonly<Record<'packed' | 'crash' | keyof StorageFailures<unknown>, true | undefined>>;
  /** Registers a test that gets a bench of its own. */
  test(name: string, run: (bench: Bench) => Promise<void>): void;
  /** Runs with a bench, and tidies up. */
  withBench(run: (bench: Bench) => Promise<void>): Promise<void>;
}

export const OWNER: StoreOwner = { tenant: 'acme', user: 'ada' };

export function createSuite<Place>(options: StorageSuiteOptions<Place>): Suite {
  const { describe, test, failures } = options;
  const withBench = (run: (bench: Bench) => Promise<void>) => runOnBench(options, run);
  const has = (capability: unknown) => (capability === undefined ? undefined : true);
  return {
    runner: { describe, test },
    capabilities: {
      packed: options.packed,
      crash: has(options.crash),
      fillUp: has(failures?.fillUp),
      abortAfterSuccess: has(failures?.abortAfterSuccess),
      loseHandles: has(failures?.loseHandles),
    },
    test: (name, run) => void test(name, () => withBench(run)),
    withBench,
  };
}

async function runOnBench<Place>(options: StorageSuiteOptions<Place>, run: (bench: Bench) => Promise<void>): Promise<void> {
  const place = await options.createPlace();
  const opened: Storage[] = [];
  try {
    await run({
      async open(owner = OWNER) {
        const adapter: StorageAdapter = await options.createAdapter(place);
        const storage = await adapter.open(owner);
        opened.push(storage);
        return storage;
      },
      crash: async () => options.crash?.(place),
      fillUp: async (nth) => options.failures?.fillUp?.(place, nth),
      abortAfterSuccess: async () => options.failures?.abortAfterSuccess?.(place),
      loseHandles: async () => options.failures?.loseHandles?.(place),
    });
  } finally {
    for (const storage of opened) await storage.close().catch(() => {});
    await options.disposePlace?.(place);
  }
}

export function record(id: string, text: string, object = 'note'): RecordRow {
  return { object, id, bytes: utf8(text) };
}

export function state(key: string, text: string): StateRow {
  return { key, bytes: utf8(text) };
}

/** Commits durably. */
export function commit(storage: Storage, step: Omit<Commit, 'durability'>): Promise<'done' | 'stale'> {
  return storage.commit({ durability: 'strict', ...step });
}

/** Everything a store holds of the given objects and of its state, as lines of text in scan order. */
export async function contentsOf(storage: Storage, objects: readonly string[] = ['note', 'line']): Promise<string[]> {
  const lines: string[] = [];
  for (const object of objects) {
    for (const row of await storage.scanRecords({ object, limit: 100_000 })) lines.push(`${object}/${row.id}=${readable(row.bytes)}`);
  }
  for (const row of await storage.scanState({ prefix: '', limit: 100_000 })) lines.push(`${row.key}=${readable(row.bytes)}`);
  return lines;
}

const decoder = new TextDecoder();

function readable(bytes: Uint8Array): string {
  return bytes.length > 64 ? `${bytesToHex(bytes.subarray(0, 16))}…(${bytes.length})` : decoder.decode(bytes);
}
