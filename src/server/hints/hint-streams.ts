import { utf8 } from '../../shared/bytes.ts';
import type { CancelTimer, Clock } from '../../shared/clock.ts';
import type { Random } from '../../shared/random.ts';
import type { HintBus } from '../hint-bus.ts';
import type { Principal } from '../principal.ts';
import type { OpenStream } from '../sync-request.ts';

/** The streams of hints that devices hold open. */
export interface HintStreams {
  /** A stream for a device of this user. */
  open(principal: Principal): OpenStream;
  /** Tells whoever listens for this user that there is something to poll for. */
  publish(principal: Principal): void;
  /** Ends all of them. */
  close(): void;
}

export interface HintStreamsOptions {
  readonly bus: HintBus;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly random: Random;
  /** Hears what the bus threw. */
  readonly onFailed: (cause: unknown) => void;
}

/** An event of server-sent events, and a comment that keeps the connection open. Neither says anything of anybody. */
const HINT = utf8('data: poll\n\n');
const HEART_BEAT = utf8(':\n\n');

/** Well below the minute after which proxies close what is silent, in milliseconds. */
const HEART_BEAT_MS = 25_000;
/** How long a stream lives, in milliseconds: then the device signs in anew, for its token may have been taken back. */
const LIFE_MS = [600_000, 900_000] as const;
/** The least time between two hints of one stream, in milliseconds. */
const BETWEEN_HINTS_MS = 1_000;

/** Makes {@link HintStreams}. */
export function createHintStreams({ bus, clock, random, onFailed }: HintStreamsOptions): HintStreams {
  const streams = new Set<() => void>();
  let isClosed = false;

  function open({ tenant, user }: Principal): OpenStream {
    return (sink) => {
      let isResting = false, isHinted = false;
      let cancelBeat: CancelTimer = () => {}, cancelRest: CancelTimer = () => {};

      const hint = (): void => {
        isHinted = true;
        if (isResting) return;
        isHinted = false;
        isResting = true;
        sink.write(HINT);
        cancelRest = clock.setTimer(BETWEEN_HINTS_MS, () => {
          isResting = false;
          if (isHinted) hint();
        });
      };
      const beat = (): void => {
        cancelBeat = clock.setTimer(HEART_BEAT_MS, () => {
          sink.write(HEART_BEAT);
          beat();
        });
      };
      const stop = (): void => {
        if (!streams.delete(end)) return;
        cancelBeat();
        cancelRest();
        cancelLife();
        unsubscribe();
      };
      const end = (): void => {
        stop();
        sink.end();
      };

      if (isClosed) {
        // It was asked for before, and is opened only now.
        sink.end();
        return () => {};
      }
      streams.add(end);
      const cancelLife = clock.setTimer(LIFE_MS[0] + random.next() * (LIFE_MS[1] - LIFE_MS[0]), end);
      const unsubscribe = subscribe(tenant, user, hint);
      beat();
      // What was published before somebody listened: a poll with nothing new costs next to nothing.
      hint();
      return stop;
    };
  }

  function subscribe(tenant: string, user: string, hint: () => void): () => void {
    try {
      return bus.subscribe(tenant, user, hint);
    } catch (cause) {
      onFailed(cause);
      return () => {};
    }
  }

  return {
    open,
    publish({ tenant, user }) {
      try {
        bus.publish(tenant, user);
      } catch (cause) {
        onFailed(cause);
      }
    },
    close() {
      isClosed = true;
      for (const end of [...streams]) end();
    },
  };
}
