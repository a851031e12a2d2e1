/**
 * What only people ask for, now and then, and offline too: a worker part of its own (docs/decisions/0011-worker-parts.md), loaded after
 * the store is open.
 */
export { acknowledgeNotice } from './acknowledge-notice.ts';
export { explainRecord } from './explain-record.ts';
export { exportEntries } from './export-entries.ts';
export { createInbox } from './inbox.ts';
export { resolve, resolveAll } from './resolutions.ts';
export { signOut, wipe } from './sign-out.ts';
export { readJournal } from '../queue/read-journal.ts';
