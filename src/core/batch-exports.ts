import type { WasmMemory } from './wasm-exports.ts';

/** What the Wasm module for large batches exports (assembly/batch.ts): addresses, sizes and counts go in, a status comes out. */
export interface BatchExports extends WasmMemory {
  indexWindow(
    layouts: number, layoutsBytes: number, result: number, window: number, windowBytes: number, offset: number,
    entries: number, keys: number, room: number, ids: number, idsBytes: number, count: number, idsUsed: number,
  ): number;
  sortBatch(
    layouts: number, layoutsBytes: number, result: number, entries: number, keys: number, count: number, ids: number, idsBytes: number,
    spare: number, order: number, ends: number, objectCount: number,
  ): number;
  packIds(result: number, keys: number, count: number, ids: number, idsBytes: number, block: number, blockBytes: number): number;
  beginMerge(merge: number): number;
  joinBlock(
    merge: number, result: number, ids: number, idsBytes: number, first: number, from: number, number: number, block: number, blockBytes: number,
    absent: number, absentRoom: number,
  ): number;
  packAbsent(result: number, block: number, blockBytes: number, list: number, count: number, out: number, outBytes: number): number;
  addAttention(merge: number, ids: number, idsBytes: number, first: number, block: number, blockBytes: number): number;
  decideMerge(merge: number, result: number): number;
  packMerged(
    merge: number, result: number, ids: number, idsBytes: number, first: number, from: number, items: number, itemsBytes: number,
    out: number, outBytes: number, mostRows: number,
  ): number;
}
