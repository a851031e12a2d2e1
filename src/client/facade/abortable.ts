/** What every call that may take long can be given. */
export interface WaitOptions {
  /** Ends the wait with the signal's reason; the work goes on. */
  readonly signal?: AbortSignal;
}

/** Waits for work, or for the signal, whichever comes first. */
export function untilAborted<T>(work: () => Promise<T>, { signal }: WaitOptions = {}): Promise<T> {
  if (signal === undefined) return work();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const release = () => signal.removeEventListener('abort', onAbort);
    work().then(resolve, reject).finally(release);
  });
}
