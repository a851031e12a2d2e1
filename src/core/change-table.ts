import {
  CHANGE_EPOCH,
  CHANGE_ID_AT,
  CHANGE_LAYOUT,
  CHANGE_MASK_AT,
  CHANGE_MASK_BYTES,
  CHANGE_N_HIGH,
  CHANGE_N_LOW,
  CHANGE_NEXT_AT,
  CHANGE_NEXT_BYTES,
  CHANGE_OP,
  CHANGE_PREVIOUS_AT,
  CHANGE_PREVIOUS_BYTES,
  CHANGE_WORDS,
} from '../../assembly/layout.ts';
import type { ChangeOp } from '../protocol/items.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { ChangeTable } from './core.ts';
import { ItemIndex } from './item-index.ts';

const OP_NAMES: readonly ChangeOp[] = ['create', 'update', 'remove'];

/** Reads changes through the index that a core made of them. */
export function createChangeTable(items: Uint8Array, words: ArrayLike<number>): ChangeTable {
  return new IndexedChanges(items, words, CHANGE_WORDS);
}

class IndexedChanges extends ItemIndex implements ChangeTable {
  layout(index: number): number {
    return this.word(index, CHANGE_LAYOUT);
  }

  id(index: number): string {
    return this.text(index, CHANGE_ID_AT);
  }

  op(index: number): ChangeOp {
    return OP_NAMES[this.word(index, CHANGE_OP)]!;
  }

  base(index: number): RecordVersion {
    return [this.word(index, CHANGE_EPOCH), this.whole(index, CHANGE_N_LOW, CHANGE_N_HIGH)];
  }

  mask(index: number): Uint8Array | null {
    return this.part(index, CHANGE_MASK_AT, CHANGE_MASK_BYTES);
  }

  previous(index: number): Uint8Array | null {
    return this.part(index, CHANGE_PREVIOUS_AT, CHANGE_PREVIOUS_BYTES);
  }

  next(index: number): Uint8Array | null {
    return this.part(index, CHANGE_NEXT_AT, CHANGE_NEXT_BYTES);
  }
}
