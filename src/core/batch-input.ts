import { SyncFault } from '../shared/fault.ts';
import type { MergeInput } from './batch.ts';
import { countOf, isRowBlock, joinsOn, valueAt } from './row-block.ts';

/** Refuses groups that are not those of the images, and attention that is not a byte for each record. */
export function requireMerge({ index, groups = [], groupOf, bases, attention }: MergeInput): void {
  if (groupOf !== undefined && groupOf.length !== index.count) throw batchInvalid(`there are ${index.count} images, and groups of ${groupOf.length}`);
  if (groupOf?.some((group) => group < -1 || group >= groups.length)) throw batchInvalid('an image is of a group that there is not');
  for (const { needs } of groups) {
    if (needs.some(({ image }) => !Number.isInteger(image) || image < -1 || image >= index.count)) throw batchInvalid('a group needs an image that there is not');
  }
  if (new Set(bases.map(({ object }) => object)).size < bases.length) throw batchInvalid('the blocks of an object are in two places');
  for (const { object, blocks } of bases) requireBlocks(object, blocks);
  for (const { object, block } of attention) {
    requireBlocks(object, [block]);
    for (let row = 0; row < countOf(block); row++) if (valueAt(block, row).length !== 1) throw batchInvalid(`attention of ${object} is not a byte for each record`);
  }
}

/** The fault of a batch whose parts are not what they are said to be. */
export function batchInvalid(problem: string): SyncFault {
  return new SyncFault('CORE_INPUT_INVALID', problem);
}

function requireBlocks(object: string, blocks: readonly Uint8Array[]): void {
  if (!blocks.every(isRowBlock)) throw batchInvalid(`a block of ${object} is no row block`);
  const filled = blocks.filter((block) => countOf(block) > 0);
  if (filled.some((block, place) => place > 0 && !joinsOn(filled[place - 1]!, block))) throw batchInvalid(`the blocks of ${object} are not in order`);
}
