import { expect, test } from 'vitest';
import { loadBatchCore } from '../../src/core/load-batch-core.ts';
import { encodeImages } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const LAYOUT = createLayout('order', [{ name: 'name', type: 'text' }]);
const random = createSeededRandom(1);
const onDiagnostic = (diagnostic: unknown): void => expect.unreachable(JSON.stringify(diagnostic));

test.each(['simd', 'scalar', 'twin'] as const)('loads the %s build that is carried along, and it answers', async (build) => {
  const core = await loadBatchCore({ build, random, onDiagnostic });
  expect(core.build).toBe(build);
  const index = core.indexBatch(encodeImages([{ layout: 0, id: 'b', version: [1, 2], state: 'live', row: encodeRow(LAYOUT, { name: 'x' }) }]), [LAYOUT]);
  expect(index.ok && [index.objects, index.id(0), index.version(0)]).toEqual([['order'], 'b', [1, 2]]);
});

test('takes the SIMD build where the engine has vectors, unasked', async () => {
  expect((await loadBatchCore({ random, onDiagnostic })).build).toBe('simd');
});

test('goes on after a batch that made its memory grow far', async () => {
  const core = await loadBatchCore({ random, onDiagnostic });
  const large = encodeImages(Array.from({ length: 60 }, (_, number) => ({ layout: 0, id: `id-${number}`, version: [1, 2] as const, state: 'live' as const, row: encodeRow(LAYOUT, { name: 'x'.repeat(900_000) }) })));
  for (const items of [large, large.subarray(0, 900_000), large]) {
    const index = core.indexBatch(items, [LAYOUT]);
    if (!index.ok) continue;
    const merged = core.mergeBatch({ items, layouts: [LAYOUT], index, bases: [], attention: [], replace: 'newer' });
    expect(merged.put.reduce((bytes, { block }) => bytes + block.length, 0)).toBeGreaterThan(60 * 900_000);
  }
  expect(core.indexBatch(large.subarray(0, 900_000), [LAYOUT])).toMatchObject({ ok: false, status: 'truncated' });
});
