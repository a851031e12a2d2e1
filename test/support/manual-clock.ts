import type { Clock } from '../../src/shared/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Milliseconds until each timer that is set goes off. */
  readonly timers: readonly number[];
  /** Goes on by some milliseconds, firing timers on the way in order. */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export function createManualClock(startAt = Date.UTC(2026, 0, 5, 8)): ManualClock {
  const timers = new Set<Timer>();
  let elapsed = 0;
  return {
    now: () => startAt + elapsed,
    monotonic: () => elapsed,
    setTimer(delayMs, run) {
      const timer = { at: elapsed + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get timers() {
      return [...timers].map(({ at }) => at - elapsed);
    },
    async advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        elapsed = Math.max(elapsed, next.at);
        next.run();
        await drain();
      }
      elapsed = end;
      await drain();
    },
  };
}

/** Lets everything that is ready to run do so: promises, and what they start. */
export async function drain(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
