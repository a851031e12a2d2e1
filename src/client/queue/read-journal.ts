import { decodeEnvelope } from '../../protocol/envelope.ts';
import type { FieldValue } from '../../protocol/field.ts';
import { decodeValue } from '../../protocol/row.ts';
import type { LocalStore } from '../store/local-store.ts';
import { touchedPositions, valueIn, type Member } from '../store/rows.ts';
import { decodeEntry, orderedKey, STATE } from '../store/stored.ts';
import type { JournalEntry, JournalMember, StoredJournalRow } from './journal.ts';
import type { QueueEntry } from './queue-entry.ts';
import { restoreEdit } from './restore-edit.ts';

/** When a journal row's content left the queue. */
export function readJournalTime(bytes: Uint8Array): number {
  return (decodeEnvelope(bytes) as StoredJournalRow).leftAt;
}

/** Reads the journal, of one entry or whole, by entry and then oldest first. */
export async function readJournal(store: LocalStore, seq?: number): Promise<JournalEntry[]> {
  const found: JournalEntry[] = [];
  for await (const { bytes } of store.scanState(seq === undefined ? STATE.journal : orderedKey(STATE.journal, seq))) {
    const { leftAt, reason = 'undone', entry } = decodeEnvelope(bytes) as StoredJournalRow;
    const left = decodeEntry(Uint8Array.from(entry), store.layoutOf);
    found.push({ entry: left.seq, reason, leftAt, savedAt: left.savedAt, members: describeMembers(left) });
  }
  return found;
}

/** What an entry changes, as plain values; of a delete that an edit went into (rule C8), that edit first. */
export function describeMembers(entry: QueueEntry): JournalMember[] {
  return [...(restoreEdit(entry)?.members ?? []), ...entry.members].map(describeMember);
}

/** What a member changes, as plain values. */
export function describeMember(member: Member): JournalMember {
  const { object, id, op, layout } = member;
  const values = (which: 'previous' | 'next'): Record<string, FieldValue> =>
    Object.fromEntries(
      touchedPositions(member).flatMap((position) => {
        const { name, type } = layout.fields[position]!;
        const value = valueIn(member, which, position);
        return value === undefined ? [] : [[name, decodeValue(type, value)]];
      }),
    );
  return { object, id, op, previous: values('previous'), mine: values('next') };
}
