import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseUploadAnswer } from '../../src/protocol/parse.ts';
import type { ServerStore, StoreTransaction } from '../../src/server/index.ts';
import type { OfficeReceipt } from '../office-messages.ts';

/** A store that remembers the newest receipts, so that the back office can show what was decided. */
export interface ObservedStore {
  readonly store: ServerStore;
  /** Since the start, newest first. */
  readonly receipts: () => readonly OfficeReceipt[];
}

const KEPT = 100;

/** Wraps a store; `onCommit` hears each transaction that wrote something. */
export function observeStore(store: ServerStore, onCommit: () => void): ObservedStore {
  let receipts: readonly OfficeReceipt[] = [];

  async function run<T>(tenant: string, work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    let given: readonly OfficeReceipt[] = [];
    const answer = await store.run(tenant, (transaction) => {
      given = []; // work may run more than once
      return work(observe(transaction, (receipt) => (given = [receipt, ...given])));
    });
    receipts = [...given, ...receipts].slice(0, KEPT);
    onCommit();
    return answer;
  }

  const observed: ServerStore = {
    get durability() {
      return store.durability;
    },
    run,
    read: (tenant, work) => store.read(tenant, work),
    turnDays: async (now, keptMs) => store.turnDays?.(now, keptMs),
    close: () => store.close(),
  };
  return { store: observed, receipts: () => receipts };
}

function observe(transaction: StoreTransaction, onReceipt: (receipt: OfficeReceipt) => void): StoreTransaction {
  return new Proxy(transaction, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'putReceipt') return member.bind(target) as unknown;
      const putReceipt: StoreTransaction['putReceipt'] = async (key, receipt) => {
        await target.putReceipt(key, receipt);
        const outcome = parseUploadAnswer(decodeEnvelope(receipt.result)).results[0]?.outcome ?? 'unknown';
        onReceipt({ ...key, at: receipt.createdAt, outcome });
      };
      return putReceipt;
    },
  });
}
