import type { EngineContext } from '../engine-context.ts';
import { findSyncError, undoName } from './find-sync-error.ts';
import { putJournal } from '../queue/journal.ts';
import { putOutcome } from '../queue/outcomes.ts';
import { keysOf, laneKeysOf, type QueueEntry } from '../queue/queue-entry.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Step } from '../store/step.ts';
import { mergeFreed } from '../answers/release.ts';
import { Settlement } from '../answers/settle.ts';
import { noteWanted } from '../store/wanted.ts';
import { findDependants } from '../network/upload-plan.ts';

/**
 * Takes a refused change back, with everything that waits behind it; contents go to the journal in the same commit (rules B13, C11).
 * Every record of them, and so the whole group, becomes what the server last said, without asking it: it is noted that they are to be read
 * anew. Answers what was taken back, the refused entry first. Must run between two commits.
 *
 * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`
 */
export async function undoSyncError(context: EngineContext, syncError: number): Promise<QueueEntry[]> {
  const { store, schema, rules, clock, emit } = context;
  const entry = findSyncError(store, syncError);
  const dependants = findDependants(entry, store.entries, schema).filter(rules.takesAlong);
  const all = [entry, ...dependants];
  const settlement = new Settlement(store, rules, await store.readBases(all.flatMap(keysOf)));
  settlement.undo(entry, dependants);
  for (const taken of all) putUndone(settlement.step, store, taken, clock.now());
  noteWanted(settlement.step, all.flatMap(laneKeysOf));
  const events = await mergeFreed(context, settlement);
  await store.commit(settlement.step, 'strict');
  emit({ type: 'sync-error:resolved', syncError, action: undoName(entry) });
  events.forEach(emit);
  return all;
}

/** Notes that the user took an entry back: its content goes to the journal, in the step in which it leaves the queue. */
function putUndone(step: Step, store: LocalStore, entry: QueueEntry, at: number): void {
  const { seq, refusal } = entry;
  putJournal(step, store, entry, 'undone', at);
  putOutcome(step, seq, refusal?.isRemainder === true ? { kind: 'partlySaved', refused: refusal.fields, syncError: null } : { kind: 'undone' }, at);
}
