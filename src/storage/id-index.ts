import { dataOf, keyEndOf, rowStart } from '../core/row-block-layout.ts';

// A place of the table: the hash of an id, one more than the number of its block (FREE where there is no row), the row, and a word to spare,
// so that a place is within one line of the processor's cache.
const WORDS = 4, BLOCK = 1, ROW = 2, FREE = 0;
const FIRST_PLACES = 1_024;

/**
 * Finds rows of blocks by their ids, with nothing made for each row: a table of numbers, searched from where the hash of the id says.
 * Blocks are named by the numbers that the caller gives them, rows by their places there.
 */
export class IdIndex {
  readonly #blockOf: (block: number) => Uint8Array;
  #table = new Uint32Array(FIRST_PLACES * WORDS);
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
    if (this.#count * 2 * WORDS >= this.#table.length) this.#grow();
    const hash = hashOf(bytes, start, end);
    const place = this.#search(hash, bytes, start, end);
    const isKnown = this.#note(place);
    if (!isKnown) this.#count++;
    this.#table[place] = hash;
    this.#table[place + BLOCK] = block + 1;
    this.#table[place + ROW] = row;
    return isKnown;
  }

  /** Forgets the row of an id; answers whether there was one, like {@link find}. */
  remove(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#table, mask = table.length - 1;
    let gap = this.#search(hashOf(bytes, start, end), bytes, start, end);
    if (!this.#note(gap)) return false;
    this.#count--;
    // What follows in the same run of places moves up, or it would not be found any more.
    for (let place = (gap + WORDS) & mask; table[place + BLOCK] !== FREE; place = (place + WORDS) & mask) {
      const home = homeOf(table[place]!, mask);
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      table.copyWithin(gap, place, place + WORDS);
      gap = place;
    }
    table[gap + BLOCK] = FREE;
    return true;
  }

  #note(place: number): boolean {
    const block = this.#table[place + BLOCK]!;
    this.block = block - 1;
    this.row = this.#table[place + ROW]!;
    return block !== FREE;
  }

  /** The place of an id, or the free one where it would be put. */
  #search(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const table = this.#table, mask = table.length - 1;
    for (let place = homeOf(hash, mask); ; place = (place + WORDS) & mask) {
      const block = table[place + BLOCK]!;
      if (block === FREE) return place;
      if (table[place] === hash && this.#isId(block - 1, table[place + ROW]!, bytes, start, end)) return place;
    }
  }

  #isId(block: number, row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const held = this.#blockOf(block);
    const heldStart = rowStart(held, row);
    if (dataOf(held) + keyEndOf(held, row) - heldStart !== end - start) return false;
    for (let at = start, heldAt = heldStart; at < end; at++, heldAt++) if (held[heldAt] !== bytes[at]) return false;
    return true;
  }

  #grow(): void {
    const small = this.#table, table = new Uint32Array(small.length * 2), mask = table.length - 1;
    for (let from = 0; from < small.length; from += WORDS) {
      if (small[from + BLOCK] === FREE) continue;
      let place = homeOf(small[from]!, mask);
      while (table[place + BLOCK] !== FREE) place = (place + WORDS) & mask;
      for (let word = 0; word < WORDS; word++) table[place + word] = small[from + word]!;
    }
    this.#table = table;
  }
}

/** Where the search for a hash begins. */
function homeOf(hash: number, mask: number): number {
  return (hash * WORDS) & mask;
}

/** FNV-1a, its last bits mixed: ids that count up would else lie side by side. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
