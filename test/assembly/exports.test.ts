import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ATTENTION_INCOMPLETE,
  IMAGE_WORDS,
  NEED_WORDS,
  NO_INDEX,
  PLAN_ATTENTION_COUNT,
  PLAN_GROUP_COUNT,
  PLAN_NEED_COUNT,
  PLAN_WORDS,
  RESULT_WORDS,
  STATUS_BAD_REGIONS,
  STATUS_INDEX_FULL,
  STATUS_OK,
  VERDICT_INCOMPLETE,
  VERDICT_MERGE,
  VERDICT_SUPERSEDED,
} from '../../assembly/layout.ts';
import type { CoreExports } from '../../src/core/wasm-exports.ts';
import { anyBytes, anyImageItems, mutated } from '../core/arbitraries.ts';
import { encodeLayouts, numberObjects } from '../../src/core/core-regions.ts';

// The module's exports, called as no careful caller would.

const PAGE = 65_536;

/** How many arguments each export takes. */
const ARITY = { scanMessage: 3, validateRow: 5, indexImages: 8, indexChanges: 8, diffRows: 8, diffFramed: 11, checkEdits: 12, applyEdit: 10, planFeed: 1 } as const;

type Export = keyof typeof ARITY;

/** Addresses, sizes and counts: small ones, those around the ends of memory, and any. */
const argument = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: PAGE }),
  fc.constantFrom(PAGE - 1, PAGE, PAGE + 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x40000000, 0x15555556, 0x1c71c71d),
  fc.integer({ min: 0, max: 0xffffffff }),
);

test('the build for devices exports what devices call, no more', () => {
  const device = new WebAssembly.Module(readFileSync('build/core.device.wasm'));
  const names = WebAssembly.Module.exports(device).map(({ name }) => name);
  expect(names.toSorted()).toEqual(['applyEdit', 'diffRows', 'indexImages', 'memory', 'regionsBegin', 'scanMessage']);
});

