import type { ChangeOp, ImageState } from '../protocol/items.ts';
import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import type { RecordVersion } from '../protocol/version.ts';

/** Which build answers: the Wasm core (scalar, SIMD, debug) or its plain TypeScript twin. */
export type CoreBuild = 'scalar' | 'simd' | 'debug' | 'twin';

/** Why bytes were not accepted. `ok` is the only good one. */
export const CORE_STATUSES = [
  'ok',
  'truncated',
  'trailing-bytes',
  'too-deep',
  'too-many',
  'unexpected-type',
  'not-canonical',
  'bad-utf8',
  'out-of-range',
  'unknown-layout',
  'wrong-field-count',
  'bad-mask',
  'bad-state',
  'too-large',
  'not-sorted',
  'out-of-memory',
] as const;

export type CoreStatus = (typeof CORE_STATUSES)[number];

/** Bytes that were not accepted: why, and at which byte. */
export interface CoreRefusal {
  readonly ok: false;
  readonly status: Exclude<CoreStatus, 'ok'>;
  readonly offset: number;
}

/** Where the images of a message lie in its `items`; values are decoded only when somebody looks. */
export interface ImageTable {
  readonly ok: true;
  readonly count: number;
  layout(index: number): number;
  id(index: number): string;
  version(index: number): RecordVersion;
  state(index: number): ImageState;
  /** A view of the row's bytes; `null` unless the state is `live`. */
  row(index: number): Uint8Array | null;
}

/** Where the changes of an upload lie in its `items`. */
export interface ChangeTable {
  readonly ok: true;
  readonly count: number;
  layout(index: number): number;
  id(index: number): string;
  op(index: number): ChangeOp;
  base(index: number): RecordVersion;
  mask(index: number): FieldMask | null;
  previous(index: number): Uint8Array | null;
  next(index: number): Uint8Array | null;
}

/** The parts of an edit that are compared and applied: all are canonical and belong to one layout. */
export interface EditValues {
  readonly mask: FieldMask;
  /** An array of the previous values of the masked fields. */
  readonly previous: Uint8Array;
  /** An array of the new values of the masked fields. */
  readonly next: Uint8Array;
}

/** Where each row of a side ends, row after row, as storage and messages know it. */
export interface RowEnds {
  readonly before: Uint32Array;
  readonly after: Uint32Array;
}

/** What a check says of each edited field (rule A19). */
export interface EditCheck {
  /** Fields whose current value is neither the previous nor the new one. */
  readonly conflicts: FieldMask;
  /** Fields to write: the current value is the previous one. The rest of the edit is "already equal". */
  readonly writes: FieldMask;
  readonly hasConflicts: boolean;
  readonly hasWrites: boolean;
}

