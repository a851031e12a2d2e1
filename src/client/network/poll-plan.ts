import type { BackoffOptions } from '../../shared/backoff.ts';
import type { Random } from '../../shared/random.ts';

/** Everything that decides when a lane talks to the server next. Times are monotonic milliseconds. */
export interface LaneState {
  readonly isOpen: boolean;
  readonly isOnline: boolean;
  readonly isForeground: boolean;
  /** A sign-in or an upgrade has to happen first. */
  readonly isPaused: boolean;
  readonly isBusy: boolean;
  /** Earliest time of the next attempt. */
  readonly dueAt: number;
}

export type LanePlan = { readonly kind: 'sleep' } | { readonly kind: 'wait'; readonly delayMs: number } | { readonly kind: 'go' };

/** Says what a lane (uploads, or polls) does now: nothing before an event, nothing before a time, or its work (rules A16, A33). */
export function planLane(state: LaneState, now: number): LanePlan {
  if (!state.isOpen || !state.isOnline || !state.isForeground || state.isPaused || state.isBusy) return { kind: 'sleep' };
  return now >= state.dueAt ? { kind: 'go' } : { kind: 'wait', delayMs: Math.ceil(state.dueAt - now) };
}

/** Bounds of the interval that a server may set, in milliseconds (rule A33). */
export const POLL_INTERVAL_BOUNDS = { least: 5_000, most: 3_600_000 } as const;

/** Time between polls: the server's interval, else the device's own (rule A33). */
export function pollInterval(ownIntervalMs: number, serverIntervalMs: number | null): number {
  const { least, most } = POLL_INTERVAL_BOUNDS;
  return serverIntervalMs === null ? ownIntervalMs : Math.min(most, Math.max(least, serverIntervalMs));
}

/** Time until the next poll, from the end of the last: the interval, give or take 10 % (rule A33). */
export function pickPollDelay(intervalMs: number, random: Random): number {
  return intervalMs * (0.9 + random.next() * 0.2);
}

/** The longest wait after failed polls, in milliseconds, unless the server asks for more (rule A33). */
export const MOST_POLL_BACKOFF_MS = 300_000;

/**
 * How long polls wait after failures: at first anything up to the interval, so that the devices of a server that was away or has just
 * started come back spread over it, and not all in its first second.
 */
export function pollBackoff(intervalMs: number): BackoffOptions {
  return { firstMs: Math.min(intervalMs, MOST_POLL_BACKOFF_MS), mostMs: MOST_POLL_BACKOFF_MS };
}

/** Within what time after a hint a device polls, in milliseconds: the hint came to all of the user's devices at once. */
export const HINT_SPREAD_MS = 500;
