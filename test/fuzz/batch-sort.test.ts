import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BatchExports } from '../../src/core/batch-exports.ts';
import { BATCH_EDITION } from '../../src/core/batch-session.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { countLoads } from './count-loads.ts';
import { below } from './mutate.ts';

// Ids that were chosen to be slow to sort: what a sort costs is counted in loads of memory, for each byte of the ids that it sorts.

const LAYOUT = createLayout('order', []);
const counted = countLoads<BatchExports>(readFileSync('build/core.batch.wasm'));

/** Loads of a sort for each image. */
function costOf(ids: readonly string[]): number {
  let all = 0;
  const sortBatch: BatchExports['sortBatch'] = (...args) => {
    let status = -1;
    ({ all } = counted.count(() => void (status = counted.exports.sortBatch(...args))));
    return status;
  };
  const watched: BatchExports = { ...counted.exports, sortBatch };
  const images = ids.map((id, index): Image => ({ layout: 0, id, version: [1, index + 1], state: 'deleted', row: null }));
  const index = BATCH_EDITION.openSession('scalar', watched, new Uint8Array(0)).indexBatch(encodeImages(images), [LAYOUT]);
  if (!index.ok) throw new Error(index.status);
  expect(index.count).toBe(ids.length);
  return all / ids.length;
}

const random = createSeededRandom(21);
const letters = (count: number, from = 'abcdefghijklmnopqrstuvwxyz'): string => Array.from({ length: count }, () => from[below(random, from.length)]!).join('');
const shuffled = (ids: readonly string[]): string[] => ids.map((id) => [random.next(), id] as const).sort(([left], [right]) => left - right).map(([, id]) => id);

/** Ids of 36 characters, as most are: what the others are measured against. */
const ordinary = (count: number): string[] => Array.from({ length: count }, () => `${letters(8)}-${letters(4)}-${letters(4)}-${letters(4)}-${letters(12)}`);

/** Each as long as the ordinary ones, however many there are. */
const CRAFTED: Readonly<Record<string, (count: number) => string[]>> = {
  'begin with the same eight bytes': (count) => ordinary(count).map((id) => `aaaaaaaa${id.slice(8)}`),
  'begin with the same sixteen bytes': (count) => ordinary(count).map((id) => `${'a'.repeat(16)}${id.slice(16)}`),
  'differ in their last bytes alone': (count) => shuffled(Array.from({ length: count }, (_, index) => `${'a'.repeat(28)}${String(index).padStart(8, '0')}`)),
  'are all the same': (count) => Array.from({ length: count }, () => 'a'.repeat(36)),
  'are sorted': (count) => ordinary(count).toSorted(),
  'are sorted the other way round': (count) => ordinary(count).toSorted().toReversed(),
  'rise and fall': (count) => ordinary(count).toSorted().map((id, index, all) => (index % 2 === 0 ? id : all[all.length - index]!)),
  'are of few values in each byte': (count) => Array.from({ length: count }, () => letters(36, 'ab')),
  'come in runs just too long to be inserted': (count) => shuffled(Array.from({ length: count }, (_, index) => `${String(Math.floor(index / 25)).padStart(7, '0')}${letters(29, 'ab')}`)),
};

describe('sorting a batch whose ids', () => {
  const usual = costOf(ordinary(4_000));

  test.each(Object.entries(CRAFTED))('%s costs a bounded number of looks at each byte', (_name, idsOf) => {
    // 36 bytes are six keys of seven: at most so many times the sort of ids that differ in the first.
    expect(costOf(idsOf(4_000))).toBeLessThan(6 * usual);
  });

  test.each(Object.entries(CRAFTED))('%s costs no more for each where there are many', (_name, idsOf) => {
    const [few, many] = [costOf(idsOf(1_000)), costOf(idsOf(16_000))];
    // n log n would be 1.4 times; sorting by comparing all with all, 16 times.
    expect(many).toBeLessThan(2 * few);
  });
});
