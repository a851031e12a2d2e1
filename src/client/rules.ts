import type { Verdict } from '../core/core.ts';
import type { Layout } from '../protocol/layout.ts';
import type { EntryResult, FeedCursor, FeedPart } from '../protocol/messages.ts';
import type { SubmittedDefinition } from '../protocol/schema.ts';
import { compareVersions, type RecordVersion } from '../protocol/version.ts';
import { bytesEqual } from '../shared/bytes.ts';
import type { Clock } from '../shared/clock.ts';
import { createId } from '../shared/ids.ts';
import type { Random } from '../shared/random.ts';
import type { Commit } from '../storage/storage-adapter.ts';
import type { IsEcho } from '../transport/echo.ts';
import type { MergeUnit } from './answers/merge-units.ts';
import type { Notice } from './answers/notices.ts';
import { coalesce, type Coalesced, type CoalesceInput } from './queue/coalesce.ts';
import { isSubmitted } from './queue/groups.ts';
import type { InUse } from './store/in-use.ts';
import type { HeldImage } from './store/rows.ts';
import type { Key } from './store/record-key.ts';
import type { StagedParts } from './store/stored.ts';
import type { LanePlan, LaneState } from './network/poll-plan.ts';
import type { UploadPlanInput } from './network/upload-plan.ts';
import { isUndecided, type EntryHeader, type QueueEntry } from './queue/queue-entry.ts';

/**
 * The decisions that keep data safe, each in one place. The product always uses {@link clientRules}; the simulator swaps single entries
 * to plant the bugs that it must find.
 *
 * @internal
 */
export interface ClientRules {
  /** Design, identity: the name of a new store. */
  createStoreId(clock: Clock, random: Random): string;
  /** Rule C8: whether a save joins the record's last entry, and as what. */
  coalesce(input: CoalesceInput): Coalesced;
  /** Rule A23: whether a record is submitted, and so closed to further changes on this device. */
  isLocked(submitted: SubmittedDefinition | undefined, layout: Layout, row: Uint8Array | null): boolean;
  /** Rules A15, C9: the headers that an entry names, and for whose sake it waits. */
  headersOf(headers: readonly EntryHeader[]): readonly EntryHeader[];
  /** Rules A12, A36: whether a record that a draft changes, or that somebody has open, takes nothing from the feed. */
  isInUse(drafts: ReadonlyMap<Key, string>, key: Key, handles: Pick<InUse, 'has'>): boolean;
  /** Rule A17: which entries go up next. @defaultValue `planUpload` of the conversation, which a start does not load */
  planUpload?(input: UploadPlanInput): QueueEntry[];
  /** Rules A16, A33: whether a lane talks to the server now. @defaultValue `planLane` of the conversation, which a start does not load */
  planLane?(state: LaneState, now: number): LanePlan;
  /** Rules A6, A33: time until the next poll; hints are no reason to wait longer. @defaultValue `pickPollDelay` of the conversation, which a start does not load */
  pollDelay?(intervalMs: number, random: Random, isHinted: boolean): number;
  /** Rules C2, C4: the number under which an entry is sent. */
  numberFor(entry: QueueEntry, nextNumber: number): number;
  /** Threat T8: whether an answer is to the request that was made, by what it echoes. */
  isAnswerTo?: IsEcho;
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
  /** Rules A34, A35: what is merged all at once or not at all. */
  unitsOf(units: readonly MergeUnit[]): readonly MergeUnit[];
  /** Rule A35: the members that must be here, each at a version, before any of its group is merged. */
  needsOf(members: ReadonlyMap<Key, RecordVersion>): ReadonlyMap<Key, RecordVersion>;
  /** Rule A35: the masters that are not here, and without which a record is not merged. */
  orphanedBy(masters: readonly Key[]): readonly Key[];
  /** Rules A34, A38, A39: whether what is kept aside of a group is merged; the bits of `ATTENTION` say what is in the way. */
  isReleased(flags: number): boolean;
  /** Rules C6, C7: whether an image that was kept aside may replace a base. */
  replaces(aside: RecordVersion, base: RecordVersion): boolean;
  /** Rule A37: whether a save is held against what waits of its records. */
  guards(aside: HeldImage): boolean;
  /** Rules A27, A36: whether a field that somebody looks at becomes what the answer to an own save says. */
  showsAnswer(isOfSave: boolean): boolean;
  /** Rule C7: whether an image that must not be merged now is kept aside. */
  keepsAside(image: HeldImage): boolean;
  /** Rule B13: what a record becomes when its refused change is taken back. */
  undoneTo(base: HeldImage | null, side: HeldImage | null, refused: QueueEntry): HeldImage | null;
  /** Rules B13, C9: whether what waits behind a refused entry is taken back with it. */
  takesAlong(dependant: QueueEntry): boolean;
  /** Rule A26: under which number a refused entry is sent again. */
  retryAs(refused: QueueEntry): Pick<QueueEntry, 'state' | 'number'>;
  /** Rule B13: what `keepMine` overwrites, and so must have been shown: what the sync error shows as online, and what was merged last. */
  keepMineOver(shown: HeldImage | null, base: HeldImage | null): HeldImage | null;
  /** Rule A26: the place in the queue of what takes the place of a refused entry. */
  placeOf(seq: number, nextSeq: number): number;
  /** keepCleanFields: whether later edits are rebased in the saved fields alone; a refused one goes on from what the user saw. */
  rebasesWrittenOnly(): boolean;
  /** Rule A24: whether a later change of a group that was submitted elsewhere is dropped with the first. */
  discardsFollower(follower: QueueEntry): boolean;
  /** Rule A23: whether a later change of a group that was submitted elsewhere goes up in its copy, and no more by itself. */
  absorbsFollower(follower: QueueEntry): boolean;
  /** Rule C11: whether a notice is kept with the step that makes it true. */
  keepsNotice(notice: Notice): boolean;
  /** Rule A29: where to read the feed from after a page. */
  cursorAfter(page: { readonly from: FeedCursor; readonly next: FeedCursor }): FeedCursor;
  /** Rules A29, A35: whether a part of a large transaction follows those that are staged. */
  isNextPart(staged: Pick<StagedParts, 'revision' | 'place'>, part: Pick<FeedPart, 'revision' | 'place'>): boolean;
  /** Rules A31, A35: whether a download, or a large transaction, that is half applied is ended before anything is read. */
  finishesFirst(): boolean;
  /** Rule A11: the storage commits that make up one step. */
  commitsOf(step: Commit): readonly Commit[];
}

