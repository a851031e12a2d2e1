import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { createWasmCore, type CoreDiagnostic } from '../../src/core/wasm-core.ts';
import type { CoreExports } from '../../src/core/wasm-exports.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { NO_VERSION } from '../../src/protocol/version.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { readTable } from './read-table.ts';

const LAYOUT = createLayout('order', [{ name: 'name', type: 'text' }, { name: 'amount', type: 'integer' }]);
const small = encodeRow(LAYOUT, { name: 'a', amount: 1 }), other = encodeRow(LAYOUT, { name: 'b', amount: 1 });
const large = encodeRow(LAYOUT, { name: 'x'.repeat(400_000), amount: 1 });
const edit = { mask: Uint8Array.of(1), previous: Uint8Array.of(0x91, 0xa1, 0x61), next: Uint8Array.of(0x91, 0xa1, 0x63) };
const image: Image = { layout: 0, id: 'order', version: [1, 1], state: 'live', row: small };
const images = Array.from({ length: 3_000 }, (_, index): Image => ({ ...image, id: `order ${index}` }));
const items = encodeImages(images);
const baseVersions = images.map(() => NO_VERSION);

/** One call of each kind, some larger than the memory that an instance begins with. */
const CALLS: Readonly<Record<string, (core: Core) => unknown>> = {
  scanMessage: (core) => core.scanMessage(large),
  readImages: (core) => readTable(core.readImages(items, [LAYOUT])),
  validateRow: (core) => core.validateRow(LAYOUT, large),
  diffRows: (core) => core.diffRows(LAYOUT, small, other),
  diffBatch: (core) => core.diffBatch(LAYOUT, 1, small, large),
  checkEdit: (core) => core.checkEdit(LAYOUT, edit, small),
  applyEdit: (core) => core.applyEdit(LAYOUT, edit, edit.mask, large.slice()),
  planFeed: (core) => core.planFeed({ items, layouts: [LAYOUT], baseVersions, attention: [], replace: 'newer' }),
};

const trapped = expect.objectContaining({ code: 'CORE_TRAPPED' }) as Error;

const wasm = new WebAssembly.Module(readFileSync('build/core.wasm'));
const twin = createTwinCore();

function instantiate(): CoreExports {
  return new WebAssembly.Instance(wasm).exports as unknown as CoreExports;
}

interface Harness {
  readonly core: Core;
  readonly diagnostics: CoreDiagnostic[];
  readonly instances: CoreExports[];
}

/** A core whose instances are each prepared by the test. */
function createHarness(prepare: (instance: CoreExports, number: number) => CoreExports): Harness {
  const diagnostics: CoreDiagnostic[] = [], instances: CoreExports[] = [];
  const next = (): CoreExports => {
    instances.push(prepare(instantiate(), instances.length + 1));
    return instances.at(-1)!;
  };
  const core = createWasmCore({
    edition: WHOLE_EDITION,
    build: 'scalar',
    instance: next(),
    instantiate: next,
    loadTwin: async () => createTwinCore(),
    random: createSeededRandom(1),
    onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
  });
  return { core, diagnostics, instances };
}

/** The same instance, of which every export traps. */
function trapping(instance: CoreExports): CoreExports {
  const trap = (): never => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  const traps = Object.keys(instance).filter((name) => typeof instance[name as keyof CoreExports] === 'function').map((name) => [name, trap]);
  return { ...instance, ...Object.fromEntries(traps) } as CoreExports;
}

/** The same instance, of which growth is refused from the given time on. */
function refusingGrowth(instance: CoreExports, firstRefused: number): CoreExports {
  let growths = 0;
  return {
    ...instance,
    memory: {
      get buffer() {
        return instance.memory.buffer;
      },
      grow(pages) {
        growths++;
        if (growths >= firstRefused) throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
        return instance.memory.grow(pages);
      },
    },
  };
}

