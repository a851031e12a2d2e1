import type { JsonValue } from './field.ts';
import { setKey } from './value.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads msgpack. It trusts its input: whatever came from outside has been validated by the core before a reader sees it. Extension types
 * and 32-bit floats are no part of the protocol, so it does not know them.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Position of the next byte. */
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /** Reads any value of a row: nil, boolean, number, text, array or map. */
  value(): JsonValue {
    return this.anything() as JsonValue;
  }

  /** Reads any value of an envelope: one of a row, or a byte string (as a view). */
  anything(): unknown {
    const tag = this.#view.getUint8(this.at++);
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag < 0x90) return this.#mapOf(tag & 15);
    if (tag < 0xa0) return this.#arrayOf(tag & 15);
    if (tag < 0xc0) return this.#textOf(tag & 31);
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.#bytesOf(this.#uint(1));
      case 0xc5: return this.#bytesOf(this.#uint(2));
      case 0xc6: return this.#bytesOf(this.#uint(4));
      case 0xcb: return this.#skip(8, this.#view.getFloat64(this.at));
      case 0xcc: return this.#uint(1);
      case 0xcd: return this.#uint(2);
      case 0xce: return this.#uint(4);
      case 0xcf: return this.#skip(8, this.#view.getUint32(this.at) * 0x1_0000_0000 + this.#view.getUint32(this.at + 4));
      case 0xd0: return this.#skip(1, this.#view.getInt8(this.at));
      case 0xd1: return this.#skip(2, this.#view.getInt16(this.at));
      case 0xd2: return this.#skip(4, this.#view.getInt32(this.at));
      case 0xd3: return this.#skip(8, this.#view.getInt32(this.at) * 0x1_0000_0000 + this.#view.getUint32(this.at + 4));
      case 0xd9: return this.#textOf(this.#uint(1));
      case 0xda: return this.#textOf(this.#uint(2));
      case 0xdb: return this.#textOf(this.#uint(4));
      case 0xdc: return this.#arrayOf(this.#uint(2));
      case 0xdd: return this.#arrayOf(this.#uint(4));
      case 0xde: return this.#mapOf(this.#uint(2));
      case 0xdf: return this.#mapOf(this.#uint(4));
      default: throw new RangeError(`byte ${tag} begins no value`);
    }
  }

  /** Reads an array's header and returns its count. */
  array(): number {
    const tag = this.#view.getUint8(this.at++);
    if (tag >= 0x90 && tag < 0xa0) return tag & 15;
    if (tag === 0xdc) return this.#uint(2);
    if (tag === 0xdd) return this.#uint(4);
    throw new RangeError(`byte ${tag} begins no array`);
  }

  /** Reads a byte string. */
  binary(): Uint8Array {
    const tag = this.#view.getUint8(this.at++);
    if (tag < 0xc4 || tag > 0xc6) throw new RangeError(`byte ${tag} begins no binary`);
    return this.#bytesOf(this.#uint((1 << (tag - 0xc4)) as 1 | 2 | 4));
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
      const tag = this.#view.getUint8(this.at++);
      if (tag < 0x80 || tag >= 0xe0) continue;
      if (tag < 0x90) left += (tag & 15) * 2;
      else if (tag < 0xa0) left += tag & 15;
      else if (tag < 0xc0) this.at += tag & 31;
      else left += this.#skipTagged(tag);
    }
  }

  #skipTagged(tag: number): number {
    switch (tag) {
      case 0xc0: case 0xc2: case 0xc3: return 0;
      case 0xcc: case 0xd0: this.at += 1; return 0;
      case 0xcd: case 0xd1: this.at += 2; return 0;
      case 0xce: case 0xd2: this.at += 4; return 0;
      case 0xcb: case 0xcf: case 0xd3: this.at += 8; return 0;
      case 0xc4: case 0xd9: return this.#skip(this.#uint(1), 0);
      case 0xc5: case 0xda: return this.#skip(this.#uint(2), 0);
      case 0xc6: case 0xdb: return this.#skip(this.#uint(4), 0);
      case 0xdc: return this.#uint(2);
      case 0xdd: return this.#uint(4);
      case 0xde: return this.#uint(2) * 2;
      case 0xdf: return this.#uint(4) * 2;
      default: throw new RangeError(`byte ${tag} begins no value`);
    }
  }

  #textOf(length: number): string {
    const start = this.at;
    this.at += length;
    if (length < 24) {
      // Short ASCII is the common case, and a TextDecoder call costs more than the loop.
      let text = '';
      for (let index = start; index < this.at; index++) {
        const byte = this.#view.getUint8(index);
        if (byte > 0x7f) return decoder.decode(this.#bytes.subarray(start, this.at));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decoder.decode(this.#bytes.subarray(start, this.at));
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

  #uint(size: 1 | 2 | 4): number {
    const at = this.at;
    this.at += size;
    return size === 1 ? this.#view.getUint8(at) : size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip<T>(size: number, value: T): T {
    this.at += size;
    return value;
  }
}
