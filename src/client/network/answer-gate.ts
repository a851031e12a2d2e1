/** Lets answers of the server be taken in side by side, and now and then one thing happen with none of them under way. */
export interface AnswerGate {
  /** Runs a request together with what its answer changes. */
  pass<T>(exchange: () => Promise<T>): Promise<T>;
  /** Waits for the exchanges under way, holds back new ones, and runs. One at a time. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createAnswerGate(): AnswerGate {
  const underWay = new Set<Promise<unknown>>();
  let closed: Promise<unknown> | null = null;
  return {
    async pass(exchange) {
      while (closed !== null) await closed;
      const running = exchange();
      underWay.add(running);
      return running.finally(() => underWay.delete(running));
    },
    alone(work) {
      const running = Promise.allSettled(underWay).then(work);
      closed = running.catch(() => {}).finally(() => (closed = null));
      return running;
    },
  };
}
