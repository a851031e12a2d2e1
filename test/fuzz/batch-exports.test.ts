import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BATCH_IMAGE_WORDS, BATCH_KEY_WORDS, STATUS_INDEX_FULL, STATUS_OK } from '../../assembly/layout.ts';
import type { BatchExports } from '../../src/core/batch-exports.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { below } from './mutate.ts';

// The exports for large batches, called as no careful caller would.

const PAGE = 65_536;

describe.each(['core.batch.wasm', 'core.batch.simd.wasm', 'core.batch.debug.wasm'])('the exports of %s', (file) => {
  const module = new WebAssembly.Module(readFileSync(`build/${file}`));
  const exports = new WebAssembly.Instance(module).exports as unknown as BatchExports;
  const memory = new Uint8Array(exports.memory.buffer), view = new DataView(exports.memory.buffer);
  const first = exports.regionsBegin.value;
  const pages = memory.length;

  test('sortBatch ends in a status where keys are not those of their ids', () => {
    const layouts = first, result = layouts + 16, entries = result + 16, count = 3, keys = entries + count * BATCH_IMAGE_WORDS * 4;
    const ids = keys + count * BATCH_KEY_WORDS * 4, idsBytes = 288, spare = ids + idsBytes, order = spare + count * BATCH_KEY_WORDS * 4, ends = order + count * 4;
    memory.fill(0, first);
    const put = (at: number, words: readonly number[]): void => words.forEach((word, index) => view.setUint32(at + index * 4, word, true));
    put(layouts, [1, 0, 16, 0]);
    // Out of order, and the last two equal: they say that more of their id follows, which has ended.
    put(keys, [0x108, 0, 0, 0, 0x008, 0, 1, 0, 0x008, 0, 2, 0]);
    memory.set([1, 0x61], ids);
    expect(exports.sortBatch(layouts, 16, result, entries, keys, count, ids, idsBytes, spare, order, ends, 1)).toBe(STATUS_OK);
  });

  test.each(Object.entries({ indexWindow: 13, sortBatch: 12, packIds: 7, beginMerge: 1, joinBlock: 11, packAbsent: 7, addAttention: 6, decideMerge: 2, packMerged: 11 }))(
    '%s ends in a status for any arguments over any memory',
    (name, arity) => {
      const random = createSeededRandom(arity * 31);
      const argument = (): number => [below(random, 64), first + below(random, 4_096), below(random, pages), ...[0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x0ccccccd, 0x10000000, PAGE]][below(random, 11)]!;
      const call = exports[name as keyof BatchExports] as unknown as (...args: readonly number[]) => number;
      for (let run = 0; run < 3_000; run++) {
        const noise = random.bytes(16 + below(random, 64)).map((byte) => (random.next() < 0.5 ? byte & 3 : byte));
        for (let at = first; at < first + 8_192; at += noise.length) memory.set(noise, at);
        // Half of the time regions are in order: addresses and sizes that grow.
        let address = first;
        const args = Array.from({ length: arity }, argument);
        const ordered = args.map((size, index) => (index % 2 === 0 ? (address += size % 200) : size % 40));
        const status = call(...(run % 2 === 0 ? args : ordered));
        expect(Number.isInteger(status) && status >= STATUS_OK && status <= STATUS_INDEX_FULL).toBe(true);
      }
    },
  );
});