/** The rules of the product. */
export const clientRules: ClientRules = {
  createStoreId: createId,
  coalesce,
  isLocked: isSubmitted,
  headersOf: (headers) => headers,
  isInUse: (drafts, key, handles) => drafts.has(key) || handles.has(key),
  numberFor: (entry, nextNumber) => entry.number ?? nextNumber,
  areResultsOf: (results, entries) => results.length === entries.length && results.every(({ number }, index) => number === entries[index]!.number),
  readResult: (result) => result,
  isRebased: bytesEqual,
  rebaseOnto: (committed) => committed,
  isNewer: (candidate, base) => compareVersions(candidate, base) > 0,
  verdict: (verdict) => verdict,
  unitsOf: (units) => units,
  needsOf: (members) => members,
  orphanedBy: (masters) => masters,
  isReleased: (flags) => flags === 0,
  replaces: (aside, base) => compareVersions(aside, base) > 0,
  guards: () => true,
  showsAnswer: (isOfSave) => isOfSave,
  keepsAside: () => true,
  undoneTo: (base, side) => (side !== null && (base === null || compareVersions(side.version, base.version) > 0) ? side : base),
  takesAlong: () => true,
  retryAs: (refused) => (isUndecided(refused) ? { state: 'sending', number: refused.number } : { state: 'queued', number: null }),
  keepMineOver: (shown) => shown,
  placeOf: (seq) => seq,
  rebasesWrittenOnly: () => true,
  discardsFollower: () => true,
  absorbsFollower: () => true,
  keepsNotice: () => true,
  cursorAfter: ({ next }) => next,
  isNextPart: (staged, part) => part.revision === staged.revision && part.place === staged.place + 1,
  finishesFirst: () => true,
  commitsOf: (step) => [step],
};
