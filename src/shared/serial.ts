/** Runs steps one after another; a step that fails does not stop the next. */
export interface Serial {
  run<T>(step: () => Promise<T>): Promise<T>;
  /** Resolves when every step handed in so far has ended. */
  idle(): Promise<void>;
}

/** @param before - what must end before any step begins, if there is anything; a step that has to wait for it fails with it */
export function createSerial(before: () => Promise<void> | null = () => null): Serial {
  let last: Promise<unknown> = Promise.resolve();
  const turn = async <T>(previous: Promise<unknown>, step: () => Promise<T>): Promise<T> => {
    await previous;
    const first = before();
    if (first !== null) await first;
    return await step();
  };
  return {
    run<T>(step: () => Promise<T>): Promise<T> {
      const result = turn(last, step);
      last = result.catch(() => {});
      return result;
    },
    idle: () => last.then(() => {}),
  };
}
