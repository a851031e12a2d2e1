import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import { loadCore } from '../../src/core/load-core.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import type { AnyEdit } from '../core/arbitraries.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CORE_CALLS, digestOf, manyOf, outcomeOf, sampleMessages, type Messages } from './core-calls.ts';
import { below, mutate } from './mutate.ts';

// Wasm against its twin: the same answer, and of what is refused the same status and the same offset, for bytes that are nearly right.

const random = createSeededRandom(5);
const twin = createTwinCore();
const MESSAGES = 60;
const MUTANTS_OF_EACH = 12;

/** Mutates what a call reads: one kind of bytes, or of an edit one of its parts. */
function mutant(messages: Messages, other: Messages): Messages {
  const of = (name: 'envelope' | 'images' | 'changes' | 'before' | 'after' | 'row' | 'other'): Uint8Array =>
    random.next() < 0.6 ? mutate(messages[name], other[name], random) : messages[name];
  const ofEdit = (edit: AnyEdit, otherEdit: AnyEdit): AnyEdit => {
    const part = (['mask', 'previous', 'next'] as const)[below(random, 3)]!;
    return random.next() < 0.6 ? { ...edit, [part]: mutate(edit[part], otherEdit[part], random) } : edit;
  };
  return {
    ...messages,
    envelope: of('envelope'), images: of('images'), changes: of('changes'), before: of('before'), after: of('after'), row: of('row'), other: of('other'),
    edits: ofEdit(messages.edits, other.edits), edit: ofEdit(messages.edit, other.edit),
  };
}

describe.each(['core.wasm', 'core.simd.wasm'])('%s beside its twin', async (file) => {
  const build = file === 'core.wasm' ? 'scalar' : 'simd';
  const onDiagnostic = ({ kind, cause }: { kind: string; cause: unknown }): void => expect.unreachable(`${kind}: ${String(cause)}`);
  const core: Core = await loadCore(WHOLE_EDITION, { build, bytes: readFileSync(`build/${file}`), random, onDiagnostic });
  const samples = sampleMessages(3, { messages: MESSAGES });

  test.each(Object.entries(CORE_CALLS))('%s answers mutated messages as the twin does', (_, call) => {
    let refused = 0;
    for (const [index, messages] of samples.entries()) {
      for (let time = 0; time < MUTANTS_OF_EACH; time++) {
        const bytes = mutant(messages, samples[(index + 1 + time) % samples.length]!);
        const expected = outcomeOf(() => call(twin, bytes));
        expect(outcomeOf(() => call(core, bytes))).toEqual(expected);
        if (isRefusal(expected)) refused++;
      }
    }
    // Neither all of them are refused at once, nor none at all.
    expect(refused).toBeGreaterThan(MESSAGES);
    expect(refused).toBeLessThan(MESSAGES * MUTANTS_OF_EACH);
  });

  test.each(Object.entries(CORE_CALLS))('%s answers long messages with a mutation somewhere as the twin does', (_, call) => {
    const many = manyOf(6_000, 100_000);
    expect(digestOf(outcomeOf(() => call(core, many)))).toBe(digestOf(outcomeOf(() => call(twin, many))));
    for (let time = 0; time < 10; time++) {
      const bytes = mutant(many, samples[time]!);
      const [answer, expected] = [core, twin].map((each) => outcomeOf(() => call(each, bytes)));
      if (isRefusal(expected)) expect(answer).toEqual(expected);
      else expect(digestOf(answer)).toBe(digestOf(expected));
    }
  });
});

function isRefusal(outcome: unknown): boolean {
  return typeof outcome === 'object' && outcome !== null && ('thrown' in outcome || ('ok' in outcome && outcome.ok === false));
}
