import { CHANGE_WORDS, IMAGE_WORDS, NEED_WORDS, NO_INDEX, PLAN_WORDS, RESULT_COUNT, RESULT_OFFSET, RESULT_SECOND_OFFSET, RESULT_THIRD_OFFSET, RESULT_WORDS } from '../../assembly/layout.ts';
import type { Layout } from '../protocol/layout.ts';
import { framedWindows, runInWindows, type WindowStep } from './batch-windows.ts';
import { createChangeTable } from './change-table.ts';
import { requireEditMasks, requireEnds, requirePlan } from './core-input.ts';
import { encodeAttention, encodeBases, encodeLayouts, encodeNeeds, numberObjects } from './core-regions.ts';
import { VERDICTS, type ChangeTable, type Core, type CoreBuild, type CoreRefusal, type EditCheck, type EditValues, type FeedPlan, type FeedPlanInput, type RowEnds } from './core.ts';
import { DEVICE_EDITION, DeviceSession, requireRows, requireSound, RESULT_BYTES, type IndexedItems } from './device-session.ts';
import { loadTwin } from './load-twin.ts';
import { hasFields, maskByteLength } from './masks.ts';
import type { CoreEdition } from './wasm-core.ts';
import type { CoreExports } from './wasm-exports.ts';

/** All of the core: for servers, tests and benchmarks. It is not inlined anywhere, so bytes or a module must be given. */
export const WHOLE_EDITION: CoreEdition<Core> = {
  calls: [...DEVICE_EDITION.calls, 'planFeed', 'readChanges', 'validateRow', 'diffBatch', 'checkEdit', 'checkBatch'],
  openSession: (build, exports, seed) => new WasmSession(build, exports as CoreExports, seed),
  loadTwin,
};

/** Answers what servers ask besides. */
export class WasmSession extends DeviceSession implements Core {
  readonly #seed: Uint8Array;

  /** @param seed - the secret key of hash tables. */
  constructor(build: CoreBuild, exports: CoreExports, seed: Uint8Array) {
    super(build, exports);
    this.#seed = seed;
  }

  planFeed(input: FeedPlanInput): FeedPlan | CoreRefusal {
    const objects = numberObjects(input.layouts);
    this.arena.begin();
    const plan = this.arena.reserve(PLAN_WORDS * 4);
    const indexed = this.index('indexImages', IMAGE_WORDS, input.items, encodeLayouts(input.layouts, objects));
    if ('ok' in indexed) return indexed;
    requirePlan(indexed.count, input);
    const verdicts = this.#placePlan(plan, indexed, input, objects);
    requireSound(this.exports.planFeed(plan));
    return { ok: true, verdicts: Array.from(this.arena.bytes(verdicts, indexed.count), (verdict) => VERDICTS[verdict]!) };
  }

  /** Places what a plan needs beside the index, fills in the plan itself and returns where its verdicts will be. */
  #placePlan(plan: number, indexed: IndexedItems, input: FeedPlanInput, objects: ReadonlyMap<string, number>): number {
    const arena = this.arena;
    const { attention, groups = [], groupOf = Array<number>(indexed.count).fill(NO_INDEX) } = input;
    const care = encodeAttention(attention, objects);
    const needs = encodeNeeds(groups);
    const slots = tableSlots(indexed.count);
    const bases = arena.placeWords(encodeBases(input.baseVersions));
    const attentionAt = arena.place(care.region);
    const groupOfAt = arena.placeWords(groupOf);
    const needsAt = arena.placeWords(needs);
    const seed = arena.place(this.#seed);
    const table = arena.reserve(slots * 4);
    const groupsAt = arena.placeWords(groups.map(({ flags }) => flags));
    const verdicts = arena.reserve(indexed.count);
    // In the order that assembly/layout.ts draws.
    arena.words(plan, PLAN_WORDS).set([
      indexed.items, input.items.length, indexed.layouts, indexed.layoutsBytes, indexed.index, indexed.count,
      bases, attentionAt, care.region.length, care.count, input.replace === 'newer-or-equal' ? 1 : 0,
      groupOfAt, needsAt, needs.length / NEED_WORDS, seed, table, slots, groupsAt, groups.length, verdicts,
    ]);
    return verdicts;
  }

  validateRow(layout: Layout, row: Uint8Array): { readonly ok: true } | CoreRefusal {
    this.arena.begin();
    const types = this.arena.place(layout.types);
    const at = this.arena.place(row);
    const result = this.arena.reserve(RESULT_BYTES);
    return this.judge(this.exports.validateRow(types, layout.types.length, at, row.length, result), result);
  }

