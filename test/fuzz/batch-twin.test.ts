import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeImage } from '../../src/client/store/stored.ts';
import type { BatchExports } from '../../src/core/batch-exports.ts';
import { BATCH_EDITION } from '../../src/core/batch-session.ts';
import type { BatchCore, MergeInput } from '../../src/core/batch.ts';
import { rowBlock } from '../../src/core/row-block.ts';
import { createTwinBatchCore } from '../../src/core/twin-batch.ts';
import { createWasmCore, type CoreDiagnostic } from '../../src/core/wasm-core.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { anyImage, anyLayouts } from '../core/arbitraries.ts';
import { readTable } from '../core/read-table.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { digestOf, manyOf, outcomeOf } from './core-calls.ts';
import { below, mutate } from './mutate.ts';

// The core for large batches against its twin, on batches and row blocks that are nearly right, and where memory is refused.

const random = createSeededRandom(17);
const twin = createTwinBatchCore();
const someId = fc.constantFrom('a', 'b', 'ü', '\ue000', '\u{10000}', 'c'.repeat(40), `${'c'.repeat(40)}d`);

/** A batch, and what is held: bytes that may be mutated. */
interface Batch {
  readonly layouts: readonly Layout[];
  readonly items: Uint8Array;
  readonly base: Uint8Array;
  readonly attention: Uint8Array;
}

const batches = fc.sample(
  anyLayouts.chain((layouts) =>
    fc.record({ images: fc.array(anyImage(layouts, someId), { minLength: 1, maxLength: 8 }), held: fc.uniqueArray(anyImage(layouts, someId), { maxLength: 6, selector: ({ id }) => id }) })
      .map(({ images, held }) => batchOf(layouts, images, held)),
  ),
  { seed: 4, numRuns: 60 },
);

function batchOf(layouts: readonly Layout[], images: readonly Image[], held: readonly Image[]): Batch {
  const sorted = held.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  return {
    layouts,
    items: encodeImages(images),
    base: rowBlock(sorted.map(({ layout, ...image }) => ({ id: image.id, bytes: encodeImage({ ...image, layout: layouts[layout]! }) }))),
    attention: rowBlock(sorted.map(({ id }, place) => ({ id, bytes: Uint8Array.of([0, 1, 2, 4, 8, 16, 31][place % 7]!) }))),
  };
}

/** Everything that the calls say of a batch; of a fault its code, as the words may name another byte. */
function allOf(core: BatchCore, { layouts, items, base, attention }: Batch): unknown {
  const index = core.indexBatch(items, layouts);
  if (!index.ok) return index;
  const input: MergeInput = {
    items, layouts, index, replace: 'newer', listAbsent: true, bases: [{ object: 'order', blocks: [base] }], attention: [{ object: 'order', block: attention }],
    groups: [{ flags: 0, needs: [{ image: 0, version: [1, 1], held: [0, 0] }] }], groupOf: Int32Array.from({ length: index.count }, (_, image) => (image % 3 === 0 ? 0 : -1)),
  };
  const merged = outcomeOf(() => {
    const { verdicts, put, absent, changes } = core.mergeBatch(input);
    const each = Array.from({ length: changes.count }, (_, change) => [changes.imageOf(change), changes.isNew(change), changes.maskOf(change)]);
    return { verdicts, put, absent, each };
  }) as { readonly code?: string };
  return { images: readTable(index), objects: index.objects, ids: index.objects.map((object) => index.ids(object)), merged: merged.code ?? merged };
}

/** A core, of whose instances a growth of memory may be refused. */
function openCore(file: string, isRefused: (growth: number) => boolean = () => false) {
  const module = new WebAssembly.Module(readFileSync(`build/${file}`));
  const diagnostics: CoreDiagnostic[] = [], growths = { refused: 0, all: 0 };
  const instantiate = (): BatchExports => {
    const exports = new WebAssembly.Instance(module).exports as unknown as BatchExports;
    const grow = (pages: number): number => {
      if (!isRefused(++growths.all)) return exports.memory.grow(pages);
      growths.refused++;
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    };
    return { ...exports, memory: { get buffer() { return exports.memory.buffer; }, grow } };
  };
  const core = createWasmCore<BatchCore>({
    edition: BATCH_EDITION, build: 'scalar', instance: instantiate(), instantiate, loadTwin: async () => twin, random, onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
  });
  return { core, diagnostics, growths };
}

describe.each(['core.batch.wasm', 'core.batch.simd.wasm'])('%s beside its twin', (file) => {
  test.each(['items', 'base', 'attention'] as const)('answers a batch with mutated %s as the twin does', (name) => {
    const { core, diagnostics } = openCore(file);
    for (const [index, batch] of batches.entries()) {
      for (let time = 0; time < 12; time++) {
        const other = batches[below(random, batches.length)]!;
        const bytes = { ...batch, [name]: time === 0 ? batch[name] : mutate(batch[name], other[name], random) };
        const [answer, expected] = [core, twin].map((each) => outcomeOf(() => allOf(each, bytes)));
        // Value by value only where they differ: it takes long, and says where.
        if (digestOf(answer) !== digestOf(expected)) expect(answer, `batch ${index}`).toEqual(expected);
      }
    }
    // No instance trapped, so it was Wasm that answered.
    expect(diagnostics).toEqual([]);
  });
});

describe('memory refused within a large batch', () => {
  const { layouts, images: items } = manyOf(6_000);
  const held = Array.from({ length: 6_000 }, (_, index) => ({ id: `record ${index}`, bytes: Uint8Array.of(0) })).toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const large: Batch = { layouts, items, base: rowBlock([]), attention: rowBlock(held.map(({ id, bytes }) => ({ id, bytes }))) };
  const expected = digestOf(allOf(twin, large));

  test('at any growth is a fault that says so, and the next call answers', () => {
    for (let growth = 1; ; growth++) {
      const { core, diagnostics, growths } = openCore('core.batch.wasm', (number) => number === growth);
      const outcome = outcomeOf(() => allOf(core, large));
      if (growths.refused === 0) {
        expect(digestOf(outcome)).toBe(expected);
        expect(growth).toBeGreaterThan(3);
        return;
      }
      const { code, merged } = outcome as { readonly code?: string; readonly merged?: string };
      expect(code ?? merged).toBe('CORE_TRAPPED');
      expect(diagnostics).toMatchObject([{ kind: 'memory-refused', answeredBy: 'twin' }]);
      expect(digestOf(outcomeOf(() => allOf(core, large)))).toBe(expected);
    }
  });
});
