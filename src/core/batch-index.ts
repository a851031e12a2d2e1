import {
  BATCH_COUNT,
  BATCH_HEADER_WORDS,
  BATCH_IMAGE_WORDS,
  BATCH_NEWEST,
  BATCH_RECORDS,
  IMAGE_ID_AT,
  IMAGE_ID_BYTES,
  IMAGE_STATE,
  STATE_LIVE,
} from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import type { BatchIndex, MergeInput } from './batch.ts';
import { numberObjects } from './core-regions.ts';
import { IndexedImages } from './image-table.ts';
import { rowBlock } from './row-block.ts';

const NOTHING = new Uint8Array(0);

/** Which of the records of a batch are of one object, as places in their order. */
export interface RecordRange {
  readonly from: number;
  readonly to: number;
}

/** Reads the index of a batch, as assembly/layout.ts draws it. */
export class SortedImages extends IndexedImages implements BatchIndex {
  readonly objects: readonly string[];
  readonly words: Uint32Array;
  readonly #items: Uint8Array;
  readonly #order: Uint32Array;
  readonly #ranges: ReadonlyMap<string, RecordRange>;
  readonly #ids: Map<string, Uint8Array>;

  /** @param ids - the row blocks of ids, where there are some already. */
  constructor(items: Uint8Array, words: Uint32Array, layouts: readonly Layout[], ids: ReadonlyMap<string, Uint8Array> = new Map()) {
    const entriesEnd = BATCH_HEADER_WORDS + words[BATCH_COUNT]! * BATCH_IMAGE_WORDS;
    super(items, words.subarray(BATCH_HEADER_WORDS, entriesEnd), BATCH_IMAGE_WORDS);
    this.words = words;
    this.#items = items;
    const orderEnd = entriesEnd + words[BATCH_RECORDS]!;
    this.#order = words.subarray(entriesEnd, orderEnd);
    const names = [...numberObjects(layouts).keys()];
    const ends = words.subarray(orderEnd, orderEnd + names.length);
    this.#ranges = new Map(names.map((object, number) => [object, { from: number === 0 ? 0 : ends[number - 1]!, to: ends[number]! }]));
    this.objects = names.filter((object) => this.rangeOf(object).from < this.rangeOf(object).to);
    this.#ids = new Map(ids);
  }

  ids(object: string): Uint8Array {
    let block = this.#ids.get(object);
    if (block === undefined) {
      const { from, to } = this.rangeOf(object);
      block = rowBlock(Array.from(this.#order.subarray(from, to), (image) => ({ id: this.id(image), bytes: NOTHING })));
      this.#ids.set(object, block);
    }
    return block;
  }

  /** The records of an object. */
  rangeOf(object: string): RecordRange {
    return this.#ranges.get(object) ?? { from: 0, to: 0 };
  }

  /** The newest image of the record at a place of the order. */
  newestAt(place: number): number {
    return this.#order[place]!;
  }

  /** The newest image of an image's record. */
  newestOf(image: number): number {
    return this.word(image, BATCH_NEWEST);
  }

  /** How many records there are. */
  get recordCount(): number {
    return this.#order.length;
  }

  isLive(image: number): boolean {
    return this.word(image, IMAGE_STATE) === STATE_LIVE;
  }

  /** Epoch and n of an image as the message has them: a view. */
  numbers(image: number): Uint8Array {
    const start = this.word(image, IMAGE_ID_AT) + this.word(image, IMAGE_ID_BYTES);
    // The state between the numbers and the row takes one byte.
    return this.#items.subarray(start, this.row(image)!.byteOffset - this.#items.byteOffset - 1);
  }
}

/** The index of a merge, whoever made it. */
export function sortedImages({ index, items, layouts }: Pick<MergeInput, 'index' | 'items' | 'layouts'>): SortedImages {
  return index instanceof SortedImages ? index : new SortedImages(items, index.words, layouts);
}
