import { SyncFault } from '../shared/fault.ts';
import type { MergeInput } from './batch.ts';
import { countOf, isRowBlock, joinsOn, valueAt } from './row-block.ts';

/** Refuses groups that are not those of the images. */
export function requireGroups({ index, groups = [], groupOf }: MergeInput): void {
  if (groupOf !== undefined && groupOf.length !== index.count) throw batchInvalid(`there are ${index.count} images, and groups of ${groupOf.length}`);
  if (groupOf?.some((group) => group < -1 || group >= groups.length)) throw batchInvalid('an image is of a group that there is not');
  for (const { needs } of groups) {
    if (needs.some(({ image }) => !Number.isInteger(image) || image < -1 || image >= index.count)) throw batchInvalid('a group needs an image that there is not');
  }
}

/** Refuses blocks of one object that are in two places. */
export function requireOnePlace(bases: MergeInput['bases']): void {
  if (new Set(bases.map(({ object }) => object)).size < bases.length) throw batchInvalid('the blocks of an object are in two places');
}

/** Refuses a block that does not follow the last one with rows; returns which is that now. Both are row blocks. */
export function requireNext(object: string, last: Uint8Array | null, block: Uint8Array): Uint8Array | null {
  if (countOf(block) === 0) return last;
  if (last !== null && !joinsOn(last, block)) throw batchInvalid(`the blocks of ${object} are not in order`);
  return block;
}

/** Refuses bytes that are no row blocks, and attention that is not a byte for each record. */
export function requireBlocks({ bases, attention }: MergeInput): void {
  for (const { object, blocks } of bases) {
    if (!blocks.every(isRowBlock)) throw batchInvalid(`a block of ${object} is no row block`);
    blocks.reduce<Uint8Array | null>((last, block) => requireNext(object, last, block), null);
  }
  for (const { object, block } of attention) {
    if (!isRowBlock(block)) throw batchInvalid(`attention of ${object} is no row block`);
    for (let row = 0; row < countOf(block); row++) if (valueAt(block, row).length !== 1) throw batchInvalid(`attention of ${object} is not a byte for each record`);
  }
}

/** The fault of a batch whose parts are not what they are said to be. */
export function batchInvalid(problem: string): SyncFault {
  return new SyncFault('CORE_INPUT_INVALID', problem);
}
