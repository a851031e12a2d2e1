import type { Clock } from '../shared/clock.ts';

/** A host's function did not answer in time. */
export class TimeLimitExceeded extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
    this.name = 'TimeLimitExceeded';
  }
}

/** Waits for work, but no longer than the limit. The work itself cannot be stopped; what it still does must not matter. */
export async function withTimeLimit<T>(clock: Clock, limitMs: number, work: () => T | Promise<T>): Promise<T> {
  const started = work();
  if (!isThenable(started)) return started;
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.setTimer(limitMs, () => reject(new TimeLimitExceeded(limitMs)));
    void Promise.resolve(started).then(resolve, reject).finally(cancel);
  });
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | null)?.then === 'function';
}
