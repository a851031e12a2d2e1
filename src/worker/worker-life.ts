/**
 * Tells when a worker is gone. A worker that the system kills raises no event anywhere, but the lock it holds goes to the next who asks.
 * Both functions do nothing where there are no Web Locks: the worker's `error` event is all there is then.
 */
const locks = (): LockManager | undefined => globalThis.navigator?.locks;

/** Takes the lock of that name and keeps it for as long as the worker lives. Runs in the worker; resolves when the lock is held. */
export function holdLife(name: string): Promise<void> {
  const manager = locks();
  if (manager === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const forEver = new Promise<never>(() => {});
    manager.request(name, () => (resolve(), forEver)).catch(reject);
  });
}

/** Calls back when the worker that held the lock is gone. Runs on the page, once the worker holds it. */
export function watchLife(name: string, onGone: () => void): () => void {
  const manager = locks();
  return manager === undefined ? () => {} : watchLock(manager, name, onGone);
}

/** Calls back when a lock is given up by whoever held it. */
export function watchLock(manager: LockManager, name: string, onGone: () => void): () => void {
  const controller = new AbortController();
  manager.request(name, { signal: controller.signal }, onGone).catch(() => {}); // the wait was aborted
  return () => controller.abort();
}
