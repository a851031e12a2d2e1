/** The memory of a module, and where its own tables end. */
export interface WasmMemory {
  readonly memory: { readonly buffer: ArrayBufferLike; grow(pages: number): number };
  readonly regionsBegin: { readonly value: number };
}

/**
 * What the Wasm module exports (assembly/index.ts): addresses, sizes and counts go in, a status comes out. The build for devices lacks
 * what only servers call (assembly/device.ts).
 */
export interface CoreExports extends WasmMemory {
  scanMessage(message: number, messageBytes: number, result: number): number;
  validateRow(types: number, fieldCount: number, row: number, rowBytes: number, result: number): number;
  indexImages: IndexItems;
  indexChanges: IndexItems;
  diffRows(
    before: number, beforeBytes: number, after: number, afterBytes: number, fieldCount: number, count: number, masks: number, result: number,
  ): number;
  diffFramed(
    before: number, beforeBytes: number, beforeFrom: number, after: number, afterBytes: number, afterFrom: number, ends: number, fieldCount: number,
    count: number, masks: number, result: number,
  ): number;
  checkEdits(
    masks: number, previous: number, previousBytes: number, next: number, nextBytes: number, current: number, currentBytes: number,
    fieldCount: number, count: number, conflicts: number, writes: number, result: number,
  ): number;
  applyEdit(
    editMask: number, mask: number, next: number, nextBytes: number, current: number, currentBytes: number, fieldCount: number,
    row: number, rowBytes: number, result: number,
  ): number;
  planFeed(plan: number): number;
}

type IndexItems = (
  items: number, itemsBytes: number, layouts: number, layoutsBytes: number, result: number, index: number, indexBytes: number, start: number,
) => number;