  readChanges(items: Uint8Array, layouts: readonly Layout[]): ChangeTable | CoreRefusal {
    this.arena.begin();
    const indexed = this.index('indexChanges', CHANGE_WORDS, items, encodeLayouts(layouts, numberObjects(layouts)));
    return 'ok' in indexed ? indexed : createChangeTable(items, this.arena.words(indexed.index, indexed.count * CHANGE_WORDS).slice());
  }

  diffBatch(layout: Layout, count: number, before: Uint8Array, after: Uint8Array, ends?: RowEnds): Uint8Array {
    if (ends !== undefined) return this.#diffFramed(layout, count, before, after, ends);
    const { arena } = this;
    const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
    const masks = new Uint8Array(count * maskBytes);
    runInWindows([before, after], count, ([left, right], most, done) => {
      arena.begin();
      const beforeAt = arena.place(left!);
      const afterAt = arena.place(right!);
      const masksAt = arena.reserve(most * maskBytes);
      const result = arena.reserve(RESULT_BYTES);
      const status = this.exports.diffRows(beforeAt, left!.length, afterAt, right!.length, fieldCount, most, masksAt, result);
      const step = this.#windowStep(status, result);
      masks.set(arena.bytes(masksAt, step.done * maskBytes), done * maskBytes);
      return step;
    });
    return masks;
  }

  checkEdit(layout: Layout, edit: EditValues, current: Uint8Array): EditCheck {
    return this.checkBatch(layout, 1, edit, current);
  }

  checkBatch(layout: Layout, count: number, edits: EditValues, current: Uint8Array): EditCheck {
    requireEditMasks(layout, count, edits.mask);
    const { arena } = this;
    const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
    const conflicts = new Uint8Array(edits.mask.length), writes = new Uint8Array(edits.mask.length);
    runInWindows([edits.previous, edits.next, current], count, ([previous, next, rows], most, done) => {
      arena.begin();
      const masksAt = arena.place(edits.mask.subarray(done * maskBytes, (done + most) * maskBytes));
      const previousAt = arena.place(previous!);
      const nextAt = arena.place(next!);
      const rowsAt = arena.place(rows!);
      const conflictsAt = arena.reserve(most * maskBytes);
      const writesAt = arena.reserve(most * maskBytes);
      const result = arena.reserve(RESULT_BYTES);
      const status = this.exports.checkEdits(
        masksAt, previousAt, previous!.length, nextAt, next!.length, rowsAt, rows!.length, fieldCount, most, conflictsAt, writesAt, result,
      );
      const step = this.#windowStep(status, result);
      conflicts.set(arena.bytes(conflictsAt, step.done * maskBytes), done * maskBytes);
      writes.set(arena.bytes(writesAt, step.done * maskBytes), done * maskBytes);
      return step;
    });
    return { conflicts, writes, hasConflicts: hasFields(conflicts), hasWrites: hasFields(writes) };
  }

  #diffFramed(layout: Layout, count: number, before: Uint8Array, after: Uint8Array, ends: RowEnds): Uint8Array {
    requireEnds(count, before, after, ends);
    const { arena } = this;
    const fieldCount = layout.types.length, maskBytes = maskByteLength(fieldCount);
    const masks = new Uint8Array(count * maskBytes);
    for (const { from, to, leftFrom, leftTo, rightFrom, rightTo } of framedWindows(count, ends)) {
      arena.begin();
      const beforeAt = arena.place(before.subarray(leftFrom, leftTo));
      const afterAt = arena.place(after.subarray(rightFrom, rightTo));
      const endsAt = arena.placeWords(ends.before.subarray(from, to));
      const pairs = to - from;
      arena.extend(pairs * 4);
      arena.words(endsAt + pairs * 4, pairs).set(ends.after.subarray(from, to));
      const masksAt = arena.reserve(pairs * maskBytes);
      const result = arena.reserve(RESULT_BYTES);
      requireRows(this.exports.diffFramed(
        beforeAt, leftTo - leftFrom, leftFrom, afterAt, rightTo - rightFrom, rightFrom, endsAt, fieldCount, pairs, masksAt, result,
      ));
      masks.set(arena.bytes(masksAt, pairs * maskBytes), from * maskBytes);
    }
    return masks;
  }

  #windowStep(status: number, result: number): WindowStep {
    requireSound(status);
    const words = this.arena.words(result, RESULT_WORDS);
    return { status, done: words[RESULT_COUNT]!, offsets: [words[RESULT_OFFSET]!, words[RESULT_SECOND_OFFSET]!, words[RESULT_THIRD_OFFSET]!] };
  }
}

/** Slots of a hash table at most half full: a power of two. */
function tableSlots(count: number): number {
  return 2 ** Math.ceil(Math.log2(count * 2 + 2));
}
