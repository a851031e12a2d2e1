/** The lock of who leads the tabs of a profile; all else that they share is named after it. */
export interface TabLock {
  readonly name: string;
  readonly locks: LockManager;
}

/** A lock that is held. */
export interface Seat {
  /** Resolves when somebody has taken it away. */
  readonly lost: Promise<void>;
  /** Gives it to the next who waits. */
  leave(): void;
}

/** Takes a lock: at once, or `null`, with `ifAvailable`; by force with `steal`; else when it is this one's turn. Rejects when the wait is aborted. */
export function takeSeat({ locks }: TabLock, name: string, options: LockOptions = {}): Promise<Seat | null> {
  return new Promise((resolve, reject) => {
    let lose = (): void => {};
    const lost = new Promise<void>((resolveLost) => (lose = resolveLost));
    const held = locks.request(name, options, (lock) => (lock === null ? resolve(null) : new Promise<void>((leave) => resolve({ lost, leave }))));
    held.catch((thrown: unknown) => {
      lose();
      reject(thrown as Error);
    });
  });
}
