import type { SyncEngine } from './engine.ts';

/** The calls of an engine that take and give plain data. */
export const PLAIN_CALLS = [
  'create', 'update', 'remove', 'save', 'restore', 'draft', 'handle', 'get', 'query', 'outcome', 'status', 'listSyncErrors', 'undo', 'resolve', 'resolveAll', 'exportEntries', 'explain', 'signOut', 'wipe',
  'readJournal', 'listNotices', 'acknowledgeNotice', 'download', 'fetch', 'wake', 'exchange', 'checkStorage', 'setLifecycle',
] as const;

/** The calls of an engine that take a listener. */
export const WATCH_CALLS = [
  'watchQuery', 'watchRecord', 'watchStatus', 'watchSyncErrors', 'watchNotices', 'watchDrafts', 'watchHandle', 'watchEvents',
] as const;

export type PlainCalls = Pick<SyncEngine, (typeof PLAIN_CALLS)[number]>;

/** Any call that takes a listener. */
export type WatchName = (typeof WATCH_CALLS)[number];
