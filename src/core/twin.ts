import type { Layout } from '../protocol/layout.ts';
import { CanonicalReader } from './canonical-reader.ts';
import type { Core, FeedPlanInput } from './core.ts';
import { requireEditMasks, requireEnds, requirePlan, requireSubset } from './core-input.ts';
import { createChangeTable } from './change-table.ts';
import { createImageTable } from './image-table.ts';
import { refusing, trusting } from './refusal.ts';
import { applyEdit, checkPairs, diffFramed, diffPairs } from './twin-edits.ts';
import { indexChanges, indexImages } from './twin-items.ts';
import { planImages } from './twin-plan.ts';
import { scanMessage } from './twin-scan.ts';

// The twin of the core for large batches lies in the same file of a release.
export { createTwinBatchCore } from './twin-batch.ts';

/**
 * Makes the core in plain TypeScript: the oracle that the Wasm builds are compared with, the fallback where WebAssembly is missing or
 * blocked, and the engine on Hermes. Written to be obvious.
 */
export function createTwinCore(): Core {
  const readImages: Core['readImages'] = (items, layouts) => refusing(() => createImageTable(items, indexImages(items, layouts)));
  const diffBatch: Core['diffBatch'] = (layout, count, before, after, ends) => {
    if (ends === undefined) return trusting(() => diffPairs(layout, count, before, after));
    requireEnds(count, before, after, ends);
    return trusting(() => diffFramed(layout, count, before, after, ends));
  };
  const checkBatch: Core['checkBatch'] = (layout, count, edits, current) => {
    requireEditMasks(layout, count, edits.mask);
    return trusting(() => checkPairs(layout, count, edits, current));
  };
  return {
    build: 'twin',
    readImages,
    scanMessage: (message) => refusing(() => scanMessage(message)),
    readChanges: (items, layouts) => refusing(() => createChangeTable(items, indexChanges(items, layouts))),
    validateRow: (layout, row) => refusing(() => validateRow(layout, row)),
    diffRows: (layout, before, after) => diffBatch(layout, 1, before, after),
    diffBatch,
    checkEdit: (layout, edit, current) => checkBatch(layout, 1, edit, current),
    checkBatch,
    applyEdit(layout, edit, mask, current) {
      requireEditMasks(layout, 1, edit.mask);
      requireSubset(mask, edit.mask);
      return trusting(() => applyEdit(layout, edit, mask, current));
    },
    planFeed(input: FeedPlanInput) {
      const images = readImages(input.items, input.layouts);
      if (!images.ok) return images;
      requirePlan(images.count, input);
      return { ok: true, verdicts: planImages(images, input) };
    },
  };
}

function validateRow(layout: Layout, row: Uint8Array): { readonly ok: true } {
  const reader = new CanonicalReader(row);
  reader.row(layout.types);
  reader.end();
  return { ok: true };
}
