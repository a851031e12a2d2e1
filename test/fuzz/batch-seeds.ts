import fc from 'fast-check';
import { NEED_WORDS } from '../../assembly/layout.ts';
import { encodeLayouts, encodeNeeds, numberObjects } from '../../src/core/core-regions.ts';
import { rowBlock } from '../../src/core/row-block.ts';
import { storedBeginning } from '../../src/core/stored-row.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { encodeImage } from '../../src/client/store/stored.ts';
import { anyImage, anyImageItems, anyLayouts, anyVersion } from '../core/arbitraries.ts';
import { byte, part, word16, words } from './seed-parts.ts';

/** In the order of CALLS in native/batch-calls.c. */
export const BATCH_CALLS = ['indexBatch', 'mergeBatch', 'sortAnyhow', 'anyhow'] as const;

export type BatchSeed = readonly [(typeof BATCH_CALLS)[number], ...Uint8Array[]];

const layoutsRegion = (layouts: readonly Layout[]): Uint8Array => encodeLayouts(layouts, numberObjects(layouts));

const someId = fc.constantFrom('a', 'b', 'ü', '\ue000', '\u{10000}', 'c'.repeat(40), `${'c'.repeat(40)}d`, 'customer-0001', 'customer-0002');

const index = fc.tuple(anyImageItems, fc.integer({ min: 1, max: 300 })).map(([{ layouts, items }, windowBytes]): BatchSeed => [
  'indexBatch', word16(windowBytes), part(layoutsRegion(layouts)), items,
]);

const many = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\ue000', '\u{10000}'), minLength: 1, maxLength: 20 }), { minLength: 20, maxLength: 60 }).map((ids): BatchSeed => {
  const images = ids.map((id, place): Image => ({ layout: 0, id, version: [1, place + 1], state: 'deleted', row: null }));
  return ['indexBatch', word16(64), part(words([1, 0, 16, 0])), encodeImages(images)];
});

const merge = anyLayouts.chain((layouts) =>
  fc.record({
    layouts: fc.constant(layouts),
    images: fc.array(anyImage(layouts, someId), { minLength: 1, maxLength: 8 }),
    held: fc.uniqueArray(anyImage(layouts, someId), { maxLength: 5, selector: ({ id }) => id }),
    version: anyVersion,
  }),
).map(({ layouts, images, held, version }): BatchSeed => {
  const beginnings = layouts.map(storedBeginning);
  let at = layouts.length * 8;
  const table = beginnings.flatMap(({ length }) => [(at += length) - length, length]);
  const sorted = held.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const base = rowBlock(sorted.map(({ layout, ...image }) => ({ id: image.id, bytes: encodeImage({ ...image, layout: layouts[layout]! }) })));
  const attention = rowBlock(sorted.map(({ id }, place) => ({ id, bytes: byte(1 << (place % 5)) })));
  const needs = encodeNeeds([{ flags: 0, needs: [{ image: 0, version, held: [0, 0] }] }]);
  return [
    'mergeBatch', byte(0), byte(1), byte(2), part(layoutsRegion(layouts)), part(concatBytes([words(table), ...beginnings])), part(base), part(attention),
    part(words(needs.slice(0, NEED_WORDS))), part(Uint8Array.of(255, 0, 1)), part(new Uint8Array(0)), encodeImages(images),
  ];
});

const tampered = anyImageItems.map(({ layouts, items }): BatchSeed => ['sortAnyhow', part(layoutsRegion(layouts)), part(Uint8Array.of(8, 0, 1)), items]);

/** A merge of nothing, whose tables are all empty and lie one after another. */
const soundArguments: BatchSeed = ['anyhow', byte(3), new Uint8Array(13 * 2).fill(1), new Uint8Array(18 * 2).fill(1), new Uint8Array(64)];

/** Inputs of the module for large batches, made of real messages. */
export function sampleBatchSeeds(): BatchSeed[] {
  return [...[index, many, merge, tampered].flatMap((arbitrary) => fc.sample<BatchSeed>(arbitrary, { seed: 1, numRuns: 12 })), soundArguments];
}
