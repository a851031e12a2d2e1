import type { EditCheck } from '../core/core.ts';
import type { FeedGap } from '../protocol/messages.ts';
import type { FieldMask } from '../protocol/row.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { ServerObject } from './server-schema.ts';
import type { Receipt, RecordKey, StoredRecord } from './store/server-store.ts';
import { isElsewhere, type Submission } from './submission.ts';

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
  /** Rules C2, C3: what a repeat shows as current: a repeat may be the only answer that comes through. */
  currentOnRepeat<Image>(then: readonly Image[], now: readonly Image[]): readonly Image[];
  /** Rule A19: whether what the user saw is compared with what is online. */
  compares(object: ServerObject): boolean;
  /** `keepCleanFields`: the fields that are written of an edit of which others are in conflict. */
  cleanFields(check: EditCheck): FieldMask;
  /** Rule A22: whether a value that nobody saw before it was replaced is told of, and kept in the audit. */
  tellsOverwritten(fields: readonly string[]): boolean;
  /** Rules A23, A24: whether a user who saw `base` could not know of a submission; of some, nobody knows whose they were. */
  isElsewhere(submission: Submission | null, store: string, base: RecordVersion): boolean;
  /** Rules A23, A24, C2: whether an entry that is set aside is decided on for good. */
  isFinal(outcome: 'discarded' | 'needsDuplicate'): boolean;
  /** Rule A30: whether a record that a save touched goes into its answer and its feed row. */
  concerns(touched: RecordKey, members: readonly RecordKey[]): boolean;
  /** Rule A28: whether a reader gets the row of a record, or only that it is not there. */
  shows(isVisible: boolean): boolean;
  /** Rule C6: the version of a record's next commit. */
  nextVersion(stored: StoredRecord | null, epoch: number): RecordVersion;
  /** Rule A31: the oldest feed position that counts as kept, of the one that is. */
  oldestKept(oldest: number | null): number | null;
  /** Rule A31: what a device is told when the feed begins later than it was to be read from. */
  gapBefore(from: number, planned: number): FeedGap | null;
}

/** The rules of the product. */
export const serverRules: ServerRules = {
  recall: (receipt) => receipt,
  committedOnRepeat: (then) => then,
  currentOnRepeat: (_then, now) => now,
  compares: ({ isOverride }) => !isOverride,
  cleanFields: ({ writes }) => writes,
  tellsOverwritten: (fields) => fields.length > 0,
  isElsewhere,
  isFinal: () => true,
  concerns: () => true,
  shows: (isVisible) => isVisible,
  // Versions only grow, whatever the epoch: a restored server begins a new epoch, and n goes on from what it remembers.
  nextVersion: (stored, epoch) => [epoch, (stored?.version[1] ?? 0) + 1],
  oldestKept: (oldest) => oldest,
  gapBefore: (from, planned) => (from > planned ? 'expired' : null),
};
