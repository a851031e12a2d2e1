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
  IMAGE_EPOCH,
  IMAGE_ID_AT,
  IMAGE_LAYOUT,
  IMAGE_N_HIGH,
  IMAGE_N_LOW,
  IMAGE_ROW_AT,
  IMAGE_ROW_BYTES,
  IMAGE_STATE,
  IMAGE_WORDS,
} from '../../assembly/layout.ts';
import { ByteReader } from '../protocol/byte-reader.ts';
import type { ChangeOp, ImageState } from '../protocol/items.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { ChangeTable, ImageTable } from './core.ts';

const STATE_NAMES: readonly ImageState[] = ['live', 'deleted', 'hidden'];
const OP_NAMES: readonly ChangeOp[] = ['create', 'update', 'remove'];

/** The index that a core wrote over items: so many words an entry (assembly/layout.ts has the picture). */
class ItemIndex {
  readonly ok = true;
  readonly count: number;
  readonly #items: Uint8Array;
  readonly #words: ArrayLike<number>;
  readonly #stride: number;
  readonly #reader: ByteReader;

  constructor(items: Uint8Array, words: ArrayLike<number>, stride: number) {
    this.#items = items;
    this.#words = words;
    this.#stride = stride;
    this.#reader = new ByteReader(items);
    this.count = words.length / stride;
  }

  protected word(index: number, word: number): number {
    if (!(index >= 0 && index < this.count)) throw new RangeError(`item ${index} of ${this.count} does not exist`);
    return this.#words[index * this.#stride + word]!;
  }

  protected text(index: number, at: number): string {
    this.#reader.at = this.word(index, at);
    return this.#reader.value() as string;
  }

  protected whole(index: number, low: number, high: number): number {
    return this.word(index, high) * 0x1_0000_0000 + this.word(index, low);
  }

  protected part(index: number, at: number, byteLength: number): Uint8Array | null {
    const start = this.word(index, at);
    return start === 0 ? null : this.#items.subarray(start, start + this.word(index, byteLength));
  }
}

class IndexedImages extends ItemIndex implements ImageTable {
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

/** Reads images through the index that a core made of them. */
export function createImageTable(items: Uint8Array, words: ArrayLike<number>): ImageTable {
  return new IndexedImages(items, words, IMAGE_WORDS);
}

/** Reads changes through the index that a core made of them. */
export function createChangeTable(items: Uint8Array, words: ArrayLike<number>): ChangeTable {
  return new IndexedChanges(items, words, CHANGE_WORDS);
}
