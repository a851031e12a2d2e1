/** Stops a subscription; calling it twice does nothing. */
export type Unsubscribe = () => void;

/** A list of listeners. One that throws is reported and does not keep the others from hearing. */
export interface Emitter<T> {
  subscribe(listener: (value: T) => void): Unsubscribe;
  emit(value: T): void;
  /** Whether there is anybody to tell. */
  readonly isHeard: boolean;
  clear(): void;
}

/** Makes an {@link Emitter}; `onFault` hears what a listener throws. */
export function createEmitter<T>(onFault: (thrown: unknown) => void = () => {}): Emitter<T> {
  const listeners = new Set<{ readonly hear: (value: T) => void }>();
  return {
    subscribe(hear) {
      const listener = { hear };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    emit(value) {
      for (const listener of [...listeners]) {
        if (!listeners.has(listener)) continue; // an earlier listener took it out
        try {
          listener.hear(value);
        } catch (thrown) {
          onFault(thrown);
        }
      }
    },
    get isHeard() {
      return listeners.size > 0;
    },
    clear: () => listeners.clear(),
  };
}
