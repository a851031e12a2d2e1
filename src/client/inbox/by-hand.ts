/**
 * What only people ask for, now and then, and offline too: a worker part of its own (docs/decisions/0011-worker-parts.md), loaded after
 * the store is open.
 */
export { explain } from './explain.ts';
export { explainParked } from './explain-parked.ts';
export { exportEntries } from './export-entries.ts';
export { Inbox } from './inbox.ts';
export { resolve, resolveAll } from './resolutions.ts';
export { wipeStore } from '../store/wipe.ts';
