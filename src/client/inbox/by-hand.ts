/**
 * What only people ask for, now and then, and offline too: a worker part of its own (docs/decisions/0011-worker-parts.md), loaded after
 * the store is open.
 */
export { createByHandCalls } from './by-hand-calls.ts';
export { createInbox } from './inbox.ts';
export { OutcomeWaiters } from '../queue/outcome-waiters.ts';
export { restoreRecord } from '../queue/restore-record.ts';
