import type { SyncFault } from '../shared/fault.ts';

/** Calls to another thread, which would wait for ever when that thread dies. */
export interface CallsUnderWay {
  /** Runs a call; it fails as soon as the calls have ended, whatever becomes of its own answer. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Fails every call under way and every later one. */
  end(fault: SyncFault): void;
  /** What the calls ended with. */
  readonly ended: SyncFault | null;
}

export function createCallsUnderWay(): CallsUnderWay {
  const underWay = new Set<(fault: SyncFault) => void>();
  let ended: SyncFault | null = null;
  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        if (ended !== null) return reject(ended);
        underWay.add(reject);
        call()
          .then(resolve, reject)
          .finally(() => underWay.delete(reject));
      }),
    end(fault) {
      ended = fault;
      for (const reject of underWay) reject(fault);
      underWay.clear();
    },
    get ended() {
      return ended;
    },
  };
}
