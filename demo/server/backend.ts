import { createSyncServer, type Clock, type ServerStore, type SyncServer } from '../../src/server/index.ts';
import type { OfficeReceipt } from '../office-messages.ts';
import { schema } from '../schema.ts';
import { authenticate } from './authenticate.ts';
import { FEED_RETENTION_MS } from './demo-clock.ts';
import { hooks } from './hooks.ts';
import { observeStore } from './receipt-log.ts';

/** The demo's backend: the sync server on a store, and what its back office looks at. */
export interface Backend {
  readonly server: SyncServer;
  readonly store: ServerStore;
  readonly receipts: () => readonly OfficeReceipt[];
}

/** @param onCommit - hears each transaction that may have written something. */
export function createBackend(plainStore: ServerStore, clock: Clock, onCommit: () => void): Backend {
  const { store, receipts } = observeStore(plainStore, onCommit);
  const server = createSyncServer({
    schema,
    store,
    authenticate,
    objects: hooks,
    clock,
    retentionMs: FEED_RETENTION_MS,
    basePath: '/sync',
    log: ({ level, message, cause }) => {
      if (level !== 'info') console.error(`server: ${message}`, cause ?? '');
    },
  });
  return { server, store, receipts };
}
