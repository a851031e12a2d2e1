import { SyncFault } from '../shared/fault.ts';
import type * as bulk from './network/bulk.ts';
import type * as byHand from './inbox/by-hand.ts';
import type * as conversation from './network/conversation.ts';
import type * as drafts from './drafts/drafts.ts';
import type * as handles from './handles/handle-desk.ts';
import type * as rareResults from './answers/rare-results.ts';
import type * as snapshotDownload from './network/snapshot-download.ts';
import type * as upkeep from './store/upkeep.ts';

/**
 * The client modules that only a person or a rare answer asks for: each is a file beside the worker, loaded at its first use and kept
 * (docs/decisions/0011-worker-parts.md). One more part is a line here, one in {@link createParts} and one in
 * `src/testing/simulation/eager-parts.ts`; the build finds the file by itself.
 *
 * @throws {@link SyncFault} `PART_UNAVAILABLE` where the file cannot be loaded; the next call tries again
 */
export interface Parts {
  readonly bulk: () => Promise<typeof bulk>;
  readonly byHand: () => Promise<typeof byHand>;
  readonly conversation: () => Promise<typeof conversation>;
  readonly drafts: () => Promise<typeof drafts>;
  readonly handles: () => Promise<typeof handles>;
  readonly rareResults: () => Promise<typeof rareResults>;
  readonly snapshotDownload: () => Promise<typeof snapshotDownload>;
  readonly upkeep: () => Promise<typeof upkeep>;
}

/** Makes the functions that load the parts. */
export function createParts(): Parts {
  return {
    bulk: createPart(() => import('./network/bulk.ts')),
    byHand: createPart(() => import('./inbox/by-hand.ts')),
    conversation: createPart(() => import('./network/conversation.ts')),
    drafts: createPart(() => import('./drafts/drafts.ts')),
    handles: createPart(() => import('./handles/handle-desk.ts')),
    rareResults: createPart(() => import('./answers/rare-results.ts')),
    snapshotDownload: createPart(() => import('./network/snapshot-download.ts')),
    upkeep: createPart(() => import('./store/upkeep.ts')),
  };
}

/**
 * Parts that are fetched as long as they can be: people need them offline too, and an answer that takes `rareResults` waits for it, which
 * is no longer to be had once a newer release is deployed.
 */
const NEEDED_OFFLINE: readonly (keyof Parts)[] = ['byHand', 'drafts', 'handles', 'rareResults'];

/** Loads in the background what must be there offline. What cannot be loaded now is tried again when somebody asks for it. */
export function preloadParts(parts: Parts, names: readonly (keyof Parts)[] = NEEDED_OFFLINE): void {
  for (const name of names) parts[name]().catch(() => {});
}

/**
 * Makes the function that loads one part and keeps it.
 *
 * @throws {@link SyncFault} `PART_UNAVAILABLE` from the function; its next call tries again
 */
export function createPart<M>(load: () => Promise<M>, loadFrom: (address: string) => Promise<M> = importFrom): () => Promise<M> {
  let loading: Promise<M> | null = null;
  let failures = 0;
  let again = load;

  async function attempt(): Promise<M> {
    try {
      return await again();
    } catch (cause) {
      loading = null;
      const address = / module: ([^#]+)/.exec(String(cause))?.[1];
      // Browsers remember by its address a module that could not be loaded. A fragment makes it another one for them, and the same file
      // for servers and caches. Where the error names no address (Safari), there is only the old name to ask for.
      if (address !== undefined) again = () => loadFrom(`${address}#${++failures}`);
      throw new SyncFault('PART_UNAVAILABLE', 'a file of the client could not be loaded', { cause });
    }
  }

  return () => (loading ??= attempt());
}

// Bundlers must leave this import alone: they know the file, and have put its address into the error.
const importFrom = <M>(address: string): Promise<M> => import(/* @vite-ignore */ /* webpackIgnore: true */ address);
