import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MERGE_WORDS, RESULT_WORDS, STATUS_BAD_REGIONS, STATUS_INDEX_FULL, STATUS_OK } from '../../assembly/layout.ts';
import type { BatchExports } from '../../src/core/batch-exports.ts';
import { encodeImages } from '../../src/protocol/items.ts';

// The exports for large batches, called as no careful caller would.

const PAGE = 65_536;

/** How many arguments each export takes. */
const ARITY = { indexWindow: 13, sortBatch: 12, packIds: 7, beginMerge: 1, joinBlock: 11, packAbsent: 7, addAttention: 6, decideMerge: 2, packMerged: 11 } as const;

type Export = keyof typeof ARITY;

/** Addresses, sizes and counts: small ones, those around the ends of memory, and any. */
const argument = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: PAGE }),
  fc.constantFrom(PAGE - 1, PAGE, PAGE + 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x40000000, 0x0ccccccd, 0x06666667),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** Words that tables are made of: few and small, so that one table points into another. */
const word = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 600 }) }, { weight: 1, arbitrary: argument });

describe.each(['core.batch.wasm', 'core.batch.simd.wasm', 'core.batch.debug.wasm'])('the exports of %s', (file) => {
  const module = new WebAssembly.Module(readFileSync(`build/${file}`));
  const exports = new WebAssembly.Instance(module).exports as unknown as BatchExports;
  const memory = new Uint8Array(exports.memory.buffer);
  const first = Math.ceil(exports.regionsBegin.value / 8) * 8;
  const call = (name: Export, args: readonly number[]): number => (exports[name] as (...args: readonly number[]) => number)(...args);
  const fill = (words: readonly number[], from = first): void => {
    const all = new Uint32Array(memory.buffer, from, Math.floor((PAGE - from) / 4));
    for (let at = 0; at < all.length; at++) all[at] = words[at % words.length]!;
  };

  test('import nothing, and are those that their callers know', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...Object.keys(ARITY), 'memory', 'regionsBegin'].toSorted());
  });

  test.each(Object.entries(ARITY) as [Export, number][])('%s ends in a status for any arguments over any memory', (name, arity) => {
    const input = fc.record({ args: fc.array(argument, { minLength: arity, maxLength: arity }), words: fc.array(word, { minLength: 40, maxLength: 90 }) });
    fc.assert(
      fc.property(input, ({ args, words }) => {
        fill(words);
        expect(call(name, args)).toSatisfy(isStatus);
        expectTablesWhole();
      }),
      { numRuns: 300 },
    );
  });

  test('a merge ends in a status for any tables, in order, that begin like sound ones', () => {
    const input = fc.record({
      words: fc.array(word, { minLength: 60, maxLength: 200 }),
      spots: fc.array(fc.tuple(fc.integer({ min: 0, max: 210 }), word), { maxLength: 4 }),
      sizes: fc.array(fc.oneof(fc.constant(12), fc.integer({ min: 0, max: 200 })), { minLength: 3, maxLength: 3 }),
      places: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 2 }),
    });
    const done = [0, 0, 0, 0, 0, 0];
    fc.assert(
      fc.property(input, ({ words, spots, sizes, places }) => {
        fill(words);
        const at = (offset: number): number => first + offset;
        // One layout without fields, a beginning of two bytes, three images, two records, two groups, a need.
        const merge = [at(128), 16, at(144), 16, at(160), 3, at(280), 2, at(288), at(296), at(312), at(328), 1, at(360), 2, 0, at(368), at(376)];
        new Uint32Array(memory.buffer, first, MERGE_WORDS).set(merge);
        new Uint32Array(memory.buffer, at(128), 4).set([1, 0, 16, 0]);
        new Uint32Array(memory.buffer, at(144), 3).set([8, 2, 0xa195]);
        for (const image of [0, 1, 2]) new Uint32Array(memory.buffer, at(160 + image * 40), 10).set([0, 2, 2, 1, 5, 0, 0, 6, 2, image]);
        new Uint32Array(memory.buffer, at(280), 2).set([0, 2]);
        new Uint32Array(memory.buffer, at(312), 4).set([0, 1, 0xffffffff, 0]);
        const result = at(400), ids = at(416), block = at(800), rest = at(1_200);
        // Of one row, "a", with a byte of attention.
        for (const region of [ids, block]) new Uint32Array(memory.buffer, region, 5).set([1, 1, 1, 2, 0x0161]);
        for (const [place, value] of spots) new Uint32Array(memory.buffer, first, 256)[place] = value;
        const [idsBytes, blockBytes, room] = [sizes[0]! + 6, sizes[1]! + 6, sizes[2]!] as const;
        const statuses = [
          exports.beginMerge(first),
          exports.addAttention(first, ids, idsBytes, places[0]!, block, blockBytes),
          exports.joinBlock(first, result, ids, idsBytes, places[0]!, places[1]!, 0, block, blockBytes, rest, room % 5),
          exports.decideMerge(first, result),
          exports.packMerged(first, result, ids, idsBytes, places[0]!, places[1]!, block, blockBytes, rest, room + 8, room % 5),
          exports.packAbsent(result, block, blockBytes, at(1_100), room % 5, rest, room),
        ];
        for (const [place, status] of statuses.entries()) {
          expect(status).toSatisfy(isStatus);
          if (status === STATUS_OK) done[place]!++;
        }
        expectTablesWhole();
      }),
      { numRuns: 1_500 },
    );
    // It gets past the checks of regions.
    expect(done.every((times) => times > 0), `calls that ended well: ${done.join(', ')}`).toBe(true);
  });

  /** Nothing was written into the module's own tables: it still reads an image, and sorts it. */
  function expectTablesWhole(): void {
    const items = encodeImages([{ layout: 0, id: 'a', version: [1, 2], state: 'deleted', row: null }]);
    const layouts = first, result = first + 16, window = first + 32, entries = first + 48, keys = first + 88, ids = first + 104;
    new Uint32Array(memory.buffer, layouts, 4).set([1, 0, 16, 0]);
    memory.set(items, window);
    expect(exports.indexWindow(layouts, 16, result, window, items.length, 0, entries, keys, 1, ids, 300, 0, 0)).toBe(STATUS_OK);
    expect(exports.sortBatch(layouts, 16, result, entries, keys, 1, ids, 300, ids + 304, ids + 320, ids + 324, 1)).toBe(STATUS_OK);
    expect(new Uint32Array(memory.buffer, result, RESULT_WORDS)[1]).toBe(1);
  }

  test('refuse regions below the first, beyond memory, out of order and overlapping', () => {
    fill([0]);
    const merge = (address: number): number => exports.beginMerge(address);
    expect(merge(0)).toBe(STATUS_BAD_REGIONS);
    expect(merge(PAGE)).toBe(STATUS_BAD_REGIONS);
    expect(merge(0xffffffff)).toBe(STATUS_BAD_REGIONS);
    const index = (window: number, room: number, entries = first + 48): number => exports.indexWindow(first, 16, first + 16, window, 8, 0, entries, first + 88, room, first + 104, 300, 0, 0);
    expect(index(first + 32, 1)).not.toBe(STATUS_BAD_REGIONS);
    for (const wrong of [index(first + 24, 1), index(PAGE, 1), index(first + 32, 2), index(first + 32, 0x06666667), index(first + 32, 1, first + 36)]) expect(wrong).toBe(STATUS_BAD_REGIONS);
  });
});

function isStatus(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= STATUS_OK && value <= STATUS_INDEX_FULL;
}
