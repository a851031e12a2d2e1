import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ATTENTION_ID_AT, ATTENTION_ID_BYTES, IMAGE_ID_AT, IMAGE_ID_BYTES, IMAGE_LAYOUT, NEED_GROUP, NEED_IMAGE, PLAN_ATTENTION_BYTES, PLAN_ATTENTION_COUNT, PLAN_COUNT,
  PLAN_GROUP_COUNT, PLAN_GROUPS, PLAN_ITEMS_BYTES, PLAN_LAYOUTS_BYTES, PLAN_NEED_COUNT, PLAN_TABLE, PLAN_TABLE_SLOTS, PLAN_VERDICTS, RESULT_WORDS,
  STATUS_BAD_REGIONS, STATUS_INDEX_FULL, STATUS_OK,
} from '../../assembly/layout.ts';
import type { CoreExports } from '../../src/core/wasm-exports.ts';

// Every count and length of every export, and of the tables that they read, at the ends of 32 bits: a status, and nothing written but
// what was asked for.

const PAGE = 65_536;
const RESULT_BYTES = RESULT_WORDS * 4;

const ENTRY_BYTES = [4, 8, 12, 16, 32, 36, 52, 65_536];
/** The ends of 31 and 32 bits, and what wraps past 2^32, or nearly, when it is multiplied by the bytes of an entry. */
const TELLING = [
  0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
  ...[2, 3, 7, 8, 15, 16, 31, 36, 63, 64, PAGE - 1, PAGE, PAGE + 1].map((less) => 2 ** 32 - less),
  ...ENTRY_BYTES.flatMap((bytes) => [Math.ceil(2 ** 32 / bytes), Math.ceil(2 ** 32 / bytes) - 1, Math.ceil(2 ** 31 / bytes)]),
];

type Span = readonly [at: number, byteLength: number];

/** A call that goes well as it stands. Numbers that say how much there is are named by place: arguments, or words of the memory. */
interface SoundCall {
  readonly args: readonly number[];
  readonly memory: readonly (readonly [at: number, bytes: readonly number[]])[];
  readonly counts: readonly number[];
  /** Addresses of words that are counts, lengths, offsets or indices. */
  readonly words: readonly number[];
  /** What the call may write, given its arguments and the words of memory. */
  answers(args: readonly number[], wordAt: (address: number) => number): readonly Span[];
}

const maskBytes = (fieldCount: number): number => Math.ceil(fieldCount / 8);
const bytesOf = (...words: readonly number[]): number[] => [...new Uint8Array(Uint32Array.from(words).buffer)];

