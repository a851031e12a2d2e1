import type { Clock } from '../../src/server/index.ts';
import { platformClock } from '../../src/shared/platform.ts';

/** The clock of the demo's server: this machine's, until somebody lets time pass. After a restart it is right again. */
export interface DemoClock extends Clock {
  /** Goes on by as much as makes every entry of the feeds older than they are kept. */
  passWeek(): void;
}

/** How long entries stay on the feeds, in milliseconds. */
export const FEED_RETENTION_MS = 7 * 86_400_000;
const WEEK_AND_A_DAY_MS = FEED_RETENTION_MS + 86_400_000;

export function createDemoClock(): DemoClock {
  let aheadMs = 0;
  return {
    now: () => platformClock.now() + aheadMs,
    monotonic: () => platformClock.monotonic(),
    setTimer: (delayMs, run) => platformClock.setTimer(delayMs, run),
    passWeek: () => void (aheadMs += WEEK_AND_A_DAY_MS),
  };
}
