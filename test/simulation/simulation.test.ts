import { describe, expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runSeed } from './run-seed.ts';
import { createTrace } from './trace.ts';

/** The many seeds run in a part of their own (`npm run simulate`); this is about the simulation itself. */
describe('the simulation', () => {
  test.each([3, 7, 11])('repeats seed %i to the byte', async (seed) => {
    const [first, second] = [await runSeed({ seed, trace: createTrace({ isHashed: true }) }), await runSeed({ seed, trace: createTrace({ isHashed: true }) })];
    expect(first.violation).toBeNull();
    expect(first.saves).toBeGreaterThan(0);
    expect([second.trace.hash(), second.saves, second.requests, second.virtualMs]).toEqual([first.trace.hash(), first.saves, first.requests, first.virtualMs]);
  });

  test('gives each seed a run of its own', async () => {
    const hashes = await Promise.all([1, 2].map(async (seed) => (await runSeed({ seed, trace: createTrace({ isHashed: true }) })).trace.hash()));
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test('stops at the first broken promise, names it, and shows what led there', async () => {
    const { violation, trace } = await runSeed({ seed: 1, rules: PLANTED_BUGS['no-comparison']!.rules });
    expect(violation).toMatchObject({ rule: 'silent-overwrite', message: expect.stringContaining('never saw') as string });
    expect(trace.tail(2)).toEqual([expect.stringContaining('server  commit'), expect.stringContaining('oracle  silent-overwrite')]);
  });

  test('has at least a dozen bugs planted, each with the mistake in words', () => {
    expect(Object.keys(PLANTED_BUGS).length).toBeGreaterThanOrEqual(12);
    for (const { mistake } of Object.values(PLANTED_BUGS)) expect(mistake).toMatch(/^[A-Z]\d+(, [A-Z]\d+)*: /);
  });
});
