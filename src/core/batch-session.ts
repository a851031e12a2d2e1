import {
  BATCH_HEADER_WORDS,
  BATCH_IMAGE_WORDS,
  BATCH_KEY_WORDS,
  RESULT_COUNT,
  RESULT_OFFSET,
  RESULT_SECOND_OFFSET,
  RESULT_THIRD_OFFSET,
  RESULT_WORDS,
  ROW_BLOCK_HEADER_BYTES,
  ROW_ENDS_BYTES,
  STATUS_BAD_REGIONS,
  STATUS_INDEX_FULL,
  STATUS_OK,
  STATUS_TRUNCATED,
} from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import { Arena } from './arena.ts';
import type { BatchExports } from './batch-exports.ts';
import { SortedImages } from './batch-index.ts';
import type { BatchCore, BatchIndex, MergedBatch, MergeInput } from './batch.ts';
import { encodeLayouts, numberObjects } from './core-regions.ts';
import type { CoreBuild, CoreRefusal } from './core.ts';
import { loadBatchTwin } from './load-twin.ts';
import { createRefusal } from './refusal.ts';
import type { CoreEdition } from './wasm-core.ts';
import { WasmMerge } from './wasm-merge.ts';

/** The core for large batches; the bytes of its builds are given by whoever loads it. */
export const BATCH_EDITION: CoreEdition<BatchCore> = {
  calls: ['indexBatch', 'mergeBatch'],
  openSession: (build, exports) => new BatchSession(build, exports as BatchExports),
  loadTwin: loadBatchTwin,
};

/** Bytes of the items that are in memory at a time: few enough to stay in the processor's cache. */
const WINDOW_BYTES = 128 * 1024;

const ENTRY_BYTES = BATCH_IMAGE_WORDS * 4;
const KEY_BYTES = BATCH_KEY_WORDS * 4;

/** Bytes of an id's longest entry among the ids, with what may be touched behind it. */
const ID_ROOM = 272;

/** Images and bytes of ids that there is room for. */
interface Room {
  readonly images: number;
  readonly idBytes: number;
}

/** What the windows gave, where it lies in memory. */
interface IndexedWindows {
  readonly entries: number;
  readonly keys: number;
  readonly ids: number;
  readonly count: number;
  readonly idsUsed: number;
  readonly room: Room;
}

/**
 * Calls one instance of the Wasm module for large batches. Nothing is kept from one call to the next. Whatever it throws, except faults of
 * the caller, means that the instance is to be thrown away.
 */
export class BatchSession implements BatchCore {
  readonly build: CoreBuild;
  readonly #exports: BatchExports;
  readonly #arena: Arena;
  #isIndexed = false;

  constructor(build: CoreBuild, exports: BatchExports) {
    this.build = build;
    this.#exports = exports;
    this.#arena = new Arena(exports);
  }

  /** Bytes of memory that the instance holds for nothing: after an index, the merge takes them over. */
  get memoryBytes(): number {
    return this.#isIndexed ? 0 : this.#arena.capacity;
  }

