/** Stops a timer; calling it twice, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/** The time port. The one real clock is made in `platform.ts`; tests and the simulator pass a virtual one. */
export interface Clock {
  /** Wall time in milliseconds since 1970, UTC. For labels and display only: it never orders anything (invariant 21). */
  now(): number;
  /** Milliseconds that only grow and never jump. For intervals and back-off. */
  monotonic(): number;
  /** Calls `run` once, `delayMs` milliseconds from now. */
  setTimer(delayMs: number, run: () => void): CancelTimer;
}
