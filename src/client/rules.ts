import type { Verdict } from '../core/core.ts';
import type { EntryResult, FeedCursor } from '../protocol/messages.ts';
import { compareVersions, type RecordVersion } from '../protocol/version.ts';
import { bytesEqual } from '../shared/bytes.ts';
import type { Clock } from '../shared/clock.ts';
import { createId } from '../shared/ids.ts';
import type { Random } from '../shared/random.ts';
import type { Commit } from '../storage/storage-adapter.ts';
import { isEcho, type IsEcho } from '../transport/answer.ts';
import type { HeldImage } from './rows.ts';
import { planUpload, type UploadPlanInput } from './upload-plan.ts';
import type { QueueEntry } from './queue-entry.ts';

/**
 * The decisions that keep data safe, each in one place. The product always uses {@link clientRules}; the simulator swaps single entries
 * to plant the bugs that it must find.
 *
 * @internal
 */
export interface ClientRules {
  /** Design, identity: the name of a new store. */
  createStoreId(clock: Clock, random: Random): string;
  /** Rule A17: which entries go up next. */
  planUpload(input: UploadPlanInput): QueueEntry[];
  /** Rules C2, C4: the number under which an entry is sent. */
  numberFor(entry: QueueEntry, nextNumber: number): number;
  /** Threat T8: whether an answer is to the request that was made, by what it echoes. */
  isAnswerTo: IsEcho;
  /** Rule C4: whether the results of an upload are those of the entries sent. */
  areResultsOf(results: readonly EntryResult[], entries: readonly QueueEntry[]): boolean;
  /** Rule C11: what a result means for its entry. */
  readResult(result: EntryResult): EntryResult;
  /** Rule C5: whether a later edit's previous value is what the settled entry sent. */
  isRebased(previous: Uint8Array, sent: Uint8Array): boolean;
  /** Rule C5: the image that later edits are rebased onto. */
  rebaseOnto(committed: HeldImage, current: HeldImage): HeldImage;
  /** Rule C6: whether an image may replace a base. */
  isNewer(candidate: RecordVersion, base: RecordVersion): boolean;
  /** Rules A39, C6: what to do with an image of the feed. */
  verdict(verdict: Verdict): Verdict;
  /** Rule C7: whether an image that must not be merged now is kept aside. */
  keepsAside(image: HeldImage): boolean;
  /** Rule B13: what a record becomes when its refused change is taken back. */
  undoneTo(base: HeldImage | null, side: HeldImage | null, refused: QueueEntry): HeldImage | null;
  /** Rule A29: where to read the feed from after a page. */
  cursorAfter(page: { readonly from: FeedCursor; readonly next: FeedCursor }): FeedCursor;
  /** Rule A11: the storage commits that make up one step. */
  commitsOf(step: Commit): readonly Commit[];
}

/** The rules of the product. */
export const clientRules: ClientRules = {
  createStoreId: createId,
  planUpload,
  numberFor: (entry, nextNumber) => entry.number ?? nextNumber,
  isAnswerTo: isEcho,
  areResultsOf: (results, entries) => results.length === entries.length && results.every(({ number }, index) => number === entries[index]!.number),
  readResult: (result) => result,
  isRebased: bytesEqual,
  rebaseOnto: (committed) => committed,
  isNewer: (candidate, base) => compareVersions(candidate, base) > 0,
  verdict: (verdict) => verdict,
  keepsAside: () => true,
  undoneTo: (base, side) => (side !== null && (base === null || compareVersions(side.version, base.version) > 0) ? side : base),
  cursorAfter: ({ next }) => next,
  commitsOf: (step) => [step],
};
