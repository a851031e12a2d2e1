import { isFault } from '../../shared/fault.ts';
import type { BackoffOptions } from '../../shared/backoff.ts';
import type { NetworkContext } from '../engine-context.ts';
import type { Access } from './access.ts';
import type { Lane, LaneResult } from './lane.ts';

export interface HintsOptions {
  readonly context: NetworkContext;
  readonly access: Pick<Access, 'offersHints'>;
  readonly createLane: (work: () => Promise<LaneResult>, backoff: () => BackoffOptions) => Lane;
  /** There may be something to poll for. */
  readonly onHint: () => void;
}

/** A stream that ended sooner than this was not let live: asking again at once would do nobody good. */
const LEAST_LIFE_MS = 10_000;
/** Within what time a stream that has lived is opened again, in milliseconds. */
const REOPEN_MS = 5_000;
const BACKOFF: BackoffOptions = { firstMs: 5_000, mostMs: 300_000 };

/**
 * Listens for the server's hints while the device may talk to it. They make a poll come sooner and nothing else: without them, or while
 * there are none, everything comes within one poll all the same (rule A6).
 */
export class Hints {
  readonly #options: HintsOptions;
  readonly #lane: Lane;
  #listening: AbortController | null = null;
  /** Said to be there, and not found: not asked for again before the next opening. */
  #isMissing = false;

  constructor(options: HintsOptions) {
    this.#options = options;
    this.#lane = options.createLane(() => this.#round(), () => BACKOFF);
  }

  /** The server has just answered: listens, unless that is going on or was refused a moment ago. */
  listen(): void {
    const { context, access } = this.#options;
    if (context.link.canHearHints && access.offersHints && !this.#isMissing && this.#listening === null && !this.#lane.isBusy) this.#lane.wake();
  }

  /** Whether a stream is open. */
  get isListening(): boolean {
    return this.#listening !== null;
  }

  /** Stops listening: the device is offline or in the background. */
  mute(): void {
    this.#listening?.abort();
  }

  /** Stops listening for good. */
  close(): Promise<void> {
    this.mute();
    return this.#lane.close();
  }

  async #round(): Promise<LaneResult> {
    const { context, onHint } = this.#options;
    const { link, store, clock, random } = context;
    const listening = new AbortController();
    this.#listening = listening;
    const begunAt = clock.monotonic();
    try {
      await link.hints(store.meta.store, listening.signal, onHint);
      const hasLived = clock.monotonic() - begunAt >= LEAST_LIFE_MS;
      return hasLived ? { kind: 'again', afterMs: random.next() * REOPEN_MS } : { kind: 'failed', atLeastMs: 0 };
    } catch (fault) {
      // The next answer to a poll begins anew.
      if (listening.signal.aborted) return { kind: 'idle' };
      this.#isMissing = isFault(fault, 'PROTOCOL_NOT_FOUND');
      if (this.#isMissing) return { kind: 'idle' };
      return { kind: 'failed', atLeastMs: isFault(fault) && typeof fault.details.retryAfterMs === 'number' ? fault.details.retryAfterMs : 0 };
    } finally {
      this.#listening = null;
    }
  }
}
