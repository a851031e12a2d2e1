/** Runs steps one after another; a step that fails does not stop the next. */
export interface Serial {
  run<T>(step: () => Promise<T>): Promise<T>;
  /** Resolves when every step handed in so far has ended. */
  idle(): Promise<void>;
}

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run<T>(step: () => Promise<T>): Promise<T> {
      const result = last.then(step);
      last = result.catch(() => {});
      return result;
    },
    idle: () => last.then(() => {}),
  };
}