/** What is to be done with one image of a feed batch. */
export const VERDICTS = [
  /** Newest of its record in the batch, newer than the base, nothing in the way: merge it. */
  'merge',
  /** The record is in use: keep the image aside until it is left (rule A36). */
  'wait',
  /** A pending upload or a sync error: keep it as the side image (rules A39, C7). */
  'discard',
  /** The batch holds a newer image of the same record. */
  'superseded',
  /** Not newer than the base (rule C6). */
  'stale',
  /** A member of its group, or its master, is not there: keep the image aside until it arrives (rule A35). */
  'incomplete',
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** Why a record, or a whole group, must not be merged into: bits of an attention entry and of a group. */
export const ATTENTION = {
  pending: 1,
  inError: 2,
  inUse: 4,
  incomplete: 8,
  /** The caller decides about the record, or the group, itself: large batches only. */
  care: 16,
} as const;

/** A record that needs care. */
export interface AttentionEntry {
  readonly object: string;
  readonly id: string;
  /** Bits of {@link ATTENTION}. */
  readonly flags: number;
}

/** A member that a group must have before any of it is merged. */
export interface PlanNeed {
  /** Its image in the batch, by index; −1 when the batch has none. */
  readonly image: number;
  /** The version that the manifest names. */
  readonly version: RecordVersion;
  /** The version that this device holds, as base or kept aside; {@link NO_VERSION} for none. */
  readonly held: RecordVersion;
}

/** Records that are merged all at once or not at all (rule A35). */
export interface PlanGroup {
  /** Bits of {@link ATTENTION} of the group as a whole: of members that the batch has no image of, and of what hangs on its header. */
  readonly flags: number;
  /** The manifest: complete when each need has an image, or is held, at its version or a newer one. */
  readonly needs: readonly PlanNeed[];
}

/** What a feed batch is planned against. */
export interface FeedPlanInput {
  /** The message's items: images. */
  readonly items: Uint8Array;
  readonly layouts: readonly Layout[];
  /** The version that this device holds of each image's record, by index in the batch; {@link NO_VERSION} for none. */
  readonly baseVersions: readonly RecordVersion[];
  readonly attention: readonly AttentionEntry[];
  /**
   * The groups of the batch. What stands in the way of one member, or of the group, stands in the way of every image of it.
   *
   * @defaultValue none
   */
  readonly groups?: readonly PlanGroup[];
  /** The group of each image, by index in the batch; −1 for a record by itself. @defaultValue each by itself */
  readonly groupOf?: readonly number[];
  /** `newer`: merge what is newer than the base. `newer-or-equal`: pages of a snapshot replace at equal versions too (rule C6). */
  readonly replace: 'newer' | 'newer-or-equal';
}

/** A verdict for every image of a batch. */
export interface FeedPlan {
  readonly ok: true;
  readonly verdicts: readonly Verdict[];
}

/**
 * The hot paths: they read bytes and answer with small integers, so that JavaScript objects are made only for what a host asks to
 * see. Stateless per call. Bytes from outside go through `scanMessage`, `readImages` and `readChanges`, which refuse whatever is not
 * canonical; the other calls trust rows that passed there, and still end in a status, never in a trap, on any bytes.
 *
 * This is the part that devices call: it is all that the worker carries.
 */
export interface DeviceCore {
  readonly build: CoreBuild;
  /** Checks an envelope before it is decoded: one msgpack value, depth ≤ 32, declared counts within the bytes, no extension types. */
  scanMessage(message: Uint8Array): { readonly ok: true } | CoreRefusal;
  /** Validates and indexes images: item shape, canonical rows of the named layouts, versions. */
  readImages(items: Uint8Array, layouts: readonly Layout[]): ImageTable | CoreRefusal;
  /** The fields in which two rows of one layout differ. @throws SyncFault `CORE_INPUT_INVALID` when either is no row of the layout. */
  diffRows(layout: Layout, before: Uint8Array, after: Uint8Array): FieldMask;
  /** The row with an edit's new values in the fields of `mask` (a subset of the edit's). @throws SyncFault `CORE_INPUT_INVALID` */
  applyEdit(layout: Layout, edit: EditValues, mask: FieldMask, current: Uint8Array): Uint8Array;
}

/** All of the core: what servers call besides. */
export interface Core extends DeviceCore {
  /** Decides what to do with each image of a batch. Devices plan small pages in TypeScript (twin-plan.ts), and large ones with the module for batches. */
  planFeed(input: FeedPlanInput): FeedPlan | CoreRefusal;
  /** Validates and indexes changes: item shape, masks, canonical values. */
  readChanges(items: Uint8Array, layouts: readonly Layout[]): ChangeTable | CoreRefusal;
  /** Validates one row of a layout, for instance one a host's own storage gave back. */
  validateRow(layout: Layout, row: Uint8Array): { readonly ok: true } | CoreRefusal;
  /**
   * Compares `count` pairs of rows at once. The rows of a side lie one after another, and so do the masks of the answer. With `ends`, rows
   * that are the same bytes are found without a look at their fields.
   *
   * @throws SyncFault `CORE_INPUT_INVALID`
   */
  diffBatch(layout: Layout, count: number, before: Uint8Array, after: Uint8Array, ends?: RowEnds): Uint8Array;
  /** Compares an edit with a current row, field by field. @throws SyncFault `CORE_INPUT_INVALID` */
  checkEdit(layout: Layout, edit: EditValues, current: Uint8Array): EditCheck;
  /**
   * Compares `count` edits with as many current rows at once. Masks, previous values, new values and rows each lie one after another,
   * and so do the masks of the answer.
   *
   * @throws SyncFault `CORE_INPUT_INVALID`
   */
  checkBatch(layout: Layout, count: number, edits: EditValues, current: Uint8Array): EditCheck;
}
