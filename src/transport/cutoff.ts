import type { Clock } from '../shared/clock.ts';
import { SyncFault } from '../shared/fault.ts';

/** Ends one request early: at its deadline, when the caller aborts, when the transport closes. */
export interface Cutoff {
  /** For `fetch`, so that the connection ends too. */
  readonly signal: AbortSignal;
  /** Waits for a step of the request, or for the cut, whichever comes first: not every platform's `fetch` ends when it is aborted. */
  race<T>(step: Promise<T>): Promise<T>;
  /** Ends the request with a fault; only the first cut counts. */
  cut(fault: SyncFault): void;
  /** The fault the request was cut with. */
  readonly fault: SyncFault | null;
  /** Stops the timer and lets go of the caller's signal. */
  release(): void;
}

export interface CutoffOptions {
  readonly clock: Clock;
  /** Milliseconds; `Infinity` for no deadline. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Names the request in faults. */
  readonly what: string;
}

/** Starts the deadline of a request. */
export function createCutoff({ clock, timeoutMs, signal, what }: CutoffOptions): Cutoff {
  const controller = new AbortController();
  let fault: SyncFault | null = null;
  let rejectCutting: (fault: SyncFault) => void;
  const cutting = new Promise<never>((_resolve, reject) => (rejectCutting = reject));
  cutting.catch(() => {}); // a request that is between two steps has nobody listening

  function cut(reason: SyncFault): void {
    if (fault !== null) return;
    fault = reason;
    rejectCutting(reason);
    controller.abort(reason);
  }
  const onAbort = () => cut(new SyncFault('TRANSPORT_ABORTED', `${what} was aborted`, { cause: signal?.reason as unknown }));
  const onDeadline = () => cut(new SyncFault('TRANSPORT_TIMEOUT', `${what} took longer than ${timeoutMs} ms`, { details: { timeoutMs } }));

  const cancelTimer = timeoutMs === Infinity ? () => {} : clock.setTimer(timeoutMs, onDeadline);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    race: (step) => Promise.race([cutting, step]),
    cut,
    get fault() {
      return fault;
    },
    release() {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}
