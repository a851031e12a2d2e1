import type { Random } from './random.ts';

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** First ceiling, in milliseconds. @defaultValue 1_000 */
  readonly firstMs?: number;
  /** Highest ceiling, in milliseconds. @defaultValue 300_000 */
  readonly mostMs?: number;
}

/**
 * Picks a delay with full jitter: anything between 0 and a ceiling that doubles with each failure (rule A17). Full jitter is what
 * keeps a million devices from returning in the same second after an outage.
 */
export function pickBackoff(failures: number, random: Random, { firstMs = 1_000, mostMs = 300_000 }: BackoffOptions = {}): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.floor(random.next() * ceiling);
}
