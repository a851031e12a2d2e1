import type { WasmMemory } from './wasm-exports.ts';

const PAGE_BYTES = 65_536;
const ALIGNMENT = 8;

/** The host would not give the module more memory. */
export class MemoryRefused extends Error {
  override readonly name = 'MemoryRefused';
}

/**
 * Lays the regions of one call into the module's memory, one behind the other: the order in which the exports want them. Everything
 * placed is gone with the next {@link begin}; whatever is to be kept is copied out before.
 */
export class Arena {
  readonly #memory: WasmMemory['memory'];
  readonly #first: number;
  #end: number;
  #bytes: Uint8Array;

  constructor({ memory, regionsBegin }: WasmMemory) {
    this.#memory = memory;
    this.#first = regionsBegin.value;
    this.#end = this.#first;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Bytes of the module's memory, which only ever grows. */
  get capacity(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Forgets all regions. */
  begin(): void {
    this.#end = this.#first;
  }

  /** Forgets the regions from this address on. */
  rewind(address: number): void {
    this.#end = address;
  }

  /** Makes a region of unset bytes and returns its address. */
  reserve(byteLength: number): number {
    const address = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    this.#makeRoom(address + byteLength);
    return address;
  }

  /** Makes a region that holds a copy of the bytes. */
  place(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length);
    this.#bytes.set(bytes, address);
    return address;
  }

  /** Writes bytes into a region. */
  write(address: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, address);
  }

  /** Makes a region of so many bytes that begins as the given one. */
  move(address: number, used: number, byteLength: number): number {
    const moved = this.reserve(byteLength);
    this.#bytes.copyWithin(moved, address, address + used);
    return moved;
  }

  /** Makes a region that holds words. */
  placeWords(words: ArrayLike<number>): number {
    const address = this.reserve(words.length * 4);
    this.words(address, words.length).set(words);
    return address;
  }

  /** Makes the region reserved last longer. */
  extend(byteLength: number): void {
    this.#makeRoom(this.#end + byteLength);
  }

  /** A view of bytes; the next region that is made may leave it empty. */
  bytes(address: number, byteLength: number): Uint8Array {
    return this.#bytes.subarray(address, address + byteLength);
  }

  /** A view of words; the next region that is made may leave it empty. */
  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#bytes.buffer, address, count);
  }

  #makeRoom(end: number): void {
    const missing = end - this.capacity;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE_BYTES));
    this.#end = end;
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages);
    } catch (cause) {
      throw new MemoryRefused(`the core cannot grow by ${pages} pages`, { cause });
    }
    // Growing detaches the old buffer: every view of it is empty now.
    this.#bytes = new Uint8Array(this.#memory.buffer);
  }
}
