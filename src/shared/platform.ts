import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/**
 * The one place that reads the platform's globals. Everything else is handed a {@link Clock} and a {@link Random}, which is what
 * lets the whole client and server run inside a deterministic simulator.
 */
export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, run) {
    // A browser clamps anything above 2^31 - 1 to 0, which would turn a long wait into a busy loop.
    const timer = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    return () => clearTimeout(timer);
  },
};

/** The platform's cryptographic randomness. */
export const platformRandom: Random = {
  next: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 0x1_0000_0000,
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** What {@link platformFetch} is: the part of `fetch` that Fieldtide uses. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

// The globals below are looked up when they are used, not when this file is imported: Node has no IndexedDB, Hermes has neither
// IndexedDB nor `navigator.storage`, and a test or a polyfill may put them there later.

/** SHA-256 of a text as 32 characters, by Node's own code, which is ten times as fast as ours; `undefined` where there is none. */
export function platformSha256(): ((text: string) => string) | undefined {
  const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } };
  // Node 20.16 and newer; what stands for Node elsewhere may have the module and not the function.
  const { hash } = (process?.getBuiltinModule?.('node:crypto') ?? {}) as { readonly hash?: (algorithm: string, text: string, encoding: string) => string };
  return hash === undefined ? undefined : (text) => hash('sha256', text, 'latin1');
}

/** The platform's `fetch`. */
export const platformFetch: FetchFunction = (url, init) => fetch(url, init);

/** The platform's IndexedDB; `undefined` where there is none. */
export function platformIndexedDb(): IDBFactory | undefined {
  return typeof indexedDB === 'undefined' ? undefined : indexedDB;
}

/** The platform's storage manager, which knows quota and persistence; `undefined` where there is none. */
export function platformStorageManager(): StorageManager | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.storage;
}

/** Calls back when everything that promises have under way has run: the platform's next turn. For virtual time. */
export function platformTurn(run: () => void): void {
  // A browser has only messages to oneself, which are much slower; a timer of 0 would wait for milliseconds.
  if (typeof setImmediate === 'function') return void setImmediate(run);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(null);
}
