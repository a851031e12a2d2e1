import { SyncFault } from '../shared/fault.ts';
import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import { CORE_STATUSES, type EditValues, type FeedPlanInput } from './core.ts';
import { isMaskOf, isSubset } from './masks.ts';

/** Refuses an edit whose mask is none of the layout. */
export function requireEditMask(layout: Layout, edit: EditValues): void {
  if (!isMaskOf(edit.mask, layout.types.length)) throw inputInvalid(`the edit's mask is none of a layout of ${layout.types.length} fields`);
}

/** Refuses to apply fields that the edit does not have. */
export function requireSubset(mask: FieldMask, edit: EditValues): void {
  if (mask.length !== edit.mask.length || !isSubset(mask, edit.mask)) throw inputInvalid('the fields to apply are not all among those of the edit');
}

/** Refuses a plan that lacks a base version for an image. */
export function requireBases(imageCount: number, { baseVersions }: FeedPlanInput): void {
  if (baseVersions.length !== imageCount) throw inputInvalid(`${imageCount} images need as many base versions, not ${baseVersions.length}`);
}

/** The fault of a call on bytes that are no row, or no values, of the layout. */
export function rowInvalid(status: number): SyncFault {
  return inputInvalid(`a row, or the values of an edit, do not fit the layout: ${CORE_STATUSES[status]}`);
}

// Bytes from outside are read and refused before; whoever gets this fault mixed up layouts, masks or lists.
function inputInvalid(problem: string): SyncFault {
  return new SyncFault('CORE_INPUT_INVALID', problem);
}
