import type { EditValues } from '../../core/core.ts';
import { Settlement } from '../answers/settle.ts';
import type { EngineContext } from '../engine-context.ts';
import type { SaveReceipt } from '../engine.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { memberOn, versionOf } from '../store/rows.ts';
import { GroupFinder } from './groups.ts';
import { guardEdits } from './guard.ts';
import { releaseWith, withdrawEntry } from './queue-entries.ts';
import { keysOf, type QueueEntry } from './queue-entry.ts';
import { restoreEdit } from './restore-edit.ts';
import { saveFault } from './save-changes.ts';
import type { Edit } from './transaction.ts';

/** Rule B13: takes back a delete that waits and was never sent, with the group that was deleted with it. */
export async function restoreRecord(context: EngineContext, object: string, id: string): Promise<SaveReceipt> {
  const { store, records, rules, emit } = context;
  store.layout(object);
  const key = await records.resolve(object, id);
  const entry = store.entriesOf(key).at(-1);
  const isLast = entry !== undefined && keysOf(entry).every((member) => store.entriesOf(member).at(-1) === entry);
  if (!isLast || entry.state !== 'queued' || entry.number !== null || entry.members.some(({ op }) => op !== 'remove')) {
    throw saveFault('RECORD_MISSING', key, 'was not deleted here, or its delete was sent');
  }
  const edit = restoreEdit(entry);
  const finder = new GroupFinder(context);
  await guardEdits(context, finder, await Promise.all(keysOf(entry).map((member) => restoredBy(context, finder, member, edit))));
  const settlement = new Settlement(store, rules, await store.readBases(keysOf(entry)));
  if (edit === null) withdrawEntry(context, settlement, entry, { kind: 'undone' });
  else settlement.step.putEntry(edit);
  const events = await releaseWith(context, settlement);
  await store.commit(settlement.step, 'strict');
  if (edit === null) emit({ type: 'change:withdrawn', entry: entry.seq });
  events.forEach(emit);
  return { ...splitKey(key), entry: entry.seq };
}

/** What taking a delete back saves of a record: nothing, or the edit that waited when it was deleted. */
async function restoredBy({ store, core }: EngineContext, finder: GroupFinder, key: Key, edit: QueueEntry | null): Promise<Edit> {
  const { object } = splitKey(key);
  const layout = store.layout(object);
  const { base } = await finder.record(key);
  const before = edit && store.rowOf(base, object);
  const member = edit && memberOn(layout, edit.members[0]!);
  const after = before && core.applyEdit(layout, member as EditValues, member!.mask!, before);
  return { key, layout, before, after, base: versionOf(base), change: null };
}
