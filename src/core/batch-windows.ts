import { STATUS_TRAILING_BYTES, STATUS_TRUNCATED } from '../../assembly/layout.ts';
import { rowInvalid } from './core-input.ts';
import type { RowEnds } from './core.ts';

/** Bytes of the longest part that are in the core's memory at a time: few enough to stay in the processor's cache. */
const WINDOW_BYTES = 128 * 1024;
const WINDOW_PAIRS = 4096;

/** How far one window got: pairs that were whole, and where the next one begins in each part. */
export interface WindowStep {
  readonly status: number;
  readonly done: number;
  readonly offsets: readonly number[];
}

/**
 * Runs a batch of `count` pairs window by window. Each part holds something of every pair, one after another; a window may end within a
 * pair, which the next window then begins with.
 *
 * @param step - works on at most `most` pairs of these windows, of which `done` were before.
 */
export function runInWindows(
  parts: readonly Uint8Array[],
  count: number,
  step: (windows: readonly Uint8Array[], most: number, done: number) => WindowStep,
): void {
  const starts = parts.map(() => 0);
  // The same share of every part holds about as many pairs.
  let share = Math.min(1, WINDOW_BYTES / Math.max(...parts.map(({ length }) => length)));
  for (let done = 0; done < count; ) {
    const windows = parts.map((part, index) => part.subarray(starts[index]!, starts[index]! + Math.ceil(part.length * share)));
    const reached = step(windows, Math.min(count - done, WINDOW_PAIRS), done);
    if (reached.done === 0) {
      if (share === 1) throw rowInvalid(reached.status);
      share = Math.min(1, share * 2);
    }
    done += reached.done;
    for (let index = 0; index < parts.length; index++) starts[index]! += reached.offsets[index]!;
  }
  if (parts.some((part, index) => starts[index]! < part.length)) throw rowInvalid(STATUS_TRAILING_BYTES);
}

/** A part of a batch of pairs whose ends are known: pairs, and their bytes on both sides. */
export interface FramedWindow {
  readonly from: number;
  readonly to: number;
  readonly leftFrom: number;
  readonly leftTo: number;
  readonly rightFrom: number;
  readonly rightTo: number;
}

/** Cuts a batch of pairs into windows of whole pairs; a pair that is larger is one by itself. */
export function* framedWindows(count: number, { before, after }: RowEnds): Generator<FramedWindow> {
  for (let from = 0, leftFrom = 0, rightFrom = 0; from < count; ) {
    // The largest step that both sides allow: ends grow, so it is found by halves.
    let low = from + 1, high = Math.min(count, from + WINDOW_PAIRS);
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (Math.max(before[middle - 1]! - leftFrom, after[middle - 1]! - rightFrom) <= WINDOW_BYTES) low = middle;
      else high = middle - 1;
    }
    const leftTo = before[low - 1]!, rightTo = after[low - 1]!;
    if (leftTo < leftFrom || rightTo < rightFrom) throw rowInvalid(STATUS_TRUNCATED);
    yield { from, to: low, leftFrom, leftTo, rightFrom, rightTo };
    [from, leftFrom, rightFrom] = [low, leftTo, rightTo];
  }
}
