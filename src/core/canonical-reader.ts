import {
  FIRST_INSTANT_MS,
  LAST_INSTANT_MS,
  MAX_DECIMAL_DIGITS,
  MAX_JSON_DEPTH,
  MAX_SAFE_INTEGER,
  MAX_TEXT_BYTES,
  STATUS_BAD_UTF8,
  STATUS_NOT_CANONICAL,
  STATUS_NOT_SORTED,
  STATUS_OUT_OF_RANGE,
  STATUS_TOO_DEEP,
  STATUS_TOO_LARGE,
  STATUS_TRAILING_BYTES,
  STATUS_TRUNCATED,
  STATUS_UNEXPECTED_TYPE,
  STATUS_WRONG_FIELD_COUNT,
  TYPE_BOOLEAN,
  TYPE_DATE,
  TYPE_DATE_TIME,
  TYPE_DECIMAL,
  TYPE_INTEGER,
  TYPE_JSON,
  TYPE_MULTI_PICKLIST,
  TYPE_NUMBER,
  TYPE_PICKLIST,
  TYPE_REFERENCE,
  TYPE_TEXT,
  TYPE_TEXT_KEEPING_EMPTY,
} from '../../assembly/layout.ts';
import { compareBytes } from '../shared/bytes.ts';
import { isCanonicalDate, isUtf8, measureDecimal } from './canonical-text.ts';
import { Refused } from './refusal.ts';

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const FLOAT32 = 0xca;
const FLOAT64 = 0xcb;

/** How msgpack writes the length of a text, a binary, an array or a map: in the tag itself, or in the bytes behind it. */
interface Family {
  /** Tag of length 0, when the length is in the tag. */
  readonly fixed: number;
  /** The first length that is not in the tag. */
  readonly fixedBelow: number;
  /** Tags with a length of 1, 2 and 4 bytes behind them; -1 where there is none. */
  readonly tags: readonly [number, number, number];
  /** The first length that needs each of those. */
  readonly shortest: readonly [number, number, number];
}

const TEXT: Family = { fixed: 0xa0, fixedBelow: 32, tags: [0xd9, 0xda, 0xdb], shortest: [32, 0x100, 0x1_0000] };
const BINARY: Family = { fixed: 0, fixedBelow: 0, tags: [0xc4, 0xc5, 0xc6], shortest: [0, 0x100, 0x1_0000] };
const ARRAY: Family = { fixed: 0x90, fixedBelow: 16, tags: [-1, 0xdc, 0xdd], shortest: [0, 16, 0x1_0000] };
const MAP: Family = { fixed: 0x80, fixedBelow: 16, tags: [-1, 0xde, 0xdf], shortest: [0, 16, 0x1_0000] };

/** Of the unsigned and the signed forms of 1, 2, 4 and 8 bytes: the number nearest to 0 that needs the form. */
const FIRST_UNSIGNED = [0x80, 0x100, 0x1_0000, 0x1_0000_0000] as const;
const FIRST_SIGNED = [-0x21, -0x81, -0x8001, -0x8000_0001] as const;

/**
 * Reads bytes that nobody has checked yet and refuses, by throwing {@link Refused}, the first value that is not canonical
 * (docs/PROTOCOL.md, "Canonical values"). The offset of a refusal is where the refused value begins.
 */
