import type { Lifecycle } from '../client/engine.ts';

/**
 * What the page knows of network and visibility. Without a page (Node, a server-side rendering) it is always online and in front.
 */
export function readPageLifecycle(): Lifecycle {
  return {
    isOnline: globalThis.navigator?.onLine !== false,
    isForeground: globalThis.document?.visibilityState !== 'hidden',
  };
}

/** Calls back with each change of it. The returned function ends that. */
export function watchPageLifecycle(onChange: (lifecycle: Lifecycle) => void): () => void {
  const { document } = globalThis;
  if (document === undefined) return () => {};
  const tell = () => onChange(readPageLifecycle());
  globalThis.addEventListener('online', tell);
  globalThis.addEventListener('offline', tell);
  document.addEventListener('visibilitychange', tell);
  return () => {
    globalThis.removeEventListener('online', tell);
    globalThis.removeEventListener('offline', tell);
    document.removeEventListener('visibilitychange', tell);
  };
}

/** Makes a URL absolute; in a page it can be relative to that. `null` when it is none. */
export function resolveUrl(url: string): string | null {
  try {
    return new URL(url, globalThis.location?.href).href;
  } catch {
    return null;
  }
}
