/** Wall-clock and processor time of one call, in milliseconds. */
export interface Sample {
  readonly wallMs: number;
  /** User and system time of the whole process: it includes the engine's compiler and collector threads. */
  readonly cpuMs: number;
}

/** A median, and the values a tenth of the samples lie below and above. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Times one call. Collects garbage first where the process may, so that no call pays for another's. */
export async function sampleOf(run: () => unknown): Promise<Sample> {
  (globalThis as { gc?: () => void }).gc?.();
  const cpu = process.cpuUsage(), startedAt = performance.now();
  const result = run();
  if (result instanceof Promise) await result;
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1e3 };
}

/** Sums up samples of one kind of time. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: quantile(values, 0.1), high: quantile(values, 0.9) };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
