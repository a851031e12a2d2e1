import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PLAN_SEED, PLAN_TABLE, PLAN_TABLE_SLOTS, PLAN_WORDS, SEED_BYTES } from '../../assembly/layout.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { createWasmCore } from '../../src/core/wasm-core.ts';
import type { CoreExports } from '../../src/core/wasm-exports.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { NO_VERSION } from '../../src/protocol/version.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { countLoads, type Loads } from './count-loads.ts';

// A user who chooses the ids of a batch must not be able to make its plan slow. The cost is counted, not timed: loads from the hash
// table are probes.

const LAYOUT = createLayout('order', []);
const RECORDS = 256;
const wasm = readFileSync('build/core.wasm');
/** The seed that an attacker knows: none. */
const KNOWN_SEED = new Uint8Array(SEED_BYTES);

const plainIds = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `0198c2f0-77aa-7000-8000-${String(from + index).padStart(12, '0')}`);

function planOf(ids: readonly string[]) {
  const images = ids.map((id, index): Image => ({ layout: 0, id, version: [1, index + 1], state: 'deleted', row: null }));
  return { items: encodeImages(images), layouts: [LAYOUT], baseVersions: ids.map(() => NO_VERSION), attention: [], replace: 'newer' as const };
}

/** The words of the plan that a session asks for. */
type PlanCall = (plan: Uint32Array, makePlan: () => number) => number;

function sessionOf(exports: CoreExports, seed: Uint8Array, planCall: PlanCall) {
  const planFeed = (plan: number): number => planCall(new Uint32Array(exports.memory.buffer, plan, PLAN_WORDS).slice(), () => exports.planFeed(plan));
  const watched: CoreExports = { ...exports, planFeed };
  return WHOLE_EDITION.openSession('scalar', watched, seed);
}

/** Ids that all want one slot of the table, or one close by, under the seed that is known. */
function craftIds(): string[] {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as CoreExports;
  const ids: string[] = [];
  let tableSlots = 0, slotOf: number[] = [];
  const session = sessionOf(exports, KNOWN_SEED, (plan, makePlan) => {
    const status = makePlan();
    tableSlots = plan[PLAN_TABLE_SLOTS]!;
    // A slot holds the number of its image plus one.
    new Uint32Array(exports.memory.buffer, plan[PLAN_TABLE], tableSlots).forEach((image, slot) => image !== 0 && (slotOf[image - 1] = slot));
    return status;
  });
  session.planFeed(planOf(plainIds(RECORDS)));
  const wantedSlots = tableSlots;
  for (let from = 0; ids.length < RECORDS; from += 4_000) {
    const candidates = plainIds(4_000, from);
    slotOf = [];
    session.planFeed(planOf(candidates));
    ids.push(...candidates.filter((_, index) => slotOf[index]! % wantedSlots === 7));
  }
  return ids.slice(0, RECORDS);
}

describe('ids that were crafted to collide', () => {
  const counted = countLoads(wasm);
  const crafted = craftIds(), ordinary = plainIds(RECORDS);

  /** What it costs to plan a batch of these ids. */
  function costOf(ids: readonly string[], seed: Uint8Array): Loads {
    let cost: Loads = { all: 0, watched: 0 };
    const session = sessionOf(counted.exports, seed, (plan, makePlan) => {
      let status = -1;
      const table = plan[PLAN_TABLE]!;
      cost = counted.count(() => void (status = makePlan()), table, table + plan[PLAN_TABLE_SLOTS]! * 4);
      return status;
    });
    expect(session.planFeed(planOf(ids))).toEqual({ ok: true, verdicts: ids.map(() => 'merge') });
    return cost;
  }

  test('are slow where the seed of the hash table is known', () => {
    expect(costOf(crafted, KNOWN_SEED).watched).toBeGreaterThan(20 * costOf(ordinary, KNOWN_SEED).watched);
    expect(costOf(crafted, KNOWN_SEED).all).toBeGreaterThan(10 * costOf(ordinary, KNOWN_SEED).all);
  });

  test('cost at most twice what others do under a seed that is random', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const bytes = createSeededRandom(seed).bytes(SEED_BYTES);
      const cost = costOf(crafted, bytes), usual = costOf(ordinary, bytes);
      expect(cost.watched).toBeLessThanOrEqual(2 * usual.watched);
      expect(cost.all).toBeLessThanOrEqual(2 * usual.all);
    }
  });

  test('meet another seed in each core, drawn from its source of randomness', () => {
    const seeds = [1, 2].map((number) => {
      const exports = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as CoreExports;
      let seed = new Uint8Array(0);
      const planFeed = (plan: number): number => {
        const at = new Uint32Array(exports.memory.buffer, plan, PLAN_WORDS)[PLAN_SEED]!;
        seed = new Uint8Array(exports.memory.buffer, at, SEED_BYTES).slice();
        return exports.planFeed(plan);
      };
      const watched: CoreExports = { ...exports, planFeed };
      const core = createWasmCore({
        edition: WHOLE_EDITION, build: 'scalar', instance: watched, instantiate: () => watched, loadTwin: async () => createTwinCore(), random: createSeededRandom(number),
      });
      core.planFeed(planOf(ordinary));
      expect(seed).toEqual(createSeededRandom(number).bytes(SEED_BYTES));
      return seed;
    });
    expect(seeds[0]).not.toEqual(seeds[1]);
  });
});
