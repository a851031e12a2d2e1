/** How a run was asked for: the same options reach every benchmark. */
export interface BenchmarkOptions {
  /** Contenders to run, by part of their name; all when empty. The baseline and the copy of the same bytes always run. */
  readonly only: readonly string[];
  /** `small` leaves out what takes minutes. @defaultValue full */
  readonly size: 'small' | 'full';
  /** Scales of W3, such as `10k/1M`: entries into rows; all of the size when empty. */
  readonly scales: readonly string[];
  /** A file that results are added to, one JSON line each; `null` to print them only. */
  readonly record: string | null;
}

/** Reads `--only a,b`, `--size small|full`, `--scale 10k/1M,…` and `--record file`; other arguments are left to the benchmark. */
export function parseOptions(args: readonly string[]): BenchmarkOptions {
  const valueOf = (name: string): string | undefined => args[args.indexOf(name) + 1 || args.length];
  const size = valueOf('--size') ?? 'full';
  if (size !== 'small' && size !== 'full') throw new RangeError(`--size is small or full, not ${size}`);
  return { only: valueOf('--only')?.split(',') ?? [], size, scales: valueOf('--scale')?.split(',') ?? [], record: valueOf('--record') ?? null };
}

/** The options of this run. */
export const options: BenchmarkOptions = parseOptions(process.argv.slice(2));

/** Says whether a contender was asked for. */
export function isAskedFor(name: string): boolean {
  return options.only.length === 0 || options.only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
}
