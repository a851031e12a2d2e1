import type { EngineContext } from './engine-context.ts';
import { describeMember } from './journal.ts';
import type { ExportedEntry } from './sync-error.ts';

/** Hands entries out as plain data; nothing changes. Those that have left the queue are left out. */
export function exportEntries({ store }: Pick<EngineContext, 'store'>, entries: readonly number[] | 'all'): ExportedEntry[] {
  const wanted = entries === 'all' ? [...store.entries] : entries.flatMap((seq) => store.entry(seq) ?? []);
  return wanted.map(({ seq, savedAt, state, members, refusal }) => ({
    entry: seq,
    savedAt,
    state,
    members: members.map(describeMember),
    refusal: refusal && { class: refusal.class, code: refusal.code, message: refusal.message, refusedAt: refusal.refusedAt },
  }));
}
