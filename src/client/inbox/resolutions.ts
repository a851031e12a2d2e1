import { joinRow, mapRow, valueAt } from '../../protocol/row.ts';
import { describeFault, isFault, SyncFault } from '../../shared/fault.ts';
import type { EngineContext } from '../engine-context.ts';
import { findSyncError } from './find-sync-error.ts';
import { planFix } from './fix.ts';
import type { Inbox } from './inbox.ts';
import { putJournal } from '../queue/journal.ts';
import { putOutcome } from '../queue/outcomes.ts';
import { keysOf, type QueueEntry } from '../queue/queue-entry.ts';
import { planRecreate } from './recreate.ts';
import { touchedPositions, type HeldImage, type Member } from '../store/rows.ts';
import { mergeFreed } from '../answers/release.ts';
import { AnswerSettlement } from '../answers/settle-answer.ts';
import type { Settlement } from '../answers/settle.ts';
import type { Fix, Resolution, ResolutionOutcome, ResolutionReceipt } from './sync-error.ts';
import { actionsOf, onlineOf } from './sync-error-list.ts';

/**
 * Resolves one sync error (rules B13, A26): the refused entry leaves, or another takes its place in the queue.
 *
 * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`, `SYNC_ERROR_ACTION_UNAVAILABLE`, what a save may throw for the values of a `fix`, and
 * faults of the transport where the server must be asked first
 */
export async function resolve(inbox: Inbox, syncError: number, action: Resolution, fix: Fix = {}): Promise<ResolutionReceipt> {
  const { context, wakeUpload } = inbox.options;
  const entry = checkAction(context, syncError, action);
  if (action === 'undo' || action === 'undelete') {
    const { entries } = await inbox.undo(syncError);
    return { kind: entries.length === 0 ? 'settled' : 'resolved', undone: entries, recreated: [] };
  }
  // Its number is spoken for: under it the change could still arrive, whatever takes its place here.
  if (action !== 'retry' && !(await inbox.giveUpNumber(entry))) return { kind: 'settled', undone: [], recreated: [] };
  const recreated = await context.steps.run(() => supersede(inbox, checkAction(context, syncError, action), action, fix));
  inbox.shown.delete(syncError);
  context.emit({ type: 'sync-error:resolved', syncError, action });
  wakeUpload();
  return { kind: 'resolved', undone: [], recreated };
}

/** Resolves several, one after another: what fails for one does not stop the others. */
export async function resolveAll(inbox: Inbox, syncErrors: readonly number[] | 'all', action: Resolution): Promise<ResolutionOutcome[]> {
  const { store } = inbox.options.context;
  const known = new Set([...store.entries].filter(({ state }) => state === 'failed').map(({ seq }) => seq));
  const outcomes: ResolutionOutcome[] = [];
  for (const syncError of syncErrors === 'all' ? known : syncErrors) {
    try {
      outcomes.push({ syncError, ...(await resolve(inbox, syncError, action)) });
    } catch (fault) {
      const isGone = isFault(fault, 'SYNC_ERROR_UNKNOWN') && known.has(syncError);
      outcomes.push(isGone ? { syncError, kind: 'gone' } : { syncError, kind: 'failed', fault: describeFault(fault) });
    }
  }
  return outcomes;
}

function checkAction({ store }: EngineContext, syncError: number, action: Resolution): QueueEntry {
  const entry = findSyncError(store, syncError);
  const actions = actionsOf(entry);
  // Who undoes many at once need not tell deletes apart.
  if (actions.includes(action) || (action === 'undo' && actions.includes('undelete'))) return entry;
  throw new SyncFault('SYNC_ERROR_ACTION_UNAVAILABLE', `sync error ${syncError} (${entry.refusal!.class}) can be resolved by ${actions.join(', ')}, not by ${action}`, {
    details: { syncError, class: entry.refusal!.class, action, actions: actions.join(' ') },
  });
}

/** Rules B13, A26: another entry takes the place of the refused one. */
async function supersede({ options: { context }, shown: lists }: Inbox, entry: QueueEntry, action: Resolution, fix: Fix): Promise<ResolutionReceipt['recreated']> {
  const { store, rules, clock } = context;
  // What nobody has seen is not decided on: the server compares with what was shown, and refuses again if something else is there by now.
  const seen = lists.get(entry.seq);
  if (action === 'recreate') {
    const { settlement, entry: made, recreated } = await planRecreate(context, entry);
    putInPlace(context, settlement, { ...requeued(entry), ...made });
    const events = await mergeFreed(context, settlement);
    await store.commit(settlement.step, 'strict');
    events.forEach(context.emit);
    return recreated;
  }
  const keys = keysOf(entry);
  const bases = await store.readBases(keys);
  const settlement = new AnswerSettlement(store, rules, bases);
  const shown = seen ?? entry.members.map((_, index) => onlineOf(entry, index, store, bases));
  if (action === 'retry') putInPlace(context, settlement, { ...requeued(entry), ...rules.retryAs(entry) });
  else if (action === 'keepMine') {
    const members = entry.members.map((member, index) => rebasedOnto(member, rules.keepMineOver(shown[index]!, bases.get(keys[index]!) ?? null)));
    putInPlace(context, settlement, { ...requeued(entry), members });
  } else {
    // What comes after begins from the fixed values: the entry itself does not come after.
    settlement.step.removeEntry(entry);
    const members = await planFix(context, settlement, { entry, fix, shown, bases });
    putJournal(settlement.step, store, entry, 'superseded', clock.now());
    const left = new Set(keysOf({ ...entry, members }));
    // Records that have nothing left to send become what the server last said.
    settlement.undo({ ...entry, members: entry.members.filter((_, index) => !left.has(keys[index]!)) }, []);
    if (members.length > 0) putInPlace(context, settlement, { ...requeued(entry), members });
    else putOutcome(settlement.step, entry.seq, { kind: 'withdrawn' }, clock.now());
  }
  const events = await mergeFreed(context, settlement);
  await store.commit(settlement.step, 'strict');
  events.forEach(context.emit);
  return [];
}

/** The entry as it waits again, under a number that is still to be given. */
function requeued(entry: QueueEntry): QueueEntry {
  return { ...entry, state: 'queued', number: null, refusal: null, deferrals: 0, deferredSince: null };
}

function putInPlace({ store, rules }: EngineContext, { step }: Settlement, entry: QueueEntry): void {
  const seq = rules.placeOf(entry.seq, store.meta.nextSeq);
  if (seq !== entry.seq) {
    step.removeEntry(entry);
    step.meta = { ...step.meta, nextSeq: seq + 1 };
  }
  step.putEntry({ ...entry, seq });
}

/** A member that begins from what is online, as the sync error showed it. */
function rebasedOnto(member: Member, online: HeldImage | null): Member {
  if (member.previous === null || online === null || online.row === null) return member;
  const row = mapRow(online.layout, member.layout, online.row);
  return { ...member, base: online.version, previous: joinRow(touchedPositions(member).map((position) => valueAt(row, position))) };
}
