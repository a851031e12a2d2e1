import type { HeldRecord } from '../feed-contender.ts';

/** Words of a slot: hash, where id, row and the end of the row lie, and the version; no id lies at 0. */
const WORDS = 5;

/** Records in one byte array, found by a hash table with open addressing. */
export class ByteTable {
  bytes: Uint8Array;
  #end = 1;
  readonly #slots: Uint32Array;
  readonly #wrap: number;

  constructor(records: number, byteLength: number, from?: ByteTable) {
    this.#slots = from === undefined ? new Uint32Array(2 ** Math.ceil(Math.log2(records * 1.5)) * WORDS) : from.#slots.slice();
    this.#wrap = this.#slots.length / WORDS - 1;
    this.bytes = new Uint8Array(byteLength);
    if (from !== undefined) {
      this.bytes.set(from.bytes.subarray(0, from.#end));
      this.#end = from.#end;
    }
  }

  copy(): ByteTable {
    return new ByteTable(0, this.bytes.length, this);
  }

  /** The slot of an id, or the free one that it would take. */
  find(source: Uint8Array, idAt: number, idEnd: number, hash: number): number {
    let slot = hash & this.#wrap;
    while (this.#slots[slot * WORDS + 1] !== 0 && !(this.#slots[slot * WORDS] === hash && this.#hasId(slot, source, idAt, idEnd))) slot = (slot + 1) & this.#wrap;
    return slot;
  }

  /** The version at a slot; 0 where it is free. */
  versionAt(slot: number): number {
    return this.#slots[slot * WORDS + 4]!;
  }

  /** Where the row of a slot begins; 0 where it is free. */
  rowAt(slot: number): number {
    return this.#slots[slot * WORDS + 2]!;
  }

  put(source: Uint8Array, idAt: number, idEnd: number, hash: number, version: number, rows: Uint8Array, rowAt: number, rowEnd: number): void {
    this.putAt(this.find(source, idAt, idEnd, hash), source, idAt, idEnd, hash, version, rows, rowAt, rowEnd);
  }

  /** Writes id and row at the end; what was there before stays where it is, and nothing leads to it. */
  putAt(slot: number, source: Uint8Array, idAt: number, idEnd: number, hash: number, version: number, rows: Uint8Array, rowAt: number, rowEnd: number): void {
    const start = this.#end, row = start + idEnd - idAt;
    this.bytes.set(source.subarray(idAt, idEnd), start);
    this.bytes.set(rows.subarray(rowAt, rowEnd), row);
    this.#end = row + rowEnd - rowAt;
    const word = slot * WORDS;
    this.#slots[word] = hash;
    this.#slots[word + 1] = start;
    this.#slots[word + 2] = row;
    this.#slots[word + 3] = this.#end;
    this.#slots[word + 4] = version;
  }

  *records(): Generator<HeldRecord> {
    for (let word = 0; word < this.#slots.length; word += WORDS) {
      const [, start, row, end, version] = this.#slots.subarray(word, word + WORDS) as unknown as [number, number, number, number, number];
      if (start !== 0) yield { id: Buffer.from(this.bytes.subarray(start, row)).toString('latin1'), version, row: this.bytes.subarray(row, end) };
    }
  }

  #hasId(slot: number, source: Uint8Array, idAt: number, idEnd: number): boolean {
    const start = this.#slots[slot * WORDS + 1]!;
    if (this.#slots[slot * WORDS + 2]! - start !== idEnd - idAt) return false;
    for (let at = start, other = idAt; other < idEnd; at++, other++) if (this.bytes[at] !== source[other]) return false;
    return true;
  }
}

/** A hash of a range of bytes (FNV-1a, and a mix so that low bits depend on all). */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
