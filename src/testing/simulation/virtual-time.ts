import type { CancelTimer, Clock } from '../../shared/clock.ts';
import { platformTurn } from '../../shared/platform.ts';

/** Time that passes only when there is nothing left to do. */
export interface VirtualTime {
  /** Milliseconds since the run began. */
  readonly elapsed: number;
  /** Calls back after some time; calls that fall on the same instant run in the order in which they were made. */
  after(delayMs: number, run: () => void): CancelTimer;
  /** Waits in virtual time. */
  wait(delayMs: number): Promise<void>;
  /**
   * Lets a time pass: everything that is due within it runs in order, and whatever that sets going in promises has settled before the
   * next thing is due.
   */
  pass(durationMs: number): Promise<void>;
  /** Lets time pass until the work is done; rejects with what it rejects, or when it takes longer than `mostMs`. */
  passUntil<T>(work: Promise<T>, mostMs: number): Promise<T>;
  /** A clock that runs at this time's pace. */
  clock(options?: VirtualClockOptions): Clock;
}

export interface VirtualClockOptions {
  /** What `now()` shows when the run begins. @defaultValue {@link RUN_BEGINS_AT} */
  readonly startsAt?: number;
  /** Asked at each reading of `now()`: how far off the clock is, in milliseconds. @defaultValue 0 */
  readonly offBy?: () => number;
  /** Timers of a clock that has stopped never fire: its process is gone. @defaultValue never */
  readonly isStopped?: () => boolean;
}

/** Where the wall clocks of a run begin, in milliseconds since 1970. */
export const RUN_BEGINS_AT: number = Date.UTC(2026, 0, 5, 8);

/** Makes a {@link VirtualTime} that starts at 0. */
export function createVirtualTime(): VirtualTime {
  return new EventQueue();
}

interface TimedCall {
  readonly at: number;
  /** Calls of one instant run in the order of this number. */
  readonly order: number;
  run: (() => void) | null;
}

class EventQueue implements VirtualTime {
  /** A binary heap, the earliest call first. */
  readonly #calls: TimedCall[] = [];
  #elapsed = 0;
  #made = 0;

  get elapsed(): number {
    return this.#elapsed;
  }

  after(delayMs: number, run: () => void): CancelTimer {
    const call: TimedCall = { at: this.#elapsed + Math.max(0, delayMs), order: this.#made++, run };
    this.#push(call);
    return () => void (call.run = null);
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  async pass(durationMs: number): Promise<void> {
    const until = this.#elapsed + durationMs;
    await settled();
    while (this.#runNext(until)) await settled();
    this.#elapsed = until;
  }

  async passUntil<T>(work: Promise<T>, mostMs: number): Promise<T> {
    const until = this.#elapsed + mostMs;
    let outcome: (() => T) | null = null;
    work.then(
      (value) => (outcome = () => value),
      (thrown: unknown) => (outcome = () => { throw thrown; }),
    );
    await settled();
    // Read through a function: the compiler cannot see that the callbacks above change it.
    const read = (): (() => T) | null => outcome;
    while (read() === null) {
      if (!this.#runNext(until)) throw new Error(`nothing came of it within ${mostMs} ms of virtual time`);
      await settled();
    }
    return read()!();
  }

  clock({ startsAt = RUN_BEGINS_AT, offBy = () => 0, isStopped = () => false }: VirtualClockOptions = {}): Clock {
    return {
      now: () => startsAt + Math.floor(this.#elapsed) + offBy(),
      monotonic: () => this.#elapsed,
      setTimer: (delayMs, run) => this.after(delayMs, () => void (isStopped() || run())),
    };
  }

  /** Runs the next call that is due by a time; false when there is none. */
  #runNext(until: number): boolean {
    for (;;) {
      const next = this.#calls[0];
      if (next === undefined || next.at > until) return false;
      this.#takeFirst();
      if (next.run === null) continue;
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.run();
      return true;
    }
  }

  #push(call: TimedCall): void {
    const calls = this.#calls;
    let place = calls.push(call) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(call, calls[parent]!)) break;
      calls[place] = calls[parent]!;
      place = parent;
    }
    calls[place] = call;
  }

  #takeFirst(): void {
    const calls = this.#calls;
    const last = calls.pop()!;
    if (calls.length === 0) return;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= calls.length) break;
      if (child + 1 < calls.length && isBefore(calls[child + 1]!, calls[child]!)) child++;
      if (!isBefore(calls[child]!, last)) break;
      calls[place] = calls[child]!;
      place = child;
    }
    calls[place] = last;
  }
}

function isBefore(left: TimedCall, right: TimedCall): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/** Resolves when every promise that can settle has: the platform takes its next turn only then. */
function settled(): Promise<void> {
  return new Promise(platformTurn);
}
