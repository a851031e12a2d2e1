/**
 * Writes the inputs that the fuzzer begins with, made of real messages: what native/*-calls.c reads, in the order in which it does.
 *
 *     node scripts/run-ts.mjs test/fuzz/seeds.ts <folder>
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { NO_INDEX, SEED_BYTES } from '../../assembly/layout.ts';
import { encodeAttention, encodeBases, encodeLayouts, encodeNeeds, numberObjects } from '../../src/core/core-regions.ts';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { anyBytes, anyChangeItems, anyImage, anyImageItems, anyLayout, anyLayouts, anyVersion, editOf, recordAndEdit } from '../core/arbitraries.ts';
import { BATCH_CALLS, sampleBatchSeeds } from './batch-seeds.ts';
import { byte, part, word16, words } from './seed-parts.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: seeds.ts <folder>');

/** In the order of CALLS in native/core-calls.c. */
const CALLS = ['scanMessage', 'validateRow', 'indexImages', 'indexChanges', 'diffRows', 'checkEdits', 'applyEdit', 'planBatch', 'planAnyhow', 'anyhow', 'diffFramed'] as const;

type Seed = readonly [(typeof CALLS)[number], ...Uint8Array[]];

const layoutsRegion = (layouts: readonly Layout[]): Uint8Array => encodeLayouts(layouts, numberObjects(layouts));

const message = anyImageItems.map(({ layouts, items }): Seed => ['scanMessage', encodeEnvelope({ layouts: layouts.map(({ object }) => [object]), items, from: null })]);

const row = anyLayout().chain((layout) =>
  recordAndEdit(layout).map(([record]): Seed => ['validateRow', part(layout.types), encodeRow(layout, record)]),
);

const images = anyImageItems.map(({ layouts, items }): Seed => ['indexImages', byte(0), part(layoutsRegion(layouts)), items]);

const changes = anyChangeItems.map(({ layouts, items }): Seed => ['indexChanges', byte(1), part(layoutsRegion(layouts)), items]);

const rowPairs = anyLayout().chain((layout) =>
  fc.array(recordAndEdit(layout), { minLength: 1, maxLength: 3 }).map((pairs) => ({ layout, pairs: pairs.map((pair) => pair.map((record) => encodeRow(layout, record))) })),
);

const diff = rowPairs.map(({ layout, pairs }): Seed => [
  'diffRows', word16(layout.types.length), byte(pairs.length), part(concatBytes(pairs.map(([before]) => before!))), concatBytes(pairs.map(([, after]) => after!)),
]);

const framed = rowPairs.map(({ layout, pairs }): Seed => {
  const endsOf = (side: number): number[] => pairs.reduce<number[]>((ends, pair) => [...ends, (ends.at(-1) ?? 0) + pair[side]!.length], []);
  return [
    'diffFramed', word16(layout.types.length), byte(pairs.length), byte(0), byte(0), words([...endsOf(0), ...endsOf(1)]),
    part(concatBytes(pairs.map(([before]) => before!))), concatBytes(pairs.map(([, after]) => after!)),
  ];
});

const flags = fc.array(fc.boolean(), { minLength: 20, maxLength: 20 });

const check = fc.tuple(rowPairs, flags).map(([{ layout, pairs }, isEdited]): Seed => {
  const edits = pairs.map(([before, after]) => editOf(layout, before!, after!, isEdited));
  const joined = (name: 'mask' | 'previous' | 'next'): Uint8Array => concatBytes(edits.map((edit) => edit[name]));
  return [
    'checkEdits', word16(layout.types.length), byte(pairs.length), joined('mask'), part(joined('previous')), part(joined('next')),
    concatBytes(pairs.map(([before]) => before!)),
  ];
});

const apply = fc.tuple(rowPairs, flags).map(([{ layout, pairs }, isEdited]): Seed => {
  const [[before, after]] = pairs as [[Uint8Array, Uint8Array]];
  const edit = editOf(layout, before, after, isEdited);
  return ['applyEdit', word16(layout.types.length), edit.mask, edit.mask, part(edit.next), before];
});

const someId = fc.constantFrom('a', 'b', 'ü', 'c'.repeat(40));

interface Batch {
  readonly layouts: readonly Layout[];
  readonly images: readonly Image[];
}

const batch: fc.Arbitrary<Batch> = anyLayouts.chain((layouts) =>
  fc.array(anyImage(layouts, someId), { minLength: 1, maxLength: 8 }).map((batched) => ({ layouts, images: batched })),
);

const plan = fc.tuple(batch, fc.array(anyVersion, { minLength: 1, maxLength: 4 }), fc.uint8Array({ minLength: SEED_BYTES, maxLength: SEED_BYTES })).map(
  ([{ layouts, images: batched }, versions, seed]): Seed => {
    const objects = numberObjects(layouts);
    const attention = encodeAttention([{ object: 'order', id: 'a', flags: 4 }, { object: 'contact', id: 'b', flags: 1 }], objects);
    const needs = [{ image: 0, version: versions[0]!, held: versions.at(-1)! }, { image: -1, version: versions[0]!, held: versions[0]! }];
    return [
      'planBatch', byte(1), byte(2), byte(attention.count), part(layoutsRegion(layouts)), part(attention.region), part(words(encodeNeeds([{ flags: 0, needs }]))), seed,
      part(words(encodeBases(versions))), part(Uint8Array.of(0, 255, 1)), encodeImages(batched),
    ];
  },
);

/** One image of a layout without fields, and entries that say so. */
const soundTables: Seed = [
  'planAnyhow', byte(1), byte(1), byte(1), byte(0), byte(2), part(words([1, 7, 16, 0])), part(new Uint8Array(0)), new Uint8Array(SEED_BYTES),
  words([0, 2, 2, 1, 1, 0, 0, 0, 0]), words([0, 0, 0]), words([NO_INDEX]), words([0, 0, 1, 1, 0, 0, 0, 0]), Uint8Array.of(0x96, 0, 0xa1, 0x61, 1, 1, 0, 0x90),
];

/** scanMessage, whose message is at the first address and its result behind it. */
const soundArguments: Seed = ['anyhow', byte(0), byte(0), word16(0), byte(1), byte(6), byte(0), word16(8), new Uint8Array(9 * 2).fill(1), Uint8Array.of(0x92, 0xa2, 0x68, 0x69, 0x91, 5)];

const anything = anyBytes.map((bytes): Seed => ['scanMessage', bytes]);

const coreSeeds: Seed[] = [
  ...[message, row, images, changes, diff, framed, check, apply, plan, anything].flatMap((arbitrary) => fc.sample<Seed>(arbitrary, { seed: 1, numRuns: 12 })),
  soundTables,
  soundArguments,
];
write('core', CALLS, coreSeeds);
write('batch', BATCH_CALLS, sampleBatchSeeds());

/** Writes the inputs of one module; the first byte of each chooses the call. */
function write<Call extends string>(module: string, calls: readonly Call[], seeds: readonly (readonly [Call, ...Uint8Array[]])[]): void {
  const place = join(folder!, module);
  mkdirSync(place, { recursive: true });
  for (const [index, [call, ...parts]] of seeds.entries()) {
    writeFileSync(join(place, `${String(index).padStart(3, '0')}-${call}`), concatBytes([byte(calls.indexOf(call)), ...parts]));
  }
}
