/** Who on this server listens for what. */
export interface Listeners {
  /** Adds a listener; the function that it returns takes it away. `isFirst` and `isLast` say whether others listen for the same. */
  add(topic: string, listener: () => void): { readonly isFirst: boolean; remove(): { readonly isLast: boolean } };
  /** Tells those who listen for it. */
  tell(topic: string): void;
}

/** Makes {@link Listeners}. */
export function createListeners(): Listeners {
  const byTopic = new Map<string, Set<() => void>>();
  return {
    add(topic, listener) {
      const listeners = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, listeners);
      // Wrapped: the same function may listen twice.
      const entry = (): void => listener();
      listeners.add(entry);
      return {
        isFirst: listeners.size === 1,
        remove() {
          const wasThere = listeners.delete(entry);
          const isLast = wasThere && listeners.size === 0;
          if (isLast) byTopic.delete(topic);
          return { isLast };
        },
      };
    },
    tell(topic) {
      for (const listener of [...(byTopic.get(topic) ?? [])]) listener();
    },
  };
}
