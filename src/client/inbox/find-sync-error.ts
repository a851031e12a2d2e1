import { SyncFault } from '../../shared/fault.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { QueueEntry } from '../queue/queue-entry.ts';

/** Taking back a delete is called `undelete`. */
export function undoName(entry: QueueEntry): 'undo' | 'undelete' {
  return entry.members.every(({ op }) => op === 'remove') ? 'undelete' : 'undo';
}

/** Finds a refused entry. @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN` */
export function findSyncError(store: LocalStore, syncError: number): QueueEntry {
  const entry = store.entry(syncError);
  if (entry?.state === 'failed') return entry;
  throw new SyncFault('SYNC_ERROR_UNKNOWN', `there is no sync error ${syncError}`, { details: { syncError } });
}
