/**
 * The worker: one file that runs the sync engine, with parts beside it that are loaded when they are needed. A host only names it, and
 * only where its bundler cannot find it by itself:
 * `createSyncClient({ worker: () => new Worker(new URL('fieldtide/worker', import.meta.url), { type: 'module' }) })`.
 *
 * @module fieldtide/worker
 */
import { expose } from 'comlink';
import { openIndexedDb } from '../storage/indexeddb-storage.ts';
import type { StorageAdapter, StorageDescriptor } from '../storage/storage-adapter.ts';
import { createEngineHost } from './engine-host.ts';
import { installFaultTransfer } from './fault-transfer.ts';
import { startTab } from './tabs/start-tab.ts';

installFaultTransfer();
expose(
  createEngineHost((plan, parts) => startTab(plan, plan.storage === null ? parts : { ...parts, storage: createStorage(plan.storage) })),
);

function createStorage({ name }: StorageDescriptor): StorageAdapter {
  return { open: (owner) => openIndexedDb({ name }, owner) };
}
