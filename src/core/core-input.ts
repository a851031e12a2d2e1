import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import { SyncFault } from '../shared/fault.ts';
import { CORE_STATUSES, type FeedPlanInput, type RowEnds } from './core.ts';
import { areMasksOf, isSubset } from './masks.ts';

/** Refuses masks, one after another, that are not so many of the layout. */
export function requireEditMasks(layout: Layout, count: number, masks: Uint8Array): void {
  const fieldCount = layout.types.length;
  if (!areMasksOf(masks, count, fieldCount)) throw inputInvalid(`these are no masks of ${count} edits of ${fieldCount} fields`);
}

/** Refuses ends that are not those of so many rows that fill their bytes. */
export function requireEnds(count: number, before: Uint8Array, after: Uint8Array, ends: RowEnds): void {
  const isWhole = (bytes: Uint8Array, side: Uint32Array): boolean => side.length === count && (side.at(-1) ?? 0) === bytes.length;
  if (!isWhole(before, ends.before) || !isWhole(after, ends.after)) throw inputInvalid(`these are not the ends of ${count} rows`);
}

/** Refuses to apply fields that the edit does not have. */
export function requireSubset(mask: FieldMask, editMask: FieldMask): void {
  if (mask.length !== editMask.length || !isSubset(mask, editMask)) throw inputInvalid('the fields to apply are not all in the edit');
}

/** Refuses a plan that lacks the base version or the group of an image, or names a group or an image that there is not. */
export function requirePlan(imageCount: number, { baseVersions, groups = [], groupOf }: FeedPlanInput): void {
  const images = groups.flatMap(({ needs }) => needs.map(({ image }) => image));
  const isWhole = baseVersions.length === imageCount && (groupOf ?? baseVersions).length === imageCount;
  if (!isWhole || !areIndices(groupOf ?? [], groups.length) || !areIndices(images, imageCount)) throw inputInvalid(`base versions and groups are not those of ${imageCount} images`);
}

/** @param indices - −1 stands for none. */
function areIndices(indices: readonly number[], count: number): boolean {
  return indices.every((index) => Number.isInteger(index) && index >= -1 && index < count);
}

/** The fault of a call on bytes that are no row, or no values, of the layout. */
export function rowInvalid(status: number): SyncFault {
  return inputInvalid(`values do not fit the layout: ${CORE_STATUSES[status]}`);
}

// Bytes from outside are read and refused before; whoever gets this fault mixed up layouts, masks or lists.
function inputInvalid(problem: string): SyncFault {
  return new SyncFault('CORE_INPUT_INVALID', problem);
}
