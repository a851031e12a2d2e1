/**
 * Storage in IndexedDB, for browsers and WebViews.
 *
 * @module fieldtide/storage/indexeddb
 */
import type { StorageAdapter } from './storage-adapter.ts';

/** Where the data goes. */
export interface IndexedDbOptions {
  /** Names the app's data among everything at its origin: one database for each (name, tenant, user). */
  readonly name: string;
  /** @defaultValue the platform's IndexedDB */
  readonly factory?: IDBFactory;
  /** Knows how much room there is. @defaultValue the platform's storage manager */
  readonly storageManager?: Pick<StorageManager, 'estimate' | 'persisted'>;
}

/**
 * Makes an adapter over IndexedDB. A commit is one transaction and is done when the transaction is complete: that a single write
 * succeeded means nothing, because browsers report a full disk afterwards.
 */
export function indexedDb(options: IndexedDbOptions): StorageAdapter {
  const { name, factory, storageManager } = options;
  return {
    // Another factory than the platform's own cannot be handed to a worker as plain data.
    ...(factory === undefined && storageManager === undefined ? { descriptor: { kind: 'indexeddb', name } } : {}),
    ...(factory === undefined ? { sharedAs: `indexeddb ${name}` } : {}),
    // Loaded when a store is opened: in a page whose engine runs in a worker that never happens.
    async open(owner) {
      const { openIndexedDb } = await import('./indexeddb-storage.ts');
      return openIndexedDb(options, owner);
    },
  };
}
