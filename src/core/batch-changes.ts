import type { Layout } from '../protocol/layout.ts';
import { createMask, setInMask, splitRow, type FieldMask } from '../protocol/row.ts';
import type { BatchChanges, MergeInput } from './batch.ts';
import { valueAt } from './row-block.ts';
import { readStoredHead, storedBeginning } from './stored-row.ts';

/** Words of a change: its image, the block of what was held among those of the object, its row there. */
export const MERGED_WORDS = 3;

/** In place of a block: nothing was held. */
export const NO_BLOCK = 0xffffffff;

const NIL = 0xc0;

/** Compares two rows of a layout. */
export type RowDiff = (layout: Layout, before: Uint8Array, after: Uint8Array) => FieldMask;

/** Looks up what a merge changed; only references are kept. */
export class MergedChanges implements BatchChanges {
  readonly #input: MergeInput;
  readonly #refs: Uint32Array;
  readonly #diff: RowDiff;

  constructor(input: MergeInput, refs: Uint32Array, diff: RowDiff) {
    this.#input = input;
    this.#refs = refs;
    this.#diff = diff;
  }

  get count(): number {
    return this.#refs.length / MERGED_WORDS;
  }

  imageOf(change: number): number {
    return this.#word(change, 0);
  }

  isNew(change: number): boolean {
    return this.#word(change, 1) === NO_BLOCK;
  }

  maskOf(change: number): FieldMask {
    const { index, layouts } = this.#input;
    const image = this.imageOf(change);
    const layout = layouts[index.layout(image)]!;
    const after = index.row(image)!;
    if (this.isNew(change)) return fieldsWithValue(layout, after);
    const held = this.#heldRow(layout, this.#word(change, 1), this.#word(change, 2));
    return this.#diff(layout, held, after);
  }

  #heldRow(layout: Layout, block: number, row: number): Uint8Array {
    const held = this.#input.bases.find(({ object }) => object === layout.object)!;
    const bytes = valueAt(held.blocks[block]!, row);
    return bytes.subarray(readStoredHead(bytes, storedBeginning(layout)).rowAt);
  }

  #word(change: number, word: number): number {
    if (!(change >= 0 && change < this.count)) throw new RangeError(`change ${change} of ${this.count} does not exist`);
    return this.#refs[change * MERGED_WORDS + word]!;
  }
}

function fieldsWithValue(layout: Layout, row: Uint8Array): FieldMask {
  const mask = createMask(layout);
  for (const [position, value] of splitRow(row).entries()) if (value[0] !== NIL) setInMask(mask, position);
  return mask;
}
