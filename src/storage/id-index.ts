import { dataOf, keyEndOf, rowStart } from '../core/row-block-layout.ts';

const FREE = 0;

/**
 * Finds rows of blocks by their ids, with nothing made for each row: a table of numbers, searched from where the hash of the id says.
 * Blocks are named by the numbers that the caller gives them, rows by their places there.
 */
export class IdIndex {
  readonly #blockOf: (block: number) => Uint8Array;
  #hashes = new Uint32Array(1_024);
  /** One more than the number of the block; {@link FREE} where there is no row. */
  #blocks = new Int32Array(1_024);
  #rows = new Uint32Array(1_024);
  #count = 0;
  /** The block of the row that was found last. */
  block = 0;
  /** The place in its block of the row that was found last. */
  row = 0;

  constructor(blockOf: (block: number) => Uint8Array) {
    this.#blockOf = blockOf;
  }

  /** How many rows there are. */
  get count(): number {
    return this.#count;
  }

  /** Looks for the row of an id, which is given as the bytes from `start` to `end`; {@link block} and {@link row} then say where it is. */
  find(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#note(this.#search(hashOf(bytes, start, end), bytes, start, end));
  }

  /** Notes where the row of an id is from now on; answers whether there was one before, like {@link find}. */
  put(bytes: Uint8Array, start: number, end: number, block: number, row: number): boolean {
    if (this.#count * 2 >= this.#blocks.length) this.#grow();
    const hash = hashOf(bytes, start, end);
    const place = this.#search(hash, bytes, start, end);
    const isKnown = this.#note(place);
    if (!isKnown) this.#count++;
    this.#set(place, hash, block + 1, row);
    return isKnown;
  }

  /** Forgets the row of an id; answers whether there was one, like {@link find}. */
  remove(bytes: Uint8Array, start: number, end: number): boolean {
    const mask = this.#blocks.length - 1;
    let gap = this.#search(hashOf(bytes, start, end), bytes, start, end);
    if (!this.#note(gap)) return false;
    this.#count--;
    // What follows in the same run of places moves up, or it would not be found any more.
    for (let place = (gap + 1) & mask; this.#blocks[place] !== FREE; place = (place + 1) & mask) {
      const home = this.#hashes[place]! & mask;
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      this.#set(gap, this.#hashes[place]!, this.#blocks[place]!, this.#rows[place]!);
      gap = place;
    }
    this.#blocks[gap] = FREE;
    return true;
  }

  #note(place: number): boolean {
    this.block = this.#blocks[place]! - 1;
    this.row = this.#rows[place]!;
    return this.#blocks[place] !== FREE;
  }

  /** The place of an id, or the free one where it would be put. */
  #search(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#blocks.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const block = this.#blocks[place]!;
      if (block === FREE) return place;
      if (this.#hashes[place] === hash && this.#isId(block - 1, this.#rows[place]!, bytes, start, end)) return place;
    }
  }

  #isId(block: number, row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const held = this.#blockOf(block);
    const heldStart = rowStart(held, row);
    if (dataOf(held) + keyEndOf(held, row) - heldStart !== end - start) return false;
    for (let at = start, heldAt = heldStart; at < end; at++, heldAt++) if (held[heldAt] !== bytes[at]) return false;
    return true;
  }

  #set(place: number, hash: number, block: number, row: number): void {
    this.#hashes[place] = hash;
    this.#blocks[place] = block;
    this.#rows[place] = row;
  }

  #grow(): void {
    const [hashes, blocks, rows] = [this.#hashes, this.#blocks, this.#rows];
    const size = blocks.length * 2;
    [this.#hashes, this.#blocks, this.#rows] = [new Uint32Array(size), new Int32Array(size), new Uint32Array(size)];
    for (let from = 0; from < blocks.length; from++) {
      if (blocks[from] === FREE) continue;
      let place = hashes[from]! & (size - 1);
      while (this.#blocks[place] !== FREE) place = (place + 1) & (size - 1);
      this.#set(place, hashes[from]!, blocks[from]!, rows[from]!);
    }
  }
}

/** FNV-1a, its last bits mixed: ids that count up would else lie side by side. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
