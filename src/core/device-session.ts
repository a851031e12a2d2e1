import {
  IMAGE_WORDS,
  RESULT_COUNT,
  RESULT_OFFSET,
  RESULT_SECOND_OFFSET,
  RESULT_WORDS,
  STATUS_BAD_REGIONS,
  STATUS_INDEX_FULL,
  STATUS_OK,
  STATUS_TRAILING_BYTES,
} from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import type { FieldMask } from '../protocol/row.ts';
import { Arena } from './arena.ts';
import { CORE_WASM_DEFLATED } from './core-bytes.generated.ts';
import { requireEditMasks, requireSubset, rowInvalid } from './core-input.ts';
import { encodeLayouts, numberObjects } from './core-regions.ts';
import type { CoreBuild, CoreRefusal, DeviceCore, EditValues, ImageTable } from './core.ts';
import { createImageTable } from './image-table.ts';
import { loadTwin } from './load-twin.ts';
import { maskByteLength } from './masks.ts';
import { createRefusal } from './refusal.ts';
import type { CoreEdition } from './wasm-core.ts';
import type { CoreExports } from './wasm-exports.ts';

/** The core as devices load it. */
export const DEVICE_EDITION: CoreEdition<DeviceCore> = {
  calls: ['scanMessage', 'readImages', 'diffRows', 'applyEdit'],
  openSession: (build, exports) => new DeviceSession(build, exports as CoreExports),
  loadTwin,
  inlined: CORE_WASM_DEFLATED,
};

/** Bytes of a call's result. */
export const RESULT_BYTES: number = RESULT_WORDS * 4;

/** Index entries that a call begins with; more room is made when they are full. */
const FIRST_ENTRIES = 512;

/** The items, layouts and index of one call, where they lie in memory. */
export interface IndexedItems {
  readonly items: number;
  readonly layouts: number;
  readonly layoutsBytes: number;
  readonly index: number;
  readonly count: number;
}

/**
 * Calls one instance of the Wasm module: places the bytes of a call in its memory, asks, and copies the answer out. Nothing is kept
 * from one call to the next. Whatever it throws, except faults of the caller, means that the instance is to be thrown away.
 */
export class DeviceSession implements DeviceCore {
  readonly build: CoreBuild;
  protected readonly exports: CoreExports;
  protected readonly arena: Arena;

  constructor(build: CoreBuild, exports: CoreExports) {
    this.build = build;
    this.exports = exports;
    this.arena = new Arena(exports);
  }

  /** Bytes of memory that the instance holds. */
  get memoryBytes(): number {
    return this.arena.capacity;
  }

  scanMessage(message: Uint8Array): { readonly ok: true } | CoreRefusal {
    this.arena.begin();
    const at = this.arena.place(message);
    const result = this.arena.reserve(RESULT_BYTES);
    return this.judge(this.exports.scanMessage(at, message.length, result), result);
  }

  readImages(items: Uint8Array, layouts: readonly Layout[]): ImageTable | CoreRefusal {
    this.arena.begin();
    const indexed = this.index('indexImages', IMAGE_WORDS, items, encodeLayouts(layouts, numberObjects(layouts)));
    return 'ok' in indexed ? indexed : createImageTable(items, this.arena.words(indexed.index, indexed.count * IMAGE_WORDS).slice());
  }

  diffRows(layout: Layout, before: Uint8Array, after: Uint8Array): FieldMask {
    const { arena } = this;
    const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
    arena.begin();
    const beforeAt = arena.place(before);
    const afterAt = arena.place(after);
    const mask = arena.reserve(maskBytes);
    const result = arena.reserve(RESULT_BYTES);
    requireRows(this.exports.diffRows(beforeAt, before.length, afterAt, after.length, fieldCount, 1, mask, result));
    if (this.result(result, RESULT_OFFSET) < before.length || this.result(result, RESULT_SECOND_OFFSET) < after.length) throw rowInvalid(STATUS_TRAILING_BYTES);
    return arena.bytes(mask, maskBytes).slice();
  }

  applyEdit(layout: Layout, edit: EditValues, mask: FieldMask, current: Uint8Array): Uint8Array {
    requireEditMasks(layout, 1, edit.mask);
    requireSubset(mask, edit.mask);
    const arena = this.arena;
    const rowBytes = edit.next.length + current.length;
    arena.begin();
    const editMask = arena.place(edit.mask);
    const maskAt = arena.place(mask);
    const next = arena.place(edit.next);
    const currentAt = arena.place(current);
    const row = arena.reserve(rowBytes);
    const result = arena.reserve(RESULT_BYTES);
    requireRows(this.exports.applyEdit(
      editMask, maskAt, next, edit.next.length, currentAt, current.length, layout.types.length, row, rowBytes, result,
    ));
    return arena.bytes(row, this.result(result, RESULT_COUNT)).slice();
  }

  /** Checks and indexes items; the index is the last region, so that it can grow. */
  protected index(call: 'indexImages' | 'indexChanges', entryWords: number, items: Uint8Array, layouts: Uint8Array): IndexedItems | CoreRefusal {
    const arena = this.arena;
    const entryBytes = entryWords * 4;
    const itemsAt = arena.place(items);
    const layoutsAt = arena.place(layouts);
    const result = arena.reserve(RESULT_BYTES);
    const index = arena.reserve(FIRST_ENTRIES * entryBytes);
    let room = FIRST_ENTRIES, count = 0, start = 0;
    for (;;) {
      const entries = index + count * entryBytes;
      const status = this.exports[call](itemsAt, items.length, layoutsAt, layouts.length, result, entries, (room - count) * entryBytes, start);
      count += this.result(result, RESULT_COUNT);
      if (status !== STATUS_INDEX_FULL) {
        const answer = this.judge(status, result);
        return answer.ok ? { items: itemsAt, layouts: layoutsAt, layoutsBytes: layouts.length, index, count } : answer;
      }
      start = this.result(result, RESULT_OFFSET);
      arena.extend(room * entryBytes);
      room *= 2;
    }
  }

  protected judge(status: number, result: number): { readonly ok: true } | CoreRefusal {
    requireSound(status);
    return status === STATUS_OK ? { ok: true } : createRefusal(status, this.result(result, RESULT_OFFSET));
  }

  protected result(result: number, word: number): number {
    return this.arena.words(result, RESULT_WORDS)[word]!;
  }
}

/** Bytes that are no rows are the mistake of whoever calls. */
export function requireRows(status: number): void {
  requireSound(status);
  if (status !== STATUS_OK) throw rowInvalid(status);
}

/** A call that got its own regions wrong is as broken as one that trapped. */
export function requireSound(status: number): void {
  if (status >= STATUS_BAD_REGIONS) throw new Error(`the core refused its regions with status ${status}`);
}
