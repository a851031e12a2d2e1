import { ByteReader } from '../protocol/byte-reader.ts';

/** The index that a core wrote over items: so many words an entry (assembly/layout.ts has the picture). */
export class ItemIndex {
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
