import {
  BATCH_HEADER_WORDS,
  BATCH_IMAGE_WORDS,
  BEGINNING_WORDS,
  HELD_WORDS,
  MERGE_WORDS,
  RESULT_COUNT,
  RESULT_OFFSET,
  RESULT_SECOND_OFFSET,
  RESULT_THIRD_OFFSET,
  RESULT_WORDS,
  NEED_WORDS,
  ROW_BLOCK_HEADER_BYTES,
  ROW_ENDS_BYTES,
  STATUS_BAD_REGIONS,
  STATUS_OK,
} from '../../assembly/layout.ts';
import { concatBytes } from '../shared/bytes.ts';
import type { Arena } from './arena.ts';
import { MERGED_WORDS, MergedChanges } from './batch-changes.ts';
import type { BatchExports } from './batch-exports.ts';
import { sortedImages, type SortedImages } from './batch-index.ts';
import { batchInvalid, requireGroups, requireNext, requireOnePlace } from './batch-input.ts';
import type { MergedBatch, MergeInput } from './batch.ts';
import { encodeLayouts, encodeNeeds, numberObjects } from './core-regions.ts';
import { countOf, type PackedRows } from './row-block.ts';
import { storedBeginning } from './stored-row.ts';
import { diffPairs } from './twin-edits.ts';

/** Bytes of a block of merged rows: it is copied out, and the next one takes its place. */
const OUT_BYTES = 512 * 1024;

/** Rows of a block at most; room for so many ends is kept before the data. */
const OUT_ROWS = 8192;

/** The ids of an object, where they lie in memory, and the place of its first record. */
interface PlacedIds {
  readonly at: number;
  readonly byteLength: number;
  readonly first: number;
}

/** One merge in one instance: places what it needs, lets the blocks of what is held pass through, and copies the new blocks out. */
export class WasmMerge {
  readonly #exports: BatchExports;
  readonly #arena: Arena;
  readonly #input: MergeInput;
  readonly #index: SortedImages;
  readonly #ids = new Map<string, PlacedIds>();
  #merge = 0;
  #result = 0;
  #verdicts = 0;
  #changes = 0;

  constructor(exports: BatchExports, arena: Arena, input: MergeInput) {
    this.#exports = exports;
    this.#arena = arena;
    this.#input = input;
    this.#index = sortedImages(input);
  }

