import { IMAGE_EPOCH, IMAGE_ID_AT, IMAGE_LAYOUT, IMAGE_N_HIGH, IMAGE_N_LOW, IMAGE_ROW_AT, IMAGE_ROW_BYTES, IMAGE_STATE, IMAGE_WORDS } from '../../assembly/layout.ts';
import type { ImageState } from '../protocol/items.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { ImageTable } from './core.ts';
import { ItemIndex } from './item-index.ts';

const STATE_NAMES: readonly ImageState[] = ['live', 'deleted', 'hidden'];

/** Reads images through the index that a core made of them. */
export function createImageTable(items: Uint8Array, words: ArrayLike<number>): ImageTable {
  return new IndexedImages(items, words, IMAGE_WORDS);
}

/** Reads images through an index of their entries; what else an entry has comes behind. */
export class IndexedImages extends ItemIndex implements ImageTable {
  layout(index: number): number {
    return this.word(index, IMAGE_LAYOUT);
  }

  id(index: number): string {
    return this.text(index, IMAGE_ID_AT);
  }

  version(index: number): RecordVersion {
    return [this.word(index, IMAGE_EPOCH), this.whole(index, IMAGE_N_LOW, IMAGE_N_HIGH)];
  }

  state(index: number): ImageState {
    return STATE_NAMES[this.word(index, IMAGE_STATE)]!;
  }

  row(index: number): Uint8Array | null {
    return this.part(index, IMAGE_ROW_AT, IMAGE_ROW_BYTES);
  }
}
