import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/**
 * The one place that reads the platform's globals. Everything else is handed a {@link Clock} and a {@link Random}, which is what
 * lets the whole client and server run inside a deterministic simulator.
 */
export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, run) {
    // A browser clamps anything above 2^31 - 1 to 0, which would turn a long wait into a busy loop.
    const timer = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    return () => clearTimeout(timer);
  },
};

/** The platform's cryptographic randomness. */
export const platformRandom: Random = {
  next: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 0x1_0000_0000,
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