  run(): MergedBatch {
    const { bases, attention } = this.#input;
    requireGroups(this.#input);
    requireOnePlace(bases);
    this.#place();
    this.#require(this.#exports.beginMerge(this.#merge));
    for (const rows of attention) this.#addAttention(rows);
    const absent = bases.flatMap(({ object, blocks }) => this.#join(object, blocks));
    this.#require(this.#exports.decideMerge(this.#merge, this.#result));
    const refs = this.#arena.words(this.#changes, this.#say(RESULT_COUNT) * MERGED_WORDS).slice();
    const verdicts = this.#arena.bytes(this.#verdicts, this.#index.count).slice();
    return { ok: true, verdicts, put: refs.length === 0 ? [] : this.#pack(), absent, changes: new MergedChanges(this.#input, refs, (layout, before, after) => diffPairs(layout, 1, before, after)) };
  }

  /** Lays out all that is needed from the beginning to the end. */
  #place(): void {
    const { layouts, groups = [], groupOf, replace } = this.#input;
    const arena = this.#arena, words = this.#index.words, { count, recordCount } = this.#index;
    arena.begin();
    const objects = numberObjects(layouts);
    const region = encodeLayouts(layouts, objects), beginnings = encodeBeginnings(this.#input);
    const needs = encodeNeeds(groups);
    const hasGroups = groups.length > 0;
    this.#merge = arena.reserve(MERGE_WORDS * 4);
    const layoutsAt = arena.place(region);
    const beginningsAt = arena.place(beginnings);
    const entriesEnd = BATCH_HEADER_WORDS + count * BATCH_IMAGE_WORDS;
    const entries = arena.placeWords(words.subarray(BATCH_HEADER_WORDS, entriesEnd));
    const order = arena.placeWords(words.subarray(entriesEnd, entriesEnd + recordCount));
    const flags = arena.reserve(count);
    const held = arena.reserve(recordCount * HELD_WORDS * 4);
    const groupOfAt = arena.placeWords(hasGroups ? (groupOf ?? new Int32Array(count).fill(-1)) : []);
    const needsAt = arena.placeWords(needs);
    const groupsAt = arena.placeWords(groups.map((group) => group.flags));
    this.#verdicts = arena.reserve(count);
    this.#changes = arena.reserve(recordCount * MERGED_WORDS * 4);
    this.#result = arena.reserve(RESULT_WORDS * 4);
    // In the order that assembly/layout.ts draws.
    arena.words(this.#merge, MERGE_WORDS).set([
      layoutsAt, region.length, beginningsAt, beginnings.length, entries, count, order, recordCount, flags, held,
      groupOfAt, needsAt, needs.length / NEED_WORDS, groupsAt, groups.length, replace === 'newer-or-equal' ? 1 : 0, this.#verdicts, this.#changes,
    ]);
    for (const object of this.#index.objects) this.#placeIds(object);
  }

  #placeIds(object: string): PlacedIds {
    const ids = this.#index.ids(object);
    const placed = { at: this.#arena.place(ids), byteLength: ids.length, first: this.#index.rangeOf(object).from };
    this.#ids.set(object, placed);
    return placed;
  }

  #idsOf(object: string): PlacedIds {
    return this.#ids.get(object) ?? this.#placeIds(object);
  }

  #addAttention({ object, block }: PackedRows): void {
    const ids = this.#idsOf(object);
    const at = this.#arena.place(block);
    const status = this.#exports.addAttention(this.#merge, ids.at, ids.byteLength, ids.first, at, block.length);
    this.#arena.rewind(at);
    this.#requireBlock(status, object);
  }

  /** Finds what is held of the records of an object, block by block; returns what is held besides, where that is asked for. */
  #join(object: string, blocks: readonly Uint8Array[]): PackedRows[] {
    const arena = this.#arena, ids = this.#idsOf(object);
    const isListed = this.#input.listAbsent === true;
    const absent: PackedRows[] = [];
    let from = 0, last: Uint8Array | null = null;
    for (const [number, block] of blocks.entries()) {
      const at = arena.place(block);
      const room = isListed ? roomFor(block) : 0;
      const list = arena.reserve(room * 4);
      this.#requireBlock(this.#exports.joinBlock(this.#merge, this.#result, ids.at, ids.byteLength, ids.first, from, number, at, block.length, list, room), object);
      last = requireNext(object, last, block);
      from = this.#say(RESULT_COUNT);
      const count = isListed ? this.#say(RESULT_OFFSET) : 0;
      if (count > 0) absent.push({ object, block: this.#packAbsent(at, block.length, list, count) });
      arena.rewind(at);
    }
    return absent;
  }

  #packAbsent(block: number, blockBytes: number, list: number, count: number): Uint8Array {
    const out = this.#arena.reserve(blockBytes);
    this.#require(this.#exports.packAbsent(this.#result, block, blockBytes, list, count, out, blockBytes));
    return this.#arena.bytes(out, this.#say(RESULT_OFFSET)).slice();
  }

  /** Packs what is merged, object by object. */
  #pack(): PackedRows[] {
    const arena = this.#arena, { items } = this.#input;
    const itemsAt = arena.place(items);
    let outBytes = OUT_BYTES + ROW_BLOCK_HEADER_BYTES + OUT_ROWS * ROW_ENDS_BYTES;
    let out = arena.reserve(outBytes);
    const put: PackedRows[] = [];
    for (const object of this.#index.objects) {
      const ids = this.#idsOf(object), { from: first, to } = this.#index.rangeOf(object);
      for (let place = 0; place < to - first; ) {
        this.#require(this.#exports.packMerged(this.#merge, this.#result, ids.at, ids.byteLength, first, place, itemsAt, items.length, out, outBytes, OUT_ROWS));
        const rows = this.#say(RESULT_COUNT), start = out + this.#say(RESULT_OFFSET);
        place = this.#say(RESULT_THIRD_OFFSET);
        if (rows > 0) put.push({ object, block: arena.bytes(start, this.#say(RESULT_SECOND_OFFSET)).slice() });
        else if (place < to - first) {
          // A row that is larger than the room.
          outBytes *= 4;
          out = arena.reserve(outBytes);
        }
      }
    }
    return put;
  }

  #requireBlock(status: number, object: string): void {
    if (status === STATUS_OK) return;
    if (status === STATUS_BAD_REGIONS) throw new Error('the core refused its regions');
    throw batchInvalid(`a block of ${object} is no row block, or a row of it is none that storage keeps`);
  }

  #require(status: number): void {
    if (status !== STATUS_OK) throw new Error(`the core ended with status ${status}`);
  }

  #say(word: number): number {
    return this.#arena.words(this.#result, RESULT_WORDS)[word]!;
  }
}

/** Rows that a block says it has, as far as it can have their ends: the module refuses one that says more. */
function roomFor(block: Uint8Array): number {
  return block.length < ROW_BLOCK_HEADER_BYTES ? 0 : Math.min(countOf(block), Math.floor(block.length / ROW_ENDS_BYTES));
}

/** Writes how stored images of each layout begin: where and how long for each, and then the bytes. */
function encodeBeginnings({ layouts }: MergeInput): Uint8Array {
  const beginnings = layouts.map(storedBeginning);
  const words = new Uint32Array(layouts.length * BEGINNING_WORDS);
  let at = words.byteLength;
  for (const [layout, bytes] of beginnings.entries()) {
    words.set([at, bytes.length], layout * BEGINNING_WORDS);
    at += bytes.length;
  }
  return concatBytes([new Uint8Array(words.buffer), ...beginnings]);
}
