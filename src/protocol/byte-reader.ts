import type { JsonValue } from './field.ts';
import { setKey } from './value.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads msgpack. It trusts its input: whatever came from outside has been validated by the core before a reader sees it. Extension types
 * and 32-bit floats are no part of the protocol, so it does not know them.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** Position of the next byte. */
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Reads any value of a row: nil, boolean, number, text, array or map. */
  value(): JsonValue {
    return this.anything() as JsonValue;
  }

  /** Reads any value of an envelope: one of a row, or a byte string (as a view). */
  anything(): unknown {
    const tag = this.#uint(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#mapOf(tag & 15);
    if (tag < 0xa0) return this.#arrayOf(tag & 15);
    if (tag < 0xc0) return this.#textOf(tag & 31);
    if (tag >= 0xe0) return tag - 0x100;
    const size = sizeBehind(tag);
    if (tag === 0xc0) return null;
    if (tag < 0xc4) return tag === 0xc3;
    if (tag === 0xcb) return this.#float();
    if (tag >= 0xd0 && tag < 0xd4) return this.#int(size);
    const number = this.#uint(size);
    if (tag < 0xc7) return this.#bytesOf(number);
    if (tag < 0xd0) return number;
    if (tag < 0xdc) return this.#textOf(number);
    return tag < 0xde ? this.#arrayOf(number) : this.#mapOf(number);
  }

  /** Reads an array's header and returns its count. */
  array(): number {
    const tag = this.#uint(1);
    if (tag >= 0x90 && tag < 0xa0) return tag & 15;
    if (tag !== 0xdc && tag !== 0xdd) throw new RangeError(`byte ${tag} begins no array`);
    return this.#uint(sizeBehind(tag));
  }

  /** Steps over one value and returns its bytes. */
  slice(): Uint8Array {
    const start = this.at;
    this.skip();
    return this.#bytes.subarray(start, this.at);
  }

  /** Steps over one value. */
  skip(): void {
    for (let left = 1; left > 0; left--) {
      const tag = this.#uint(1);
      if (tag < 0x80 || tag >= 0xe0) continue;
      if (tag < 0x90) left += (tag & 15) * 2;
      else if (tag < 0xa0) left += tag & 15;
      else if (tag < 0xc0) this.at += tag & 31;
      else left += this.#skipTagged(tag);
    }
  }

  /** Steps over what follows a tag and returns how many values are inside. */
  #skipTagged(tag: number): number {
    const size = sizeBehind(tag);
    if (tag >= 0xdc) return this.#uint(size) * (tag < 0xde ? 1 : 2);
    const hasLength = tag >= 0xd9 || (tag >= 0xc4 && tag < 0xc7);
    const byteLength = hasLength ? this.#uint(size) : size;
    this.at += byteLength;
    return 0;
  }

  #textOf(length: number): string {
    const start = this.at;
    this.at += length;
    let text = '';
    // Short ASCII is the common case, and a TextDecoder call costs more than the loop.
    for (let at = start; length < 24 && at < this.at && this.#bytes[at]! < 0x80; at++) text += String.fromCharCode(this.#bytes[at]!);
    return text.length === length ? text : decoder.decode(this.#bytes.subarray(start, this.at));
  }

  #bytesOf(length: number): Uint8Array {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #arrayOf(count: number): unknown[] {
    const members: unknown[] = [];
    for (let index = 0; index < count; index++) members.push(this.anything());
    return members;
  }

  #mapOf(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.anything();
      if (typeof key !== 'string') throw new RangeError('a key is no text');
      setKey(object, key, this.anything());
    }
    return object;
  }

  #uint(size: number): number {
    const bytes = this.#bytes, end = this.at + size;
    if (end > bytes.length) throw new RangeError('the bytes end within a value');
    let number = 0;
    while (this.at < end) number = number * 256 + bytes[this.at++]!;
    return number;
  }

  #int(size: number): number {
    if (size === 8) return this.#int(4) * 0x1_0000_0000 + this.#uint(4);
    const unusedBits = 32 - size * 8;
    return (this.#uint(size) << unusedBits) >> unusedBits;
  }

  #float(): number {
    this.at += 8;
    const { buffer, byteOffset, byteLength } = this.#bytes;
    return new DataView(buffer, byteOffset, byteLength).getFloat64(this.at - 8);
  }
}

/**
 * Bytes behind each tag from 0xc0 to 0xdf: those of a number, or those that say how much follows. -1: the tag begins no value of ours.
 *   c0 nil, -, false, true | c4 binary | c7 extensions, 32-bit float | cb float | cc uint | d0 int | d4 extensions | d9 text | dc array | de map
 */
const SIZES = [0, -1, 0, 0, 1, 2, 4, -1, -1, -1, -1, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1, 1, 2, 4, 2, 4, 2, 4];

function sizeBehind(tag: number): number {
  const size = SIZES[tag - 0xc0]!;
  if (size < 0) throw new RangeError(`byte ${tag} begins no value`);
  return size;
}
