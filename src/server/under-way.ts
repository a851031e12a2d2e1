/** Counts work that is under way. */
export interface UnderWay {
  /** Runs work that counts until it has ended. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is under way, what began meanwhile included. */
  idle(): Promise<void>;
}

/** Makes an {@link UnderWay}. */
export function createUnderWay(): UnderWay {
  const waiting: (() => void)[] = [];
  let count = 0;
  return {
    async run(work) {
      count++;
      try {
        return await work();
      } finally {
        count--;
        if (count === 0) for (const tell of waiting.splice(0)) tell();
      }
    },
    async idle() {
      while (count > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
