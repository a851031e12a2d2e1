/** Lets so many pieces of work run at once; the others wait in line, the first to come first. */
export interface Turnstile {
  /** Runs work when it is its turn, and hands on what it resolves with or throws. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes a {@link Turnstile} for `most` pieces of work at once. */
export function createTurnstile(most: number): Turnstile {
  const line: (() => void)[] = [];
  let inside = 0;
  return {
    async run(work) {
      // Who leaves hands the place on: nobody who comes later gets in between.
      if (inside < most) inside++;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await work();
      } finally {
        const next = line.shift();
        if (next === undefined) inside--;
        else next();
      }
    },
  };
}