/** What a call answered, or what it threw. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown;
  }
}

/** Lets a twin that is being loaded arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

describe('the core over Wasm', () => {
  test.each(Object.entries(CALLS))('begins with one page of memory and grows for %s', (_, call) => {
    const { core, instances, diagnostics } = createHarness((instance) => instance);
    expect(instances[0]!.memory.buffer.byteLength).toBe(65_536);
    for (let time = 0; time < 3; time++) expect(call(core)).toEqual(call(twin));
    expect(diagnostics).toEqual([]);
  });

  test.each(Object.entries(CALLS))('makes %s again on a new instance when the first one trapped', (_, call) => {
    const { core, instances, diagnostics } = createHarness((instance, number) => (number === 1 ? trapping(instance) : instance));
    expect(call(core)).toEqual(call(twin));
    expect(diagnostics).toEqual([{ kind: 'trapped', answeredBy: 'scalar', cause: expect.any(WebAssembly.RuntimeError) as Error }]);
    expect(instances).toHaveLength(2);
  });

  test.each(Object.entries(CALLS))('lets the twin answer %s when every instance traps, as soon as it is loaded', async (_, call) => {
    const { core, diagnostics } = createHarness(trapping);
    expect(() => call(core)).toThrow(trapped);
    await settled();
    expect(call(core)).toEqual(call(twin));
    expect(diagnostics.map(({ answeredBy }) => answeredBy)).toEqual(['scalar', 'twin', 'scalar', 'twin']);
  });

  test('never asks an instance again that trapped', () => {
    const { core, instances, diagnostics } = createHarness((instance, number) => (number <= 2 ? trapping(instance) : instance));
    expect(() => core.diffRows(LAYOUT, small, other)).toThrow(trapped);
    for (let time = 0; time < 3; time++) expect(core.diffRows(LAYOUT, small, other)).toEqual(Uint8Array.of(1));
    expect(diagnostics).toHaveLength(2);
    expect(instances).toHaveLength(3);
  });

  test('asks for the twin again when it could not be loaded', async () => {
    let attempts = 0;
    const core = createWasmCore({
      edition: WHOLE_EDITION,
      build: 'scalar',
      instance: trapping(instantiate()),
      instantiate: () => trapping(instantiate()),
      loadTwin: async () => {
        attempts++;
        if (attempts === 1) throw new TypeError('Failed to fetch dynamically imported module');
        return createTwinCore();
      },
      random: createSeededRandom(1),
    });
    for (let time = 0; time < 2; time++) {
      expect(() => core.diffRows(LAYOUT, small, other)).toThrow(trapped);
      await settled();
    }
    expect(core.diffRows(LAYOUT, small, other)).toEqual(Uint8Array.of(1));
  });

  test('lets the twin answer when no new instance can be made', async () => {
    const diagnostics: CoreDiagnostic[] = [];
    const core = createWasmCore({
      edition: WHOLE_EDITION,
      build: 'scalar',
      instance: trapping(instantiate()),
      instantiate: () => {
        throw new RangeError('WebAssembly.Instance is disallowed on the main thread');
      },
      loadTwin: async () => createTwinCore(),
      random: createSeededRandom(1),
      onDiagnostic: (diagnostic) => diagnostics.push(diagnostic),
    });
    expect(() => core.diffRows(LAYOUT, small, other)).toThrow(trapped);
    await settled();
    expect(core.diffRows(LAYOUT, small, other)).toEqual(Uint8Array.of(1));
    expect(diagnostics.at(-1)).toMatchObject({ answeredBy: 'twin' });
  });

  test('takes a core that refuses its own regions for one that trapped', () => {
    const { core, diagnostics } = createHarness((instance, number) => (number === 1 ? { ...instance, diffRows: () => 16 } : instance));
    expect(core.diffRows(LAYOUT, small, other)).toEqual(Uint8Array.of(1));
    expect(diagnostics).toMatchObject([{ kind: 'trapped', answeredBy: 'scalar' }]);
  });

  test.each(Object.entries(CALLS))('answers %s or says that it cannot yet, whenever memory is refused', async (_, call) => {
    for (let firstRefused = 1; firstRefused <= 6; firstRefused++) {
      const { core, diagnostics } = createHarness((instance) => refusingGrowth(instance, firstRefused));
      const answer = outcomeOf(() => call(core));
      if (diagnostics.length === 0) expect(answer).toEqual(call(twin));
      else expect(answer).toEqual(trapped);
      await settled();
      expect(call(core)).toEqual(call(twin));
      for (const diagnostic of diagnostics) expect(diagnostic).toMatchObject({ kind: 'memory-refused', answeredBy: 'twin' });
    }
  });

  test('tells of refused memory once a call, and goes on with small ones', () => {
    const { core, diagnostics } = createHarness((instance) => refusingGrowth(instance, 1));
    expect(() => core.validateRow(LAYOUT, large)).toThrow(trapped);
    expect(diagnostics).toHaveLength(1);
    core.validateRow(LAYOUT, small);
    expect(diagnostics).toHaveLength(1);
  });

  test('lets an instance go that has become very large', () => {
    const { core, instances } = createHarness((instance) => instance);
    core.scanMessage(new Uint8Array(40 * 1024 * 1024));
    expect(instances).toHaveLength(1);
    core.validateRow(LAYOUT, small);
    expect(instances).toHaveLength(2);
    expect(instances[1]!.memory.buffer.byteLength).toBe(65_536);
  });

  test('keeps its instance after a fault of the caller', () => {
    const { core, instances, diagnostics } = createHarness((instance) => instance);
    expect(() => core.diffRows(LAYOUT, small, Uint8Array.of(0xc0))).toThrow(expect.objectContaining({ code: 'CORE_INPUT_INVALID' }) as Error);
    expect(core.diffRows(LAYOUT, small, other)).toEqual(Uint8Array.of(1));
    expect([instances.length, diagnostics.length]).toEqual([1, 0]);
  });

  test('hands out answers that later calls leave alone', () => {
    const { core } = createHarness((instance) => instance);
    const table = core.readImages(items, [LAYOUT]);
    const applied = core.applyEdit(LAYOUT, edit, edit.mask, small);
    const kept = [readTable(table), applied.slice()];
    core.scanMessage(large);
    core.diffRows(LAYOUT, large, small);
    expect([readTable(table), applied]).toEqual(kept);
  });
});
