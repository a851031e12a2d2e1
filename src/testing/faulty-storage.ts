import { SyncFault } from '../shared/fault.ts';
import { CallsUnderWay } from '../storage/calls-under-way.ts';
import { copyCommit } from '../storage/copy-commit.ts';
import type { Commit, PackedStorage, Storage, StorageAdapter, StoreOwner } from '../storage/storage-adapter.ts';

/**
 * How a commit goes. A crash kills every store that is open through the adapter, as the end of its process would: `crash-before`
 * keeps the commit from landing, `crash-after` lets it land and nobody hears of it. `full` and `fail` write nothing and say so.
 */
export type CommitFate = 'done' | 'crash-before' | 'crash-after' | 'full' | 'fail';

/** A commit that is about to happen. */
export interface CommitAttempt {
  /** Counts the commits of this adapter from 1. */
  readonly number: number;
  /** Whose store it is. */
  readonly owner: StoreOwner;
  /** What is about to be written. */
  readonly commit: Commit;
}

/** What goes wrong, and when. */
export interface FaultyStorageOptions {
  /** Decides how each commit goes: seeded in the simulator, a table in a test. @defaultValue all are done */
  readonly decide?: (attempt: CommitAttempt) => CommitFate;
  /**
   * Waits before and after each call, for calls that overtake one another: resolve it from a virtual clock. @defaultValue no wait
   */
  readonly delay?: () => Promise<void>;
  /** Hears of each crash, so that the rest of the process can be taken down with the storage. */
  readonly onCrash?: () => void;
  /**
   * What calls on a dead store do. `reject` with `STORAGE_CLOSED`, or `hang`: never settle, which is what a process that is gone looks
   * like. @defaultValue 'reject'
   */
  readonly afterCrash?: 'reject' | 'hang';
}

/** An adapter with faults in it. */
export interface FaultyStorage extends StorageAdapter {
  /** Commits tried so far. */
  readonly commits: number;
  /** Kills every store that is open now. Opening again is the restart: it finds what had landed. */
  crash(): void;
}

/** Wraps an adapter and injects faults. It has no timers and no randomness: the same decisions give the same run. */
export function faultyStorage(inner: StorageAdapter, options: FaultyStorageOptions = {}): FaultyStorage {
  const { decide = () => 'done', delay, onCrash, afterCrash = 'reject' } = options;
  let commits = 0;
  let lives = 0;

  function crash(): void {
    lives++;
    onCrash?.();
  }

  return {
    get commits() {
      return commits;
    },
    crash,
    async open(owner) {
      const life = lives;
      const isDead = () => lives !== life;
      const underWay = new CallsUnderWay();
      let isClosed = false;
      const call = <T>(what: string, run: () => Promise<T>): Promise<T> => underWay.track(runUnlessDead(what, run));

      /** Runs a call unless the store dies before it; its answer reaches nobody when the store dies meanwhile. */
      async function runUnlessDead<T>(what: string, run: () => Promise<T>): Promise<T> {
        if (isClosed) throw new SyncFault('STORAGE_CLOSED', `cannot ${what}: the storage is closed`);
        if (delay !== undefined && !isDead()) await delay();
        if (isDead()) return dead(what, afterCrash);
        const answer = await run().then((value) => () => value, (thrown) => () => { throw thrown; });
        await delay?.();
        return isDead() ? dead(what, afterCrash) : answer();
      }

      const storage = await call('open', () => inner.open(owner));
      return {
        readRecords: (keys) => call('readRecords', () => storage.readRecords(keys)),
        scanRecords: (range) => call('scanRecords', () => storage.scanRecords(range)),
        scanState: (range) => call('scanState', () => storage.scanState(range)),
        async commit(given) {
          const commit = copyCommit(given);
          return call('commit', () => commitWith(decide({ number: ++commits, owner, commit }), storage, commit, crash));
        },
        async close() {
          if (isDead()) return;
          isClosed = true;
          await underWay.settle();
          await storage.close();
        },
        ...(storage.packed === undefined ? {} : { packed: packedThrough(storage.packed, call) }),
        ...(storage.estimate === undefined ? {} : { estimate: () => call('estimate', () => storage.estimate!()) }),
      } satisfies Storage;
    },
  };
}

function packedThrough(packed: PackedStorage, call: <T>(what: string, run: () => Promise<T>) => Promise<T>): PackedStorage {
  return {
    readAround: (asked) => call('readAround', () => packed.readAround(asked)),
    scan: (range) => call('scan', () => packed.scan(range)),
  };
}

async function commitWith(fate: CommitFate, storage: Storage, commit: Commit, crash: () => void): Promise<'done' | 'stale'> {
  switch (fate) {
    case 'done':
      return storage.commit(commit);
    case 'full':
      throw new SyncFault('STORAGE_FULL', 'cannot commit: no room (injected)');
    case 'fail':
      throw new SyncFault('STORAGE_FAILED', 'cannot commit: the platform failed (injected)');
    case 'crash-before':
      crash();
      return 'done'; // heard by nobody
    case 'crash-after': {
      const answer = await storage.commit(commit);
      crash();
      return answer;
    }
  }
}

function dead<T>(what: string, afterCrash: 'reject' | 'hang'): Promise<T> {
  if (afterCrash === 'hang') return new Promise(() => {});
  return Promise.reject(new SyncFault('STORAGE_CLOSED', `cannot ${what}: the process crashed (injected)`, { details: { crashed: true } }));
}
