/** Remembers calls until they settle, for a `close` that has to wait for them. */
export class CallsUnderWay {
  readonly #calls = new Set<Promise<unknown>>();

  track<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    const forget = () => void this.#calls.delete(call);
    call.then(forget, forget);
    return call;
  }

  /** Resolves when every call made so far has settled, well or not. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#calls);
  }
}