/** @param first - where the first region may begin. */
function soundCalls(first: number): Record<Exclude<keyof CoreExports, 'memory' | 'regionsBegin'>, SoundCall> {
  const at = (offset: number): number => first + offset;
  const image = [0x96, 0, 0xa1, 0x61, 1, 1, 0, 0x91, 5], change = [0x98, 0, 0xa1, 0x61, 1, 1, 1, 0xc4, 1, 1, 0x91, 5, 0x91, 6];
  // One layout of one whole number.
  const layouts = [...bytesOf(1, 7, 16, 1), 3];
  const indexing = (item: readonly number[]): SoundCall => ({
    args: [at(0), item.length, at(16), layouts.length, at(40), at(56), 512, 0],
    memory: [[at(0), item], [at(16), layouts]],
    counts: [1, 3, 6, 7],
    words: [at(16), at(16 + 8), at(16 + 12)],
    answers: ([, , , , result, index, indexBytes]) => [[result!, RESULT_BYTES], [index!, indexBytes!]],
  });
  const plan = { items: at(96), layouts: at(112), index: at(136), bases: at(176), attention: at(192), groupOf: at(216), needs: at(224), seed: at(256), table: at(272), groups: at(288), verdicts: at(292) };
  return {
    scanMessage: { args: [at(0), 3, at(8)], memory: [[at(0), [0x92, 1, 2]]], counts: [1], words: [], answers: ([, , result]) => [[result!, RESULT_BYTES]] },
    validateRow: {
      args: [at(0), 2, at(8), 3, at(16)], memory: [[at(0), [3, 3]], [at(8), [0x92, 5, 6]]], counts: [1, 3], words: [], answers: (args) => [[args[4]!, RESULT_BYTES]],
    },
    indexImages: indexing(image),
    indexChanges: indexing(change),
    diffRows: {
      args: [at(0), 2, at(8), 2, 1, 1, at(16), at(24)], memory: [[at(0), [0x91, 5]], [at(8), [0x91, 6]]], counts: [1, 3, 4, 5], words: [],
      answers: ([, , , , fieldCount, count, masks, result]) => [[masks!, maskBytes(fieldCount!) * count!], [result!, RESULT_BYTES]],
    },
    diffFramed: {
      args: [at(0), 2, 0, at(8), 2, 0, at(16), 1, 1, at(24), at(32)], memory: [[at(0), [0x91, 5]], [at(8), [0x91, 6]], [at(16), bytesOf(2, 2)]], counts: [1, 2, 4, 5, 7, 8],
      words: [at(16), at(20)], answers: (args) => [[args[9]!, maskBytes(args[7]!) * args[8]!], [args[10]!, RESULT_BYTES]],
    },
    checkEdits: {
      args: [at(0), at(8), 2, at(16), 2, at(24), 2, 1, 1, at(32), at(40), at(48)],
      memory: [[at(0), [1]], [at(8), [0x91, 5]], [at(16), [0x91, 6]], [at(24), [0x91, 5]]], counts: [2, 4, 6, 7, 8], words: [],
      answers: (args) => [[args[9]!, maskBytes(args[7]!) * args[8]!], [args[10]!, maskBytes(args[7]!) * args[8]!], [args[11]!, RESULT_BYTES]],
    },
    applyEdit: {
      args: [at(0), at(8), at(16), 2, at(24), 2, 1, at(32), 8, at(40)],
      memory: [[at(0), [1]], [at(8), [1]], [at(16), [0x91, 6]], [at(24), [0x91, 5]]], counts: [3, 5, 6, 8], words: [],
      answers: (args) => [[args[7]!, args[8]!], [args[9]!, RESULT_BYTES]],
    },
    planFeed: {
      args: [at(0)],
      memory: [
        [at(0), bytesOf(plan.items, 9, plan.layouts, layouts.length, plan.index, 1, plan.bases, plan.attention, 18, 1, 0, plan.groupOf, plan.needs, 1, plan.seed, plan.table, 4, plan.groups, 1, plan.verdicts)],
        [plan.items, image], [plan.layouts, layouts], [plan.index, bytesOf(0, 2, 2, 1, 1, 0, 0, 7, 2)], [plan.bases, bytesOf(0, 0, 0)],
        [plan.attention, [...bytesOf(7, 16, 2, 4), 0xa1, 0x61]], [plan.groupOf, bytesOf(0)], [plan.needs, bytesOf(0, 0, 1, 1, 0, 0, 0, 0)], [plan.groups, bytesOf(0)],
      ],
      counts: [],
      words: [
        ...[PLAN_ITEMS_BYTES, PLAN_LAYOUTS_BYTES, PLAN_COUNT, PLAN_ATTENTION_BYTES, PLAN_ATTENTION_COUNT, PLAN_NEED_COUNT, PLAN_TABLE_SLOTS, PLAN_GROUP_COUNT].map((word) => at(word * 4)),
        plan.layouts, plan.layouts + 8, plan.layouts + 12, plan.groupOf,
        ...[IMAGE_LAYOUT, IMAGE_ID_AT, IMAGE_ID_BYTES].map((word) => plan.index + word * 4),
        ...[ATTENTION_ID_AT, ATTENTION_ID_BYTES].map((word) => plan.attention + word * 4),
        ...[NEED_GROUP, NEED_IMAGE].map((word) => plan.needs + word * 4),
      ],
      answers: ([block], wordAt) => {
        const word = (index: number): number => wordAt(block! + index * 4);
        return [[word(PLAN_TABLE), word(PLAN_TABLE_SLOTS) * 4], [word(PLAN_GROUPS), word(PLAN_GROUP_COUNT) * 4], [word(PLAN_VERDICTS), word(PLAN_COUNT)]];
      },
    },
  };
}