describe.each(['core.wasm', 'core.simd.wasm', 'core.debug.wasm'])('the exports of %s', (file) => {
  const module = new WebAssembly.Module(readFileSync(`build/${file}`));
  const exports = new WebAssembly.Instance(module).exports as unknown as CoreExports;
  const memory = new Uint8Array(exports.memory.buffer);
  const first = exports.regionsBegin.value;
  const call = (name: Export, args: readonly number[]): number => (exports[name] as (...args: readonly number[]) => number)(...args);

  test('import nothing', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test('are those that their callers know', () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...Object.keys(ARITY), 'memory', 'regionsBegin'].toSorted());
  });

  test.each(Object.entries(ARITY) as [Export, number][])('%s ends in a status for any arguments over any memory', (name, arity) => {
    const args = fc.array(argument, { minLength: arity, maxLength: arity });
    const input = fc.record({ args, noise: fc.uint8Array({ minLength: 64, maxLength: 256 }) });
    fc.assert(
      fc.property(input, ({ args, noise }) => {
        for (let at = first; at < PAGE; at += noise.length) memory.set(noise.subarray(0, PAGE - at), at);
        expect(call(name, args)).toSatisfy(isStatus);
        // Nothing was written into the module's own tables: it still reads.
        memory.set([0x92, 0xa2, 0x68, 0x69, 0x91, 0x05], first);
        expect(exports.scanMessage(first, 6, first + 8)).toBe(STATUS_OK);
      }),
      { numRuns: 400 },
    );
  });

  test.each(Object.entries(ARITY) as [Export, number][])('%s ends in a status for regions in order, whatever they hold', (name, arity) => {
    // Ascending numbers are regions in order more often than chance would have it: addresses and sizes take turns.
    const args = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: arity, maxLength: arity });
    const input = fc.record({ args, noise: anyBytes.filter(({ length }) => length > 0) });
    fc.assert(
      fc.property(input, ({ args, noise }) => {
        for (let at = first; at < first + 4_000; at += noise.length) memory.set(noise, at);
        let address = first;
        const ordered = args.map((size, index) => (index % 2 === 0 ? (address += size) : size % 40));
        expect(call(name, ordered)).toSatisfy(isStatus);
      }),
      { numRuns: 400 },
    );
  });

  test('planFeed ends in a status for any plan that begins like a sound one', () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 64 }), argument);
    const input = fc.record({
      words: fc.array(word, { minLength: PLAN_WORDS, maxLength: PLAN_WORDS }),
      entries: fc.uint8Array({ minLength: 600, maxLength: 600 }),
      // Groups of images that there are, none, and others: little-endian words.
      groupOf: fc.array(fc.constantFrom([0, 0, 0, 0], [1, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [2, 0, 0, 0]), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(input, ({ words, entries, groupOf }) => {
        const plan = first;
        const at = plan + PLAN_WORDS * 4;
        memory.set(entries, at);
        // items, layouts (one without fields), index and bases of three images, attention, their groups, two needs, seed, table, two groups, verdicts
        const sound = [
          at, 64, at + 64, 16, at + 80, 3, at + 80 + 3 * IMAGE_WORDS * 4, at + 400, 64, 2, 0, at + 464, at + 476, 2, at + 540, at + 556, 4,
          at + 572, 2, at + 580,
        ];
        new Uint32Array(memory.buffer, plan, PLAN_WORDS).set(sound.map((word, index) => (words[index]! % 5 === 0 ? words[index]! : word)));
        new Uint32Array(memory.buffer, at + 64, 4).set([1, 0, 0, 0]);
        for (const [image, group] of groupOf.entries()) memory.set(group, at + 464 + image * 4);
        expect(exports.planFeed(plan)).toSatisfy(isStatus);
      }),
      { numRuns: 1_000 },
    );
  });

  test('planFeed refuses tables without an empty slot, and entries that point out of their regions', () => {
    const [items, layouts, index, bases] = [first + 96, first + 112, first + 128, first + 128 + 2 * IMAGE_WORDS * 4];
    const [attention, groupOf, needs, seed] = [bases + 24, bases + 48, bases + 56, bases + 56 + 2 * NEED_WORDS * 4];
    const [table, groups, verdicts] = [seed + 16, seed + 48, seed + 56];
    const put = (address: number, words: readonly number[]): void => new Uint32Array(memory.buffer, address, words.length).set(words);
    const planWith = (change: () => void, slots = 4): number => {
      put(first, [items, 16, layouts, 16, index, 2, bases, attention, 18, 1, 0, groupOf, needs, 2, seed, table, slots, groups, 2, verdicts]);
      put(layouts, [1, 7, 16, 0]);
      // Two images of one record; attention for another one.
      put(index, [0, 1, 2, 1, 1, 0, 1, 0, 0, 0, 1, 2, 1, 2, 0, 1, 0, 0]);
      memory.set([0x96, 0xa1, 0x61], items);
      put(attention, [7, 16, 2, 4]);
      memory.set([0xa1, 0x62], attention + 16);
      put(bases, [0, 0, 0, 0, 0, 0]);
      // The older image in a group that lacks a member, the newer one in one that is complete.
      put(groupOf, [0, 1]);
      put(needs, [0, NO_INDEX, 1, 1, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0]);
      put(groups, [0, 0]);
      change();
      return exports.planFeed(first);
    };
    expect(planWith(() => undefined)).toBe(STATUS_OK);
    expect([...memory.subarray(verdicts, verdicts + 2)]).toEqual([VERDICT_SUPERSEDED, VERDICT_MERGE]);
    expect([...new Uint32Array(memory.buffer, groups, 2)]).toEqual([ATTENTION_INCOMPLETE, 0]);
    expect(planWith(() => put(groupOf, [NO_INDEX, 0]))).toBe(STATUS_OK);
    expect([...memory.subarray(verdicts, verdicts + 2)]).toEqual([VERDICT_SUPERSEDED, VERDICT_INCOMPLETE]);
    for (const group of [2, 0x80000000, NO_INDEX - 1]) expect(planWith(() => put(groupOf, [group]))).toBe(STATUS_BAD_REGIONS);
    for (const group of [2, NO_INDEX]) expect(planWith(() => put(needs, [group]))).toBe(STATUS_BAD_REGIONS);
    for (const image of [2, NO_INDEX - 1]) expect(planWith(() => put(needs, [0, image]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_NEED_COUNT * 4, [3]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_NEED_COUNT * 4, [0x08000000]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_GROUP_COUNT * 4, [1]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_GROUP_COUNT * 4, [0x40000000]))).toBe(STATUS_BAD_REGIONS);
    for (const slots of [0, 1, 2, 3, 5, 6, 7]) expect(planWith(() => undefined, slots)).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(index, [1]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(index, [0, 15]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(index, [0, 0xfffffff0, 0x20]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(attention, [7, 17]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(attention, [7, 0xfffffff0, 0x20]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_ATTENTION_COUNT * 4, [2]))).toBe(STATUS_BAD_REGIONS);
    expect(planWith(() => put(first + PLAN_ATTENTION_COUNT * 4, [0x10000000]))).toBe(STATUS_BAD_REGIONS);
  });

  test('refuse regions below the first, beyond memory, out of order and overlapping', () => {
    const inOrder = [first, 8, first + 8] as const;
    expect(exports.scanMessage(...inOrder)).not.toBe(STATUS_BAD_REGIONS);
    for (const [message, messageBytes, result] of [
      [first - 1, 8, first + 8],
      [0, 8, first + 8],
      [first, 8, first + 7],
      [first + 16, 8, first],
      [first, PAGE, first + 8],
      [first, 0xffffffff, first + 8],
      [first, 8, PAGE - 7],
      [first, 8, PAGE],
      [0xffffffff, 1, 0],
      [first, 8, 0xffffffff],
    ] as const) {
      expect(exports.scanMessage(message, messageBytes, result)).toBe(STATUS_BAD_REGIONS);
    }
  });

  test('refuse masks whose bytes would wrap past 2^32', () => {
    const fields = 0x80000000, count = 16; // 16 masks of 2^28 bytes
    expect(exports.diffRows(first, 8, first + 8, 8, fields, count, first + 16, first + 16)).toBe(STATUS_BAD_REGIONS);
    expect(exports.checkEdits(first, first, 8, first + 8, 8, first + 16, 8, fields, count, first + 24, first + 24, first + 24)).toBe(STATUS_BAD_REGIONS);
  });

  test('refuse an edit to apply without room for both of its rows', () => {
    memory.set([0x01, 0x01, 0x91, 0x05, 0x91, 0x06], first);
    const applyInto = (rowBytes: number): number => exports.applyEdit(first, first + 1, first + 2, 2, first + 4, 2, 1, first + 6, rowBytes, first + 12);
    expect(applyInto(4)).toBe(STATUS_OK);
    expect([...memory.subarray(first + 6, first + 8)]).toEqual([0x91, 0x05]);
    expect(applyInto(3)).toBe(STATUS_BAD_REGIONS);
  });

  test('refuse a start behind the items, and layouts that point out of their region', () => {
    memory.fill(0, first); // zeros read as layouts without fields, wherever they lie
    const [items, layouts, result, index] = [first, first + 16, first + 64, first + 64 + RESULT_WORDS * 4];
    const put = (words: readonly number[]): void => new Uint32Array(memory.buffer, layouts, words.length).set(words);
    put([1, 0, 16, 4]);
    expect(exports.indexImages(items, 0, layouts, 20, result, index, 0, 0)).toBe(STATUS_OK);
    expect(exports.indexImages(items, 0, layouts, 20, result, index, 0, 1)).toBe(STATUS_BAD_REGIONS);
    expect(exports.indexImages(items, 0, layouts, 3, result, index, 0, 0)).toBe(STATUS_BAD_REGIONS);
    const typesOutside = [[1, 0, 17, 4], [1, 0, 16, 5], [1, 0, 0xffffffff, 1], [1, 0, 4, 0xffffffff]];
    const entriesOutside = [[2, 0, 16, 4], [0xffffffff, 0, 0, 0], [0x15555556, 0, 0, 0]];
    for (const words of [...typesOutside, ...entriesOutside]) {
      put(words);
      expect(exports.indexImages(items, 0, layouts, 20, result, index, 0, 0)).toBe(STATUS_BAD_REGIONS);
    }
  });

  test('stop before an item that the index has no room for, and go on from there', () => {
    const itemsAt = first, item = Uint8Array.of(0x96, 0, 0xa1, 0x61, 1, 1, 1, 0xc0);
    memory.set(item, itemsAt);
    memory.set(item, itemsAt + 8);
    const layouts = itemsAt + 16, result = layouts + 16, index = result + RESULT_WORDS * 4;
    new Uint32Array(memory.buffer, Math.ceil(layouts / 4) * 4, 4).set([1, 0, 16, 0]);
    const resultWords = new Uint32Array(memory.buffer, result, RESULT_WORDS);
    expect(exports.indexImages(itemsAt, 16, layouts, 16, result, index, IMAGE_WORDS * 8 - 1, 0)).toBe(STATUS_INDEX_FULL);
    expect([...resultWords.subarray(0, 2)]).toEqual([8, 1]);
    expect(exports.indexImages(itemsAt, 16, layouts, 16, result, index, IMAGE_WORDS * 4, 8)).toBe(STATUS_OK);
    expect([...resultWords.subarray(0, 2)]).toEqual([0, 1]);
  });

  test('answer the same whatever lies behind a region', () => {
    const input = anyImageItems.chain(({ layouts, items }) =>
      mutated(items).map((bytes) => ({ layouts: encodeLayouts(layouts, numberObjects(layouts)), items: bytes })),
    );
    fc.assert(
      fc.property(input, ({ layouts, items }) => {
        const answers = [0x00, 0x61, 0xc0, 0xff].map((filler) => {
          memory.fill(filler, first);
          const layoutsAt = first + items.length + 64;
          const result = Math.ceil((layoutsAt + layouts.length) / 4) * 4 + 64;
          const index = result + RESULT_WORDS * 4;
          memory.set(items, first);
          memory.set(layouts, layoutsAt);
          const status = exports.indexImages(first, items.length, layoutsAt, layouts.length, result, index, IMAGE_WORDS * 4 * 10, 0);
          const scanned = exports.scanMessage(first, items.length, layoutsAt);
          return [status, [...new Uint32Array(memory.buffer, result, 2)], scanned];
        });
        for (const answer of answers) expect(answer).toEqual(answers[0]);
      }),
      { numRuns: 300 },
    );
  });
});

function isStatus(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= STATUS_OK && value <= STATUS_INDEX_FULL;
}
