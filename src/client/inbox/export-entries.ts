import { readDrafts } from '../drafts/draft-rows.ts';
import type { EngineContext } from '../engine-context.ts';
import { describeMember, describeMembers } from '../queue/read-journal.ts';
import { splitKey } from '../store/record-key.ts';
import { memberBetween } from '../queue/save.ts';
import type { ExportedEntry } from './sync-error.ts';

/** Hands entries out as plain data; nothing changes. `all` with the drafts; entries that have left the queue are left out. */
export async function exportEntries(context: Pick<EngineContext, 'store' | 'schema'>, entries: readonly number[] | 'all'): Promise<ExportedEntry[]> {
  const { store } = context;
  const wanted = entries === 'all' ? [...store.entries] : entries.flatMap((seq) => store.entry(seq) ?? []);
  const exported = wanted.map(
    (entry): ExportedEntry => {
      const { seq, savedAt, state, refusal } = entry;
      return {
        entry: seq,
        savedAt,
        state,
        members: describeMembers(entry),
        refusal: refusal && { class: refusal.class, code: refusal.code, message: refusal.message, refusedAt: refusal.refusedAt },
      };
    },
  );
  return entries === 'all' ? [...exported, ...(await exportDrafts(context))] : exported;
}

async function exportDrafts({ store, schema }: Pick<EngineContext, 'store' | 'schema'>): Promise<ExportedEntry[]> {
  return [...(await readDrafts(store)).values()].map((records) => {
    const held = [...records.values()].sort((left, right) => left.place - right.place);
    const members = held.flatMap(({ key, layout, seen, row, base }) => memberBetween(schema, layout, splitKey(key).id, seen, row, base) ?? []);
    const savedAt = Math.max(0, ...held.map(({ openedAt }) => openedAt ?? 0));
    return { entry: null, savedAt, state: 'draft', members: members.map(describeMember), refusal: null };
  });
}