describe.each(['core.wasm', 'core.simd.wasm', 'core.debug.wasm'])('counts and lengths near 2^32 in %s', (file) => {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(`build/${file}`))).exports as unknown as CoreExports;
  const memory = new Uint8Array(exports.memory.buffer), view = new DataView(exports.memory.buffer);
  const first = exports.regionsBegin.value;
  const tables = memory.slice(0, first);
  const wordAt = (address: number): number => view.getUint32(address, true);

  const before = new Uint8Array(PAGE);

  /** What is wrong with memory after a call that may have written so much. */
  function problemOf(status: number, answers: readonly Span[]): string | undefined {
    if (!Number.isInteger(status) || status < STATUS_OK || status > STATUS_INDEX_FULL) return `${status} is no status`;
    for (const [at, byteLength] of answers) {
      if (at < first || at + byteLength > PAGE) return `a region outside of memory was taken: ${byteLength} bytes at ${at}`;
      before.set(memory.subarray(at, at + byteLength), at);
    }
    return Buffer.compare(memory.subarray(first), before.subarray(first)) === 0 ? undefined : 'bytes that nobody asked for were written';
  }

  /** Makes a call with some of its numbers changed, and judges it. */
  function call(name: keyof ReturnType<typeof soundCalls>, sound: SoundCall, changes: readonly Change[]): number {
    memory.fill(0xa5, first);
    for (const [at, bytes] of sound.memory) memory.set(bytes, at);
    const args = [...sound.args];
    for (const { place, value } of changes) {
      if (place.kind === 'argument') args[place.index] = value;
      else view.setUint32(place.index, value, true);
    }
    before.set(memory);
    const status = (exports[name] as (...args: readonly number[]) => number)(...args);
    const problem = problemOf(status, status === STATUS_BAD_REGIONS ? [] : sound.answers(args, wordAt));
    // Not an expectation for each of a hundred thousand calls, which would be most of the time.
    if (problem !== undefined) expect.unreachable(`${name} with ${JSON.stringify(changes)}: ${problem}`);
    return status;
  }

  test.each(Object.entries(soundCalls(first)) as [keyof ReturnType<typeof soundCalls>, SoundCall][])('%s ends in a status, and writes what was asked for', (name, sound) => {
    expect(call(name, sound, [])).toBe(STATUS_OK);
    const places: Place[] = [...sound.counts.map((index) => ({ kind: 'argument', index }) as const), ...sound.words.map((index) => ({ kind: 'word', index }) as const)];
    const seen = new Set<number>();
    for (const place of places) {
      for (const value of TELLING) {
        seen.add(call(name, sound, [{ place, value }]));
        for (const other of places) if (other !== place) for (const otherValue of TELLING.slice(0, 5)) call(name, sound, [{ place, value }, { place: other, value: otherValue }]);
      }
    }
    expect(seen).toContain(STATUS_BAD_REGIONS);
    // What the module keeps for itself is what it was: it still tells a message from none.
    expect(call('scanMessage', soundCalls(first).scanMessage, [])).toBe(STATUS_OK);
    expect(tables.every((byte, at) => byte === 0 || byte === memory[at])).toBe(true);
  });
});

interface Place {
  readonly kind: 'argument' | 'word';
  readonly index: number;
}

interface Change {
  readonly place: Place;
  readonly value: number;
}
