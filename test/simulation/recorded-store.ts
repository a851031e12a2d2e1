import { memory, type CommitStep } from '../../src/server/store/memory.ts';
import type { FeedRow, Receipt, ReceiptKey, RecordWrite, ServerStore, StoreTransaction } from '../../src/server/store/server-store.ts';

/** What one transaction of the server wrote. */
export interface CommittedTransaction {
  readonly records: readonly RecordWrite[];
  readonly receipts: readonly { readonly key: ReceiptKey; readonly receipt: Receipt }[];
  readonly feedRows: readonly { readonly user: string; readonly row: Omit<FeedRow, 'position'>; readonly position: number }[];
  /** Stores that were bound to their user. */
  readonly claims: readonly { readonly store: string; readonly user: string }[];
}

export interface RecordedStoreOptions {
  /** Hears of each commit at the moment at which it stands. */
  readonly onCommit: (transaction: CommittedTransaction) => void;
  /** Asked before and after each commit: true ends the server's process right there. */
  readonly crashesAt: (step: CommitStep) => boolean;
  /** Ends the server's process. */
  readonly crash: () => void;
}

type Writing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] };

/** The memory store, with a witness of what it commits. */
export function createRecordedStore({ onCommit, crashesAt, crash }: RecordedStoreOptions): ServerStore & { crash(): void } {
  // Transactions of a tenant run one after another, and there is one tenant: the one that commits is the one that began last.
  let running: Writing<CommittedTransaction> = { records: [], receipts: [], feedRows: [], claims: [] };
  const inner = memory({
    intercept(step) {
      const { records, receipts, feedRows, claims } = running;
      if (records.length + receipts.length + feedRows.length + claims.length === 0) return;
      if (step === 'after-commit') onCommit(running);
      if (!crashesAt(step)) return;
      crash();
      throw new Error('the server crashed (injected)');
    },
  });
  return {
    durability: inner.durability,
    run: (tenant, work) =>
      inner.run(tenant, (transaction) => {
        running = { records: [], receipts: [], feedRows: [], claims: [] };
        return work(witness(transaction, running));
      }),
    read: (tenant, work) => inner.read(tenant, work),
    close: () => inner.close(),
    crash: () => inner.crash(),
  };
}

function witness(transaction: StoreTransaction, writing: Writing<CommittedTransaction>): StoreTransaction {
  return {
    ...transaction,
    async putRecords(writes) {
      await transaction.putRecords(writes);
      writing.records.push(...writes);
    },
    async putReceipt(key, receipt) {
      await transaction.putReceipt(key, receipt);
      writing.receipts.push({ key, receipt });
    },
    async appendFeed(user, row) {
      const position = await transaction.appendFeed(user, row);
      writing.feedRows.push({ user, row, position });
      return position;
    },
    async claimStore(store, user) {
      const owner = await transaction.claimStore(store, user);
      writing.claims.push({ store, user: owner });
      return owner;
    },
  };
}
