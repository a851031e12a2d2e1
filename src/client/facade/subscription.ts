import type { Unsubscribe } from '../../shared/emitter.ts';

/** How to subscribe. */
export interface SubscribeOptions {
  /**
   * Hears why a subscription could not start, and what its listener throws.
   *
   * @defaultValue a subscription that cannot start stays silent, as calls made beside it fail the same way; what a listener throws
   * becomes an unhandled rejection
   */
  readonly onFault?: (fault: unknown) => void;
}

/** Something that can be read now, or followed. */
export interface LiveValue<T> {
  /** Reads it once. */
  get(): Promise<T>;
  /** Calls the listener with it now and after each change, until the returned function is called. */
  subscribe(listener: (value: T) => void, options?: SubscribeOptions): Unsubscribe;
}

/**
 * Makes subscriptions that end at once: an engine's watch starts asynchronously, but a listener must not hear anything after its
 * unsubscribe function has returned.
 */
export interface Subscriptions {
  open<T>(watch: (hear: (value: T) => void) => Promise<Unsubscribe>, listener: (value: T) => void, options?: SubscribeOptions): Unsubscribe;
  /** Ends all of them. */
  close(): void;
}

/** Makes an empty set of {@link Subscriptions}. */
export function createSubscriptions(): Subscriptions {
  const ends = new Set<Unsubscribe>();
  return {
    open(watch, listener, { onFault } = {}) {
      let isOpen = true;
      let stopWatching: Unsubscribe = () => {};
      const end = () => {
        if (!isOpen) return;
        isOpen = false;
        ends.delete(end);
        stopWatching();
      };
      ends.add(end);
      watch((value) => {
        if (isOpen) tell(listener, value, onFault);
      }).then(
        (stop) => {
          if (isOpen) stopWatching = stop;
          else stop();
        },
        (thrown: unknown) => {
          const wasOpen = isOpen;
          end();
          if (wasOpen) onFault?.(thrown);
        },
      );
      return end;
    },
    close() {
      for (const end of [...ends]) end();
    },
  };
}

/** What a listener throws is the host's to know: neither the engine nor other listeners may feel it. */
function tell<T>(listener: (value: T) => void, value: T, onFault: SubscribeOptions['onFault']): void {
  try {
    listener(value);
  } catch (thrown) {
    if (onFault === undefined) void Promise.reject(thrown as Error);
    else onFault(thrown);
  }
}
