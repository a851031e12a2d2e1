import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import { VERDICTS, type CoreBuild, type CoreRefusal, type FeedPlanInput, type ImageTable, type Verdict } from './core.ts';
import type { PackedRows } from './row-block.ts';

/** What is to be done with one image of a batch: as in a feed plan, or `care`, where the caller decides. */
export type BatchVerdict =
  | Verdict
  /**
   * Not merged here: the image is not live, or what is held of its record is not live or of another layout, or the record, or one of
   * its group, was named with `care` of {@link ATTENTION}.
   */
  | 'care';

/** What the bytes of {@link MergedBatch.verdicts} stand for. */
export const BATCH_VERDICTS: readonly BatchVerdict[] = [...VERDICTS, 'care'];

/** Images that were validated and sorted: what {@link BatchCore.mergeBatch} begins with. */
export interface BatchIndex extends ImageTable {
  /** Objects that the batch has images of. */
  readonly objects: readonly string[];
  /** A row block of the ids of an object's records, in order; values are empty. Without rows for an object that the batch lacks. */
  ids(object: string): Uint8Array;
  /** Opaque: the index and the order of the images. */
  readonly words: Uint32Array;
}

/** A batch, and what it is merged into. Rows of storage are those of `encodeImage`: `[layout hash, epoch, n, state, row]`. */
export interface MergeInput extends Pick<FeedPlanInput, 'groups' | 'replace'> {
  /** The message's items, as they were indexed. */
  readonly items: Uint8Array;
  readonly layouts: readonly Layout[];
  readonly index: BatchIndex;
  /** Row blocks of what is held, of each object disjoint and in id order; rows that no image is about may be among them. */
  readonly bases: readonly { readonly object: string; readonly blocks: readonly Uint8Array[] }[];
  /** Records that need care, as row blocks: each value is one byte of {@link ATTENTION} bits. */
  readonly attention: readonly PackedRows[];
  /** The group of each image, by index in the batch; −1 for a record by itself. @defaultValue each by itself */
  readonly groupOf?: Int32Array;
  /** Asks for the ids of held rows that no image is about. @defaultValue false */
  readonly listAbsent?: boolean;
}

/** The images that were merged, in the order of their rows: what they changed is looked up when it is asked for. */
export interface BatchChanges {
  readonly count: number;
  /** The image that was merged, by index in the batch. */
  imageOf(change: number): number;
  /** Says whether nothing was held of the record. */
  isNew(change: number): boolean;
  /** The fields that differ from what was held, in the image's layout; all that have a value when the record is new. */
  maskOf(change: number): FieldMask;
}

/** What becomes of a batch. */
export interface MergedBatch {
  readonly ok: true;
  /** A byte per image: an index into {@link BATCH_VERDICTS}. */
  readonly verdicts: Uint8Array;
  /** The merged rows as storage keeps them; of one object there may be several blocks, disjoint and in order. */
  readonly put: readonly PackedRows[];
  /** Ids of held rows that no image is about, in blocks as above with empty values; none unless asked for. */
  readonly absent: readonly PackedRows[];
  /** Reads `items` and `bases`: both stay as they are while it is used. */
  readonly changes: BatchChanges;
}

/**
 * The core for large batches: images in, row blocks out, with no object per record on the way. Stateless per call.
 *
 * Verdicts, the first that holds: `superseded` by a newer image of the record in the batch (of equal versions, by the later one); `care`
 * where the record's own attention says so; `stale` when not newer than what is held; then by what is in the way of the record, or of
 * any of its group: `care`, `discard`, `incomplete`, `wait`; else `merge`.
 */
export interface BatchCore {
  readonly build: CoreBuild;
  /** Validates images, sorts them by object and id, and finds the newest of each record. */
  indexBatch(items: Uint8Array, layouts: readonly Layout[]): BatchIndex | CoreRefusal;
  /**
   * Joins a batch with the current rows, decides about each image, and packs what is merged as new row blocks.
   *
   * @throws SyncFault `CORE_INPUT_INVALID` when blocks, groups or index are not what they are said to be.
   */
  mergeBatch(input: MergeInput): MergedBatch;
}
