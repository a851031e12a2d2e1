import { SyncFault } from '../../shared/fault.ts';
import { MemoryTenant } from './memory-tables.ts';
import { openMemoryTransaction } from './memory-transaction.ts';
import type { ServerStore, StoreTransaction } from './server-store.ts';

/** A copy of everything a memory store holds, as a backup would have it. */
export interface MemorySnapshot {
  /** @internal */
  readonly tenants: ReadonlyMap<string, MemoryTenant>;
}

/** The points of a transaction at which a test may make the store fail. */
export type CommitStep = 'before-commit' | 'after-commit';

/** What a memory store begins with, and who hears of its commits. */
export interface MemoryStoreOptions {
  /** Begins with what another store held: a restore from a backup. Raise the epoch then. */
  readonly from?: MemorySnapshot;
  /**
   * Hears of each commit just before and just after it; what it throws comes out of `run` as `STORAGE_FAILED`. Thrown before the commit,
   * nothing was written; thrown after it, everything was.
   */
  readonly intercept?: (step: CommitStep, tenant: string) => void | Promise<void>;
}

/** A store in memory, with what tests of crashes need. */
export interface MemoryServerStore extends ServerStore {
  /** Ends what is under way as the death of the server's process would: open transactions are rolled back, waiting ones never begin. */
  crash(): void;
  /** Copies what is committed, as a backup would. */
  snapshot(): Promise<MemorySnapshot>;
}

/**
 * Keeps everything in memory: for tests, simulations and first steps. Transactions of a tenant run one after another. Drop the server
 * object and keep the store to play a crash of the server.
 *
 * @example
 * ```ts
 * const server = createSyncServer({ schema, store: memory(), authenticate });
 * ```
 */
export function memory({ from, intercept }: MemoryStoreOptions = {}): MemoryServerStore {
  const tenants = new Map([...(from?.tenants ?? [])].map(([name, tenant]) => [name, tenant.copy()]));
  const turns = new Map<string, Promise<void>>();
  const open = new Set<() => void>();
  let isClosed = false, crashes = 0;

  async function inTurn<T>(name: string, isWrite: boolean, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    const before = turns.get(name);
    let leave = (): void => {};
    const turn = new Promise<void>((resolve) => (leave = resolve));
    turns.set(name, turn);
    const life = crashes;
    await before;
    try {
      if (life !== crashes) throw new SyncFault('STORAGE_FAILED', 'the server crashed before this transaction began');
      if (isClosed) throw new SyncFault('STORAGE_CLOSED', 'the store is closed');
      return await runToEnd(name, isWrite, work, leave);
    } finally {
      leave();
      if (turns.get(name) === turn) turns.delete(name);
    }
  }

  async function runToEnd<T>(name: string, isWrite: boolean, work: (transaction: StoreTransaction) => Promise<T>, leave: () => void): Promise<T> {
    const tenant = tenants.get(name) ?? new MemoryTenant();
    tenants.set(name, tenant);
    const running = openMemoryTransaction(tenant);
    let hasCrashed = false;
    const crash = (): void => {
      hasCrashed = true;
      running.end('rollback');
      leave();
    };
    open.add(crash);
    try {
      const answer = await work(running.transaction);
      if (isWrite) await intercepted('before-commit', name);
      if (hasCrashed) throw new SyncFault('STORAGE_FAILED', 'the server crashed before the commit');
      running.end('commit');
      if (isWrite) await intercepted('after-commit', name);
      return answer;
    } finally {
      open.delete(crash);
      running.end('rollback'); // Nothing happens when it was committed.
    }
  }

  async function intercepted(step: CommitStep, tenant: string): Promise<void> {
    try {
      await intercept?.(step, tenant);
    } catch (cause) {
      throw new SyncFault('STORAGE_FAILED', `the store failed ${step === 'before-commit' ? 'before' : 'after'} the commit`, { cause });
    }
  }

  return {
    durability: async () => 'none',
    run: (tenant, work) => inTurn(tenant, true, work),
    read: (tenant, work) => inTurn(tenant, false, work),
    crash() {
      crashes++;
      for (const end of [...open]) end();
    },
    async snapshot() {
      const copies = new Map<string, MemoryTenant>();
      for (const [name, tenant] of tenants) await inTurn(name, false, async () => copies.set(name, tenant.copy()));
      return { tenants: copies };
    },
    close: async () => {
      isClosed = true;
      await Promise.all(turns.values());
    },
  };
}
