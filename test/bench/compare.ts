import { isAskedFor } from './options.ts';
import { measuredOf, reportComparison, type ComparisonReport } from './report.ts';
import { sampleOf, type Sample } from './samples.ts';

export interface BenchmarkCase {
  readonly name: string;
  /** One call does all the work that is compared; it may return a value to keep the engine from dropping it, or a promise to wait for. */
  readonly run: () => unknown;
  /** Brings back the state that each call starts from; not counted. */
  readonly prepare?: () => unknown;
  /** Items in one call, where it is not that of the whole comparison. */
  readonly items?: number;
  /** What a reader must know of it: what it does not do, or does besides. */
  readonly note?: string;
  /** Runs also when `--only` names others; the first case always does. */
  readonly isAlwaysRun?: boolean;
}

export interface Comparison {
  /** Names it in the docs: letters, digits and hyphens. @defaultValue the title's first word, in small letters */
  readonly id?: string;
  readonly title: string;
  /** Items in one call of each case: the table then shows the time for each. */
  readonly items?: number;
  /** Bytes read in one call: the table then shows GB/s, to hold beside a case that only copies them. */
  readonly byteLength?: number;
  /** The first case is the one the others are compared with. */
  readonly cases: readonly [BenchmarkCase, ...BenchmarkCase[]];
  /** Contenders that cannot run here, and why. */
  readonly skipped?: readonly { readonly name: string; readonly why: string }[];
  /** @defaultValue 9 */
  readonly rounds?: number;
}

/** Runs the cases in turn, round by round, so that a busy machine is as unkind to one as to another. Prints medians and ratios. */
export async function compare({ title, id = idOf(title), cases, rounds = 9, skipped = [], ...scale }: Comparison): Promise<ComparisonReport> {
  const asked = cases.filter(({ name, isAlwaysRun }, index) => index === 0 || isAlwaysRun === true || isAskedFor(name));
  const samples = asked.map((): Sample[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { run, prepare }] of asked.entries()) {
      await prepare?.();
      const sample = await sampleOf(run);
      if (round >= 0) samples[index]?.push(sample); // The first round warms up.
    }
  }
  const measured = asked.map(({ name, items, note }, index) =>
    measuredOf(name, samples[index] ?? [], { ...(items === undefined ? {} : { items }), ...(note === undefined ? {} : { note }) }),
  );
  return reportComparison({ id, title, rounds, ...scale, baseline: cases[0].name, measured, skipped });
}

function idOf(title: string): string {
  return /^[\w-]+/.exec(title)?.[0].toLowerCase() ?? 'comparison';
}