export class CanonicalReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Position of the next byte. */
  at = 0;
  /** Where the body of the text or binary read last begins; it ends at {@link at}. */
  bodyAt = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Says whether the next value is "no value"; reads nothing. */
  isNil(): boolean {
    return this.#tag(this.at) === NIL;
  }

  /** Steps over "no value". */
  nil(): void {
    if (!this.isNil()) throw new Refused(STATUS_UNEXPECTED_TYPE, this.at);
    this.at++;
  }

  /** Reads one value of a field of this type, or "no value". */
  value(type: number): void {
    if (this.isNil()) return this.nil();
    switch (type) {
      case TYPE_TEXT:
      case TYPE_PICKLIST:
      case TYPE_REFERENCE: return this.text(1, MAX_TEXT_BYTES);
      case TYPE_TEXT_KEEPING_EMPTY: return this.text(0, MAX_TEXT_BYTES);
      case TYPE_INTEGER: return void this.integer(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
      case TYPE_NUMBER: return this.#number();
      case TYPE_DECIMAL: return this.#decimal();
      case TYPE_BOOLEAN: return this.#boolean();
      case TYPE_DATE: return this.#date();
      case TYPE_DATE_TIME: return void this.integer(FIRST_INSTANT_MS, LAST_INSTANT_MS);
      case TYPE_MULTI_PICKLIST: return this.#set();
      case TYPE_JSON: return this.#json(0);
      default: throw new Refused(STATUS_UNEXPECTED_TYPE, this.at);
    }
  }

  /** Reads an array of one value per type. */
  row(types: ArrayLike<number>): void {
    const start = this.at;
    if (this.array() !== types.length) throw new Refused(STATUS_WRONG_FIELD_COUNT, start);
    for (let field = 0; field < types.length; field++) this.value(types[field]!);
  }

  /** Reads an array's header and returns its count. */
  array(): number {
    return this.#length(ARRAY);
  }

  /** Reads the header and the body of a binary. */
  binary(): void {
    const start = this.at;
    this.#body(start, this.#length(BINARY));
  }

  /** Reads a text of so many bytes. */
  text(fewestBytes: number, mostBytes: number): void {
    const start = this.at;
    const byteLength = this.#length(TEXT);
    this.#body(start, byteLength);
    if (byteLength < fewestBytes) throw new Refused(STATUS_NOT_CANONICAL, start);
    if (byteLength > mostBytes) throw new Refused(STATUS_TOO_LARGE, start);
    if (!isUtf8(this.bytes, this.bodyAt, this.at)) throw new Refused(STATUS_BAD_UTF8, start);
  }

  /** Reads a whole number of this range. */
  integer(smallest: number, largest: number): number {
    const start = this.at;
    const value = this.#wholeNumber();
    if (value < smallest || value > largest) throw new Refused(STATUS_OUT_OF_RANGE, start);
    return value;
  }

  /** Refuses bytes behind the last value. */
  end(): void {
    if (this.at < this.bytes.length) throw new Refused(STATUS_TRAILING_BYTES, this.at);
  }

  #wholeNumber(): number {
    const start = this.at;
    const tag = this.#tag(start);
    if (tag < 0x80 || tag >= 0xe0) {
      this.at = start + 1;
      return tag < 0x80 ? tag : tag - 0x100;
    }
    if (tag < 0xcc || tag > 0xd3) throw new Refused(STATUS_UNEXPECTED_TYPE, start);
    const value = this.#wideNumber(tag);
    const isShortest = tag < 0xd0 ? value >= FIRST_UNSIGNED[tag - 0xcc]! : value <= FIRST_SIGNED[tag - 0xd0]!;
    if (!isShortest) throw new Refused(STATUS_NOT_CANONICAL, start);
    return value;
  }

  #wideNumber(tag: number): number {
    const at = this.#operand(1 << (tag & 3));
    switch (tag) {
      case 0xcc: return this.#view.getUint8(at);
      case 0xcd: return this.#view.getUint16(at);
      case 0xce: return this.#view.getUint32(at);
      case 0xd0: return this.#view.getInt8(at);
      case 0xd1: return this.#view.getInt16(at);
      case 0xd2: return this.#view.getInt32(at);
      // 64 bits: exact up to 2^53, and what is rounded beyond stays beyond.
      case 0xcf: return this.#view.getUint32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
      default: return this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
    }
  }

  #number(): void {
    const start = this.at;
    const tag = this.#tag(start);
    if (tag === FLOAT32) throw new Refused(STATUS_NOT_CANONICAL, start);
    if (tag !== FLOAT64) return void this.integer(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER);
    const value = this.#view.getFloat64(this.#operand(8));
    if (!Number.isFinite(value)) throw new Refused(STATUS_OUT_OF_RANGE, start);
    if (Number.isSafeInteger(value)) throw new Refused(STATUS_NOT_CANONICAL, start);
  }

  #boolean(): void {
    const tag = this.#tag(this.at);
    if (tag !== FALSE && tag !== TRUE) throw new Refused(STATUS_UNEXPECTED_TYPE, this.at);
    this.at++;
  }

  #decimal(): void {
    const start = this.at;
    this.#body(start, this.#length(TEXT));
    const digits = measureDecimal(this.bytes, this.bodyAt, this.at);
    if (digits === 0) throw new Refused(STATUS_NOT_CANONICAL, start);
    if (digits > MAX_DECIMAL_DIGITS) throw new Refused(STATUS_TOO_LARGE, start);
  }

  #date(): void {
    const start = this.at;
    this.#body(start, this.#length(TEXT));
    if (!isCanonicalDate(this.bytes, this.bodyAt, this.at)) throw new Refused(STATUS_NOT_CANONICAL, start);
  }

  #set(): void {
    const start = this.at;
    const count = this.array();
    if (count === 0) throw new Refused(STATUS_NOT_CANONICAL, start);
    this.#ascendingTexts(count, 1, () => undefined);
  }

  #json(depth: number): void {
    const tag = this.#tag(this.at);
    if (tag === NIL || tag === FALSE || tag === TRUE) this.at++;
    else if ((tag >= 0xa0 && tag < 0xc0) || (tag >= 0xd9 && tag <= 0xdb)) this.text(0, MAX_TEXT_BYTES);
    else if ((tag >= 0x90 && tag < 0xa0) || tag === 0xdc || tag === 0xdd) this.#jsonArray(depth);
    else if ((tag >= 0x80 && tag < 0x90) || tag === 0xde || tag === 0xdf) this.#jsonMap(depth);
    else this.#number();
  }

  #jsonArray(depth: number): void {
    const start = this.at;
    const count = this.array();
    if (count > 0 && depth === MAX_JSON_DEPTH) throw new Refused(STATUS_TOO_DEEP, start);
    for (let index = 0; index < count; index++) this.#json(depth + 1);
  }

  #jsonMap(depth: number): void {
    const start = this.at;
    const count = this.#length(MAP);
    if (count > 0 && depth === MAX_JSON_DEPTH) throw new Refused(STATUS_TOO_DEEP, start);
    this.#ascendingTexts(count, 0, () => this.#json(depth + 1));
  }

  /** Reads texts that grow by their bytes, and after each what belongs to it. */
  #ascendingTexts(count: number, fewestBytes: number, after: () => void): void {
    let last: Uint8Array | null = null;
    for (let index = 0; index < count; index++) {
      const start = this.at;
      this.text(fewestBytes, MAX_TEXT_BYTES);
      const text = this.bytes.subarray(this.bodyAt, this.at);
      if (last !== null && compareBytes(last, text) >= 0) throw new Refused(STATUS_NOT_SORTED, start);
      last = text;
      after();
    }
  }

  #tag(at: number): number {
    if (at >= this.bytes.length) throw new Refused(STATUS_TRUNCATED, at);
    return this.bytes[at]!;
  }

  /** Steps over a tag and the bytes behind it, and returns where those begin. */
  #operand(size: number): number {
    const start = this.at;
    if (start + 1 + size > this.bytes.length) throw new Refused(STATUS_TRUNCATED, start);
    this.at = start + 1 + size;
    return start + 1;
  }

  #length({ fixed, fixedBelow, tags, shortest }: Family): number {
    const start = this.at;
    const tag = this.#tag(start);
    if (tag >= fixed && tag < fixed + fixedBelow) {
      this.at = start + 1;
      return tag - fixed;
    }
    const form = tags.indexOf(tag);
    if (form < 0) throw new Refused(STATUS_UNEXPECTED_TYPE, start);
    const at = this.#operand(1 << form);
    const length = form === 0 ? this.#view.getUint8(at) : form === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at);
    if (length < shortest[form]!) throw new Refused(STATUS_NOT_CANONICAL, start);
    return length;
  }

  #body(start: number, byteLength: number): void {
    if (byteLength > this.bytes.length - this.at) throw new Refused(STATUS_TRUNCATED, start);
    this.bodyAt = this.at;
    this.at += byteLength;
  }
}