  indexBatch(items: Uint8Array, layouts: readonly Layout[]): BatchIndex | CoreRefusal {
    const arena = this.#arena;
    const objects = numberObjects(layouts);
    const region = encodeLayouts(layouts, objects);
    arena.begin();
    const layoutsAt = arena.place(region);
    const result = arena.reserve(RESULT_WORDS * 4);
    const indexed = this.#readWindows(items, layoutsAt, region.length, result);
    this.#isIndexed = !('ok' in indexed);
    if ('ok' in indexed) return indexed;
    const { entries, keys, ids, count, room } = indexed;
    const spare = arena.reserve(count * KEY_BYTES);
    const order = arena.reserve(count * 4);
    const ends = arena.reserve(objects.size * 4);
    requireOk(this.#exports.sortBatch(layoutsAt, region.length, result, entries, keys, count, ids, room.idBytes, spare, order, ends, objects.size));
    const records = this.#result(result, RESULT_COUNT);
    const entriesEnd = BATCH_HEADER_WORDS + count * BATCH_IMAGE_WORDS;
    const words = new Uint32Array(entriesEnd + records + objects.size);
    words.set([count, records]);
    words.set(arena.words(entries, count * BATCH_IMAGE_WORDS), BATCH_HEADER_WORDS);
    words.set(arena.words(order, records), entriesEnd);
    words.set(arena.words(ends, objects.size), entriesEnd + records);
    arena.rewind(spare);
    return new SortedImages(items, words, layouts, this.#packIds(indexed, result, [...objects.keys()], words.subarray(entriesEnd + records)));
  }

  mergeBatch(input: MergeInput): MergedBatch {
    this.#isIndexed = false;
    return new WasmMerge(this.#exports, this.#arena, input).run();
  }

  /** Checks the items window by window: each is copied in once. */
  #readWindows(items: Uint8Array, layouts: number, layoutsBytes: number, result: number): IndexedWindows | CoreRefusal {
    const arena = this.#arena;
    let windowBytes = Math.min(items.length, WINDOW_BYTES);
    let window = arena.reserve(windowBytes);
    let room = firstRoom(windowBytes);
    let [entries, keys, ids] = this.#makeRoom(room);
    let count = 0, idsUsed = 0;
    for (let offset = 0; offset < items.length; ) {
      const byteLength = Math.min(windowBytes, items.length - offset);
      arena.write(window, items.subarray(offset, offset + byteLength));
      const status = this.#exports.indexWindow(layouts, layoutsBytes, result, window, byteLength, offset, entries, keys, room.images, ids, room.idBytes, count, idsUsed);
      requireSound(status);
      const begun = this.#result(result, RESULT_OFFSET);
      count = this.#result(result, RESULT_COUNT);
      idsUsed = this.#result(result, RESULT_SECOND_OFFSET);
      const isCut = status === STATUS_TRUNCATED && offset + byteLength < items.length;
      if (status === STATUS_INDEX_FULL) {
        room = moreRoom(room, count, idsUsed, items.length / Math.max(1, offset + begun));
        const [oldEntries, oldKeys, oldIds] = [entries, keys, ids];
        entries = arena.move(oldEntries, count * ENTRY_BYTES, room.images * ENTRY_BYTES);
        keys = arena.move(oldKeys, count * KEY_BYTES, room.images * KEY_BYTES);
        ids = arena.move(oldIds, idsUsed, room.idBytes);
      } else if (isCut && begun === 0) {
        // An image that is larger than the window. The tables lie behind it, so they move too.
        windowBytes = Math.min(items.length, windowBytes * 4);
        const [oldEntries, oldKeys, oldIds] = [entries, keys, ids];
        window = arena.reserve(windowBytes);
        entries = arena.move(oldEntries, count * ENTRY_BYTES, room.images * ENTRY_BYTES);
        keys = arena.move(oldKeys, count * KEY_BYTES, room.images * KEY_BYTES);
        ids = arena.move(oldIds, idsUsed, room.idBytes);
      } else if (status !== STATUS_OK && !isCut) {
        return createRefusal(status, offset + this.#result(result, RESULT_THIRD_OFFSET));
      }
      offset += begun;
    }
    return { entries, keys, ids, count, idsUsed, room };
  }

  #makeRoom({ images, idBytes }: Room): [entries: number, keys: number, ids: number] {
    return [this.#arena.reserve(images * ENTRY_BYTES), this.#arena.reserve(images * KEY_BYTES), this.#arena.reserve(idBytes)];
  }

  /** Packs the ids of each object. */
  #packIds({ keys, ids, room }: IndexedWindows, result: number, objects: readonly string[], ends: Uint32Array): Map<string, Uint8Array> {
    const blocks = new Map<string, Uint8Array>();
    for (const [number, object] of objects.entries()) {
      const from = number === 0 ? 0 : ends[number - 1]!, count = ends[number]! - from;
      if (count === 0) continue;
      // An id is at most so long, and all of them together.
      const byteLength = ROW_BLOCK_HEADER_BYTES + count * ROW_ENDS_BYTES + Math.min(room.idBytes, count * ID_ROOM) + ID_ROOM;
      const block = this.#arena.reserve(byteLength);
      requireOk(this.#exports.packIds(result, keys + from * KEY_BYTES, count, ids, room.idBytes, block, byteLength));
      blocks.set(object, this.#arena.bytes(block, this.#result(result, RESULT_OFFSET)).slice());
      this.#arena.rewind(block);
    }
    return blocks;
  }

  #result(result: number, word: number): number {
    return this.#arena.words(result, RESULT_WORDS)[word]!;
  }
}

/** Room for the images of the first window, were they as short as most. */
function firstRoom(windowBytes: number): Room {
  const images = Math.ceil(windowBytes / 64) + 16;
  return { images, idBytes: images * 40 + ID_ROOM };
}

/** Room for all images, were the rest as those that were read. */
function moreRoom({ images, idBytes }: Room, count: number, idsUsed: number, share: number): Room {
  const more = (has: number, used: number): number => Math.max(Math.ceil(has * 1.5), Math.ceil(used * share * 1.05));
  return { images: more(images, count), idBytes: more(idBytes, idsUsed) + ID_ROOM };
}

/** A call that got its own regions wrong is as broken as one that trapped. */
function requireSound(status: number): void {
  if (status === STATUS_BAD_REGIONS) throw new Error('the core refused its regions');
}

function requireOk(status: number): void {
  if (status !== STATUS_OK) throw new Error(`the core ended with status ${status}`);
}
