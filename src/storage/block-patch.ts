import { compareIds, countOf, firstNotBelow, idAt, idBytesAt, joinBlocks, mergeBlocks, rowBlock, sliceBlock, splitBlock } from '../core/row-block.ts';
import { utf8 } from '../shared/bytes.ts';

/** What changes about the rows of an object: no id is in both. */
export interface BlockPatch {
  /** A row block of the rows that are put. */
  readonly put: Uint8Array;
  /** A row block whose ids are removed; its values are empty. */
  readonly removed: Uint8Array;
}

/** A row block without rows. */
export const NO_ROWS: Uint8Array = rowBlock([]);

/** Whether an id can be written in UTF-8: half a surrogate pair cannot. */
export function isPackable(id: string): boolean {
  return !/\p{Surrogate}/u.test(id);
}

/** A patch of rows in any order; of several for one id the last counts, and `null` removes. */
export function patchOf(rows: Iterable<readonly [id: string, bytes: Uint8Array | null]>): BlockPatch {
  const last = [...new Map(rows)].sort(([left], [right]) => (left < right ? -1 : 1));
  return {
    put: rowBlock(last.flatMap(([id, bytes]) => (bytes === null ? [] : [{ id, bytes }]))),
    removed: rowBlock(last.flatMap(([id, bytes]) => (bytes === null ? [{ id, bytes: new Uint8Array() }] : []))),
  };
}

/** One patch that does what an older one and then a newer one do. */
export function patchOver(older: BlockPatch, newer: BlockPatch): BlockPatch {
  return { put: mergeBlocks(older.put, newer.put, newer.removed), removed: mergeBlocks(older.removed, newer.removed, newer.put) };
}

/** The rows of a block after a patch; the block itself where there is nothing to do. */
export function applyPatch(block: Uint8Array, { put, removed }: BlockPatch): Uint8Array {
  return countOf(put) + countOf(removed) === 0 ? block : mergeBlocks(block, put, removed);
}

/** Joins patches whose ids follow each other. */
export function joinPatches(patches: readonly BlockPatch[]): BlockPatch {
  return { put: joinBlocks(patches.map(({ put }) => put)), removed: joinBlocks(patches.map(({ removed }) => removed)) };
}

/** How many rows a patch says something of. */
export function changesIn({ put, removed }: BlockPatch): number {
  return countOf(put) + countOf(removed);
}

/** The first and the last id that a patch says something of, which must be one at least. */
export function idsOf({ put, removed }: BlockPatch): readonly [first: string, last: string] {
  const ids = [put, removed].filter((block) => countOf(block) > 0).map((block) => [idAt(block, 0), idAt(block, countOf(block) - 1)] as const);
  return ids.reduce(([first, last], [otherFirst, otherLast]) => [first < otherFirst ? first : otherFirst, last > otherLast ? last : otherLast]);
}

/** The index of the first row whose id is greater than this one; without an id, behind the last row. */
export function firstAbove(block: Uint8Array, id: string | undefined, from = 0): number {
  if (id === undefined) return countOf(block);
  const bytes = utf8(id);
  const index = firstNotBelow(block, bytes, from);
  return index < countOf(block) && compareIds(idBytesAt(block, index), bytes) === 0 ? index + 1 : index;
}

/** The rows of a block with `after` < id <= `upTo`; the block itself where that is all of it. */
export function rowsWithin(block: Uint8Array, after: string | undefined, upTo: string | undefined): Uint8Array {
  const from = after === undefined ? 0 : firstAbove(block, after), to = firstAbove(block, upTo, from);
  return from === 0 && to === countOf(block) ? block : sliceBlock(block, from, to);
}

/** Hands out a patch piece by piece, in id order. */
export class PatchReader {
  readonly #patch: BlockPatch;
  #put = 0;
  #removed = 0;

  constructor(patch: BlockPatch) {
    this.#patch = patch;
  }

  /** What the patch says of ids up to and with this one, and has not handed out yet; without an id, all the rest. */
  takeUpTo(id: string | undefined): BlockPatch {
    const { put, removed } = this.#patch;
    const [putFrom, removedFrom] = [this.#put, this.#removed];
    this.#put = firstAbove(put, id, putFrom);
    this.#removed = firstAbove(removed, id, removedFrom);
    return { put: slice(put, putFrom, this.#put), removed: slice(removed, removedFrom, this.#removed) };
  }
}

/** A part of a patch, and the block that it belongs to. */
export interface PatchPiece {
  readonly part: BlockPatch;
  /** The last id of the block; `undefined` when there is none to belong to. */
  readonly lastId: string | undefined;
  /** Which ids belong to the block: those above this one, */
  readonly after: string | undefined;
  /** up to and with this one; `undefined`: all above. */
  readonly upTo: string | undefined;
}

/**
 * Cuts a patch along blocks: one piece for each that it says something of.
 *
 * @param lastIds - the last ids of the blocks, in order; ids beyond all of them belong to the last block.
 */
export function piecesOf(patch: BlockPatch, lastIds: readonly string[]): PatchPiece[] {
  const reader = new PatchReader(patch);
  if (lastIds.length === 0) return [{ part: patch, lastId: undefined, after: undefined, upTo: undefined }];
  return lastIds.flatMap((lastId, index) => {
    const upTo = index + 1 < lastIds.length ? lastId : undefined;
    const part = reader.takeUpTo(upTo);
    return changesIn(part) === 0 ? [] : [{ part, lastId, after: lastIds[index - 1], upTo }];
  });
}

/** Cuts a block that has grown beyond `mostBytes` into equal ones below that; a row that is larger alone stays a block of its own. */
export function splitEvenly(block: Uint8Array, mostBytes: number): Uint8Array[] {
  const parts = Math.ceil(block.length / mostBytes);
  if (countOf(block) === 0) return [];
  // Rows end where they end: a little more than the equal share, or a few rows would be left for a block too many.
  return parts === 1 ? [block] : splitBlock(block, Math.min(mostBytes, Math.ceil((block.length / parts) * 1.1)));
}

/** Cuts a patch so that neither part of any piece is larger than `mostBytes`, but for single rows. */
export function splitPatch(patch: BlockPatch, mostBytes: number): BlockPatch[] {
  const cuts = [patch.put, patch.removed].flatMap((block) => splitEvenly(block, mostBytes).slice(0, -1).map((piece) => idAt(piece, countOf(piece) - 1)));
  const reader = new PatchReader(patch);
  return [...cuts.sort((left, right) => (left < right ? -1 : 1)), undefined].map((cut) => reader.takeUpTo(cut)).filter((piece) => changesIn(piece) > 0);
}

function slice(block: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return NO_ROWS;
  return from === 0 && to === countOf(block) ? block : sliceBlock(block, from, to);
}
