export interface BenchmarkCase {
  readonly name: string;
  /** One call does all the work that is compared; it may return a value to keep the engine from dropping it, or a promise to wait for. */
  readonly run: () => unknown;
}

export interface Comparison {
  readonly title: string;
  /** Items in one call of each case: the table then shows how many of them pass in a second. */
  readonly items?: number;
  /** Bytes read in one call: the table then shows GB/s, to hold beside a case that only copies them. */
  readonly byteLength?: number;
  /** The first case is the one the others are compared with. */
  readonly cases: readonly [BenchmarkCase, ...BenchmarkCase[]];
  /** @defaultValue 9 */
  readonly rounds?: number;
}

interface Row {
  case: string;
  ms: string;
  spread: string;
  ratio: string;
  'M items/s'?: string;
  'GB/s'?: string;
}

/** Runs the cases in turn, round by round, so that a busy machine is as unkind to one as to another. Prints medians and ratios. */
export async function compare({ title, items, byteLength, cases, rounds = 9 }: Comparison): Promise<void> {
  const samples = cases.map((): number[] => []);
  for (const { run } of cases) await timeOf(run); // warm-up
  for (let round = 0; round < rounds; round++) {
    for (const [index, { run }] of cases.entries()) samples[index]?.push(await timeOf(run));
  }
  const medians = samples.map((values) => quantile(values, 0.5));
  const baseline = medians[0] ?? Number.NaN;
  console.log(`\n${title} (${rounds} rounds, median)`);
  console.table(
    cases.map(({ name }, index): Row => {
      const ms = medians[index] ?? Number.NaN;
      const values = samples[index] ?? [];
      return {
        case: name,
        ms: ms.toFixed(3),
        spread: `${quantile(values, 0.1).toFixed(3)} to ${quantile(values, 0.9).toFixed(3)}`,
        ratio: index === 0 ? '1' : `${(baseline / ms).toFixed(2)} x`,
        ...(items === undefined ? {} : { 'M items/s': (items / ms / 1e3).toFixed(2) }),
        ...(byteLength === undefined ? {} : { 'GB/s': (byteLength / ms / 1e6).toFixed(2) }),
      };
    }),
  );
}

async function timeOf(run: () => unknown): Promise<number> {
  (globalThis as { gc?: () => void }).gc?.();
  const startedAt = performance.now();
  const result = run();
  if (result instanceof Promise) await result;
  return performance.now() - startedAt;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
