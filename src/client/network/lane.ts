import { pickBackoff, type BackoffOptions } from '../../shared/backoff.ts';
import type { CancelTimer, Clock } from '../../shared/clock.ts';
import type { Random } from '../../shared/random.ts';
import type { LanePlan, LaneState } from './poll-plan.ts';

/** How a piece of work ended, and when the next is due. */
export type LaneResult =
  /** Nothing left to do before the next wake-up. */
  | { readonly kind: 'idle' }
  /** More to do, now or after a time. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** It failed; try again with back-off, at the earliest after `atLeastMs`. */
  | { readonly kind: 'failed'; readonly atLeastMs: number };

export interface LaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long to wait after failures, as it is when one happens. @defaultValue from 1 s to 5 min */
  readonly backoff?: () => BackoffOptions;
  /** What the world looks like; the lane adds its own part. */
  readonly conditions: () => Pick<LaneState, 'isOpen' | 'isOnline' | 'isForeground' | 'isPaused'>;
  /** Decides what the lane does now. */
  readonly plan: (state: LaneState, now: number) => LanePlan;
  /** Never rejects. */
  readonly work: () => Promise<LaneResult>;
  readonly onChange: () => void;
}

/** What a call to wake a lane overrides. */
export interface WakeUp {
  /** `back-off`: the wait after a failure. `everything`: also the time that the server asked for. @defaultValue 'nothing' */
  readonly cuts?: 'nothing' | 'back-off' | 'everything';
  /** Work is due at a random moment within so many milliseconds. @defaultValue 0, at once */
  readonly withinMs?: number;
}

/** One line of conversation with the server: at most one piece of work at a time, with its own timer and back-off. */
export class Lane {
  readonly #options: LaneOptions;
  #dueAt = Infinity;
  #failures = 0;
  /** Until when the server asked to be left alone. */
  #restUntil = -Infinity;
  #isBusy = false;
  #wasWoken = false;
  #cancelTimer: CancelTimer = () => {};
  #ended: Promise<void> = Promise.resolve();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Milliseconds until the next attempt after a failure. */
  get retryInMs(): number | null {
    return this.#failures === 0 || this.#isBusy ? null : Math.max(0, Math.ceil(this.#dueAt - this.#options.clock.monotonic()));
  }

  /** Makes work due. After a failure only what `cuts` says shortens the wait. */
  wake({ cuts = 'nothing', withinMs = 0 }: WakeUp = {}): void {
    this.#wasWoken = true;
    const now = this.#options.clock.monotonic();
    if (cuts === 'everything') this.#restUntil = -Infinity;
    if (cuts !== 'nothing' && this.#restUntil <= now) this.#failures = 0;
    if (cuts !== 'nothing' || this.#failures === 0) {
      const delayMs = withinMs === 0 ? 0 : withinMs * this.#options.random.next();
      this.#dueAt = Math.min(this.#dueAt, Math.max(now + delayMs, this.#restUntil));
    }
    this.reconsider();
  }

  /** Looks at the conditions again. */
  reconsider(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    const plan = this.#options.plan({ ...this.#options.conditions(), isBusy: this.#isBusy, dueAt: this.#dueAt }, this.#options.clock.monotonic());
    if (plan.kind === 'go') this.#ended = this.#go();
    else if (plan.kind === 'wait' && plan.delayMs < Infinity) this.#cancelTimer = this.#options.clock.setTimer(plan.delayMs, () => this.reconsider());
  }

  /** Waits for the work under way. */
  round(): Promise<void> {
    return this.#ended;
  }

  /** Waits until the lane has done what it can do now. */
  async settled(): Promise<void> {
    while (this.#isBusy) await this.round();
  }

  /** Stops the timer and waits for the work under way. */
  async close(): Promise<void> {
    this.#cancelTimer();
    await this.#ended;
  }

  async #go(): Promise<void> {
    this.#isBusy = true;
    this.#wasWoken = false;
    const result = await this.#options.work();
    this.#isBusy = false;
    const now = this.#options.clock.monotonic();
    this.#failures = result.kind === 'failed' ? this.#failures + 1 : 0;
    this.#restUntil = result.kind === 'failed' ? now + result.atLeastMs : -Infinity;
    if (result.kind === 'failed') this.#dueAt = Math.max(this.#restUntil, now + pickBackoff(this.#failures, this.#options.random, this.#options.backoff?.()));
    else if (result.kind === 'again') this.#dueAt = now + result.afterMs;
    else this.#dueAt = Infinity;
    // Woken while busy: something came in that this round may not have seen.
    if (this.#wasWoken && result.kind !== 'failed') this.#dueAt = Math.min(this.#dueAt, now);
    this.#options.onChange();
    this.reconsider();
  }
}
