import type { RecordVersion } from '../protocol/version.ts';
import type { ServerObject } from './server-schema.ts';
import type { Receipt, RecordKey, StoredRecord } from './store/server-store.ts';

/**
 * The decisions of the server that keep data safe, each in one place. The product always uses {@link serverRules}; the simulator swaps
 * single entries to plant the bugs that it must find.
 *
 * @internal
 */
export interface ServerRules {
  /** Rule C2: the receipt that answers an upload in place of a second save. */
  recall(receipt: Receipt | null): Receipt | null;
  /** Rules C2, C5: what a repeat shows as committed, of the images of then and of now. */
  committedOnRepeat<Image>(then: readonly Image[], now: readonly Image[]): readonly Image[];
  /** Rule A19: whether what the user saw is compared with what is online. */
  compares(object: ServerObject): boolean;
  /** Rule A30: whether a record that a save touched goes into its answer and its feed row. */
  concerns(touched: RecordKey, members: readonly RecordKey[]): boolean;
  /** Rule C6: the version of a record's next commit. */
  nextVersion(stored: StoredRecord | null, epoch: number): RecordVersion;
  /** Rule A31: the oldest feed position that counts as kept, of the one that is. */
  oldestKept(oldest: number | null): number | null;
}

/** The rules of the product. */
export const serverRules: ServerRules = {
  recall: (receipt) => receipt,
  committedOnRepeat: (then) => then,
  compares: ({ isOverride }) => !isOverride,
  concerns: () => true,
  // Versions only grow, whatever the epoch: a restored server begins a new epoch, and n goes on from what it remembers.
  nextVersion: (stored, epoch) => [epoch, (stored?.version[1] ?? 0) + 1],
  oldestKept: (oldest) => oldest,
};
