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

/** Time until the next poll: the server's interval, else the device's, give or take 10 % (rule A33). */
export function pickPollDelay(ownIntervalMs: number, serverIntervalMs: number | null, random: Random): number {
  const { least, most } = POLL_INTERVAL_BOUNDS;
  const interval = serverIntervalMs === null ? ownIntervalMs : Math.min(most, Math.max(least, serverIntervalMs));
  return interval * (0.9 + random.next() * 0.2);
}
