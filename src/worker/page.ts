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

/** Calls back with what changed of it, and only that: the rest may be the host's own word. The returned function ends that. */
export function watchPageLifecycle(onChange: (change: Partial<Lifecycle>) => void): () => void {
  const { document } = globalThis;
  if (document === undefined) return () => {};
  const tellNetwork = () => onChange({ isOnline: readPageLifecycle().isOnline });
  const tellVisibility = () => onChange({ isForeground: readPageLifecycle().isForeground });
  globalThis.addEventListener('online', tellNetwork);
  globalThis.addEventListener('offline', tellNetwork);
  document.addEventListener('visibilitychange', tellVisibility);
  return () => {
    globalThis.removeEventListener('online', tellNetwork);
    globalThis.removeEventListener('offline', tellNetwork);
    document.removeEventListener('visibilitychange', tellVisibility);
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
