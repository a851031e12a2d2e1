import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { createWasmCore, type CoreDiagnostic } from '../../src/core/wasm-core.ts';
import type { CoreExports } from '../../src/core/wasm-exports.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CORE_CALLS, digestOf, manyOf, outcomeOf, sampleMessages } from './core-calls.ts';

// Hosts refuse memory when a device is short of it, at any growth of any call.

const wasm = new WebAssembly.Module(readFileSync('build/core.wasm'));
const twin = createTwinCore();
/** Long enough that each call grows several times. */
const LONG = manyOf(4_000, 200_000);
const [SHORT] = sampleMessages(11);
/** More growths than any call needs. */
const MOST_GROWTHS = 64;

/** Which growths are refused, counted over all instances from 1 up. */
type Refusal = (growth: number) => boolean;

/** A core of which some growths are refused. */
class Host {
  readonly core: Core;
  readonly diagnostics: CoreDiagnostic[] = [];
  growths = 0;
  refused = 0;

  constructor(isRefused: Refusal) {
    const instantiate = (): CoreExports => this.#withRefusals(new WebAssembly.Instance(wasm).exports as unknown as CoreExports, isRefused);
    this.core = createWasmCore({
      edition: WHOLE_EDITION,
      build: 'scalar',
      instance: instantiate(),
      instantiate,
      loadTwin: async () => createTwinCore(),
      random: createSeededRandom(1),
      onDiagnostic: (diagnostic) => this.diagnostics.push(diagnostic),
    });
  }

  #withRefusals(exports: CoreExports, isRefused: Refusal): CoreExports {
    const grow = (pages: number): number => {
      this.growths++;
      if (!isRefused(this.growths)) return exports.memory.grow(pages);
      this.refused++;
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    };
    return { ...exports, memory: { get buffer() { return exports.memory.buffer; }, grow } };
  }
}

const cannotYet = { thrown: 'SyncFault', code: 'CORE_TRAPPED', message: expect.any(String) as string };

describe.each(Object.entries(CORE_CALLS))('memory refused within %s', (_, call) => {
  const expected = digestOf(outcomeOf(() => call(twin, LONG)));
  const given = digestOf(LONG);

  test('once, at any growth, is a fault that says so, and the next call answers', () => {
    let growth = 1;
    for (; growth < MOST_GROWTHS; growth++) {
      const host = new Host((number) => number === growth);
      const outcome = outcomeOf(() => call(host.core, LONG));
      if (host.refused === 0) break;
      expect(outcome).toEqual(cannotYet);
      expect(host.diagnostics).toMatchObject([{ kind: 'memory-refused', answeredBy: 'twin' }]);
      // Without the twin, which nobody has waited for: the instance is another one.
      expect(digestOf(outcomeOf(() => call(host.core, LONG)))).toBe(expected);
      expect(host.diagnostics).toHaveLength(1);
    }
    expect(growth).toBeGreaterThan(1);
    expect(growth).toBeLessThan(MOST_GROWTHS);
    // Nothing half: what was given is as it was.
    expect(digestOf(LONG)).toBe(given);
  });

  test('from any growth on leaves short messages to Wasm and long ones to the twin', async () => {
    for (let growth = 1; growth < MOST_GROWTHS; growth++) {
      const host = new Host((number) => number >= growth);
      const outcome = outcomeOf(() => call(host.core, LONG));
      if (host.refused === 0) break;
      expect(outcome).toEqual(cannotYet);
      expect(outcomeOf(() => call(host.core, SHORT!))).toEqual(outcomeOf(() => call(twin, SHORT!)));
      expect(host.diagnostics).toHaveLength(1);
      await twinArrived();
      expect(digestOf(outcomeOf(() => call(host.core, LONG)))).toBe(expected);
      for (const other of Object.values(CORE_CALLS)) expect(outcomeOf(() => other(host.core, SHORT!))).toEqual(outcomeOf(() => other(twin, SHORT!)));
    }
    // Nothing half: what was given is as it was.
    expect(digestOf(LONG)).toBe(given);
  });
});

async function twinArrived(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}
