const encoder = new TextEncoder();

/** Below this many UTF-16 code units a text is written by a loop, as long as it is ASCII. */
const SHORT = 64;

/** Writes canonical msgpack: every integer, text, array and map in its shortest form. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** How much fits before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Copies out what was written and begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Copies what was written into a buffer that has room for it, and begins anew. */
  takeInto(buffer: Uint8Array, at: number): Uint8Array {
    buffer.set(this.#bytes.subarray(0, this.#length), at);
    const taken = buffer.subarray(at, at + this.#length);
    this.#length = 0;
    return taken;
  }

  nil(): void {
    this.#tagged(0xc0, 0, 0);
  }

  boolean(value: boolean): void {
    this.#tagged(value ? 0xc3 : 0xc2, 0, 0);
  }

  /** A whole number between -(2^53 - 1) and 2^53 - 1. */
  integer(value: number): void {
    if (value >= 0) return this.#counted(value, 0, 0x80, 0xcc, 1);
    if (value >= -0x20) return this.#tagged(value, 0, 0);
    let tag = 0xd0, size = 1;
    for (; value < 256 ** size / -2; size *= 2) tag++;
    this.#tagged(tag, size, value);
  }

  /** A finite number: as an integer where it is a safe one, else as a 64-bit float. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) return this.integer(value);
    this.#tagged(0xcb, 8, 0);
    new DataView(this.#bytes.buffer).setFloat64(this.#length - 8, value);
  }

  text(value: string): void {
    if (value.length < SHORT && this.#ascii(value)) return;
    const utf8 = encoder.encode(value);
    this.#counted(utf8.length, 0xa0, 32, 0xd9, 1);
    this.raw(utf8);
  }

  binary(bytes: Uint8Array): void {
    this.#counted(bytes.length, 0, 0, 0xc4, 1);
    this.raw(bytes);
  }

  array(count: number): void {
    this.#counted(count, 0x90, 16, 0xdc, 2);
  }

  map(count: number): void {
    this.#counted(count, 0x80, 16, 0xde, 2);
  }

  /** Any value that {@link ByteReader.anything} reads. A key whose value is `undefined` is left out; `compareKeys` sorts the keys. */
  anything(value: unknown, compareKeys?: (left: string, right: string) => number): void {
    if (value === null || value === undefined) this.nil();
    else if (typeof value === 'boolean') this.boolean(value);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(value);
    else if (value instanceof Uint8Array) this.binary(value);
    else if (Array.isArray(value)) {
      this.array(value.length);
      for (const member of value) this.anything(member, compareKeys);
    } else {
      const members = value as Readonly<Record<string, unknown>>;
      const keys = Object.keys(members);
      if (compareKeys !== undefined) keys.sort(compareKeys);
      let count = 0;
      for (const key of keys) if (members[key] !== undefined) count++;
      this.map(count);
      for (const key of keys) {
        if (members[key] === undefined) continue;
        this.text(key);
        this.anything(members[key], compareKeys);
      }
    }
  }

  /** Bytes that are canonical already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes text of ASCII, which is what nearly all short texts are: a call of the encoder costs more than the loop. */
  #ascii(value: string): boolean {
    const start = this.#length;
    this.#counted(value.length, 0xa0, 32, 0xd9, 1);
    this.#reserve(value.length);
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#length = start;
        return false;
      }
      this.#bytes[this.#length++] = code;
    }
    return true;
  }

  /** A count, in the tag where it is small; else behind `tag`, in `size` bytes, or behind a later tag in twice, four times as many. */
  #counted(count: number, fixed: number, fixedBelow: number, tag: number, size: number): void {
    if (count < fixedBelow) return this.#tagged(fixed + count, 0, 0);
    for (; count >= 256 ** size; size *= 2) tag++;
    this.#tagged(tag, size, count);
  }

  #tagged(tag: number, size: number, value: number): void {
    this.#reserve(size + 1);
    this.#bytes[this.#length] = tag;
    // A byte array keeps the low eight bits of whatever it is given, of a negative number too.
    for (let at = this.#length + size, rest = value; at > this.#length; at--, rest = Math.floor(rest / 256)) this.#bytes[at] = rest;
    this.#length += size + 1;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A writer that nobody uses; `null` while somebody does, and after one that failed. */
let spare: ByteWriter | null = null;

/** A writer that grew beyond this many bytes is let go. */
const KEPT_BYTES = 65_536;

/** The bytes that `write` writes. Writers are kept for the next call: to make one costs more than to write most values. */
export function written(write: (writer: ByteWriter) => void): Uint8Array {
  return writtenAnd(write, (writer) => writer.take());
}

const SHEET_BYTES = 8_192;

/** What is left of it was never handed out; a full one is replaced. */
let sheet = new Uint8Array(0);
let filled = 0;

/**
 * As {@link written}, for bytes that are handed on and not kept: small ones are views of a larger buffer, nothing of which is written
 * twice, because a buffer of one's own costs more than its bytes.
 */
export function writtenToPass(write: (writer: ByteWriter) => void): Uint8Array {
  return writtenAnd(write, (writer) => {
    if (writer.length > SHEET_BYTES / 8) return writer.take();
    if (filled + writer.length > sheet.length) {
      sheet = new Uint8Array(SHEET_BYTES);
      filled = 0;
    }
    const bytes = writer.takeInto(sheet, filled);
    filled += bytes.length;
    return bytes;
  });
}

function writtenAnd(write: (writer: ByteWriter) => void, take: (writer: ByteWriter) => Uint8Array): Uint8Array {
  const writer = spare ?? new ByteWriter(1024);
  spare = null;
  write(writer);
  const bytes = take(writer);
  if (writer.capacity <= KEPT_BYTES) spare = writer;
  return bytes;
}
