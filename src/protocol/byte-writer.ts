const encoder = new TextEncoder();

/** Writes canonical msgpack: every integer, text, array and map in its shortest form. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Copies out what was written and begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  nil(): void {
    this.#byte(0xc0);
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** A whole number between -(2^53 - 1) and 2^53 - 1. */
  integer(value: number): void {
    if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else if (value < 0x100) this.#tagged(0xcc, 1, value);
      else if (value < 0x10000) this.#tagged(0xcd, 2, value);
      else if (value < 0x1_0000_0000) this.#tagged(0xce, 4, value);
      else this.#tagged64(0xcf, value);
    } else if (value >= -0x20) this.#byte(value + 0x100);
    else if (value >= -0x80) this.#tagged(0xd0, 1, value + 0x100);
    else if (value >= -0x8000) this.#tagged(0xd1, 2, value + 0x10000);
    else if (value >= -0x8000_0000) this.#tagged(0xd2, 4, value + 0x1_0000_0000);
    else this.#tagged64(0xd3, value);
  }

  /** A finite number: as an integer where it is a safe one, else as a 64-bit float. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) return this.integer(value);
    this.#reserve(9);
    this.#bytes[this.#length] = 0xcb;
    this.#view.setFloat64(this.#length + 1, value);
    this.#length += 9;
  }

  text(value: string): void {
    const utf8 = encoder.encode(value);
    this.#header(utf8.length, 0xa0, 32, 0xd9, 0xda, 0xdb);
    this.raw(utf8);
  }

  binary(bytes: Uint8Array): void {
    this.#header(bytes.length, -1, 0, 0xc4, 0xc5, 0xc6);
    this.raw(bytes);
  }

  array(count: number): void {
    this.#header(count, 0x90, 16, -1, 0xdc, 0xdd);
  }

  map(count: number): void {
    this.#header(count, 0x80, 16, -1, 0xde, 0xdf);
  }

  /** Bytes that are canonical already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #header(count: number, fixed: number, fixedBelow: number, tag8: number, tag16: number, tag32: number): void {
    if (count < fixedBelow) this.#byte(fixed + count);
    else if (tag8 >= 0 && count < 0x100) this.#tagged(tag8, 1, count);
    else if (count < 0x10000) this.#tagged(tag16, 2, count);
    else this.#tagged(tag32, 4, count);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #tagged(tag: number, size: 1 | 2 | 4, value: number): void {
    this.#reserve(size + 1);
    this.#bytes[this.#length] = tag;
    if (size === 1) this.#view.setUint8(this.#length + 1, value);
    else if (size === 2) this.#view.setUint16(this.#length + 1, value);
    else this.#view.setUint32(this.#length + 1, value);
    this.#length += size + 1;
  }

  #tagged64(tag: number, value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length] = tag;
    this.#view.setInt32(this.#length + 1, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(this.#length + 5, value >>> 0);
    this.#length += 9;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
