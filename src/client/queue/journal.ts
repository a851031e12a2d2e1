import { encodeEnvelope } from '../../protocol/envelope.ts';
import type { FieldValue } from '../../protocol/field.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { QueueEntry } from './queue-entry.ts';
import type { Step } from '../store/step.ts';
import { encodeEntry, orderedKey, STATE } from '../store/stored.ts';

/** Why a content left the queue without being saved online. */
export type JournalReason = 'undone' | 'discarded' | 'not-copied' | 'superseded';

/** What a save of the user was, kept for 30 days after it left the queue without being saved online (rule C11). */
export interface JournalEntry {
  /** The number of the queue entry. */
  readonly entry: number;
  /**
   * `undone`: the user took it back. `discarded`: the record was submitted elsewhere (rule A24). `not-copied`: the same, and the copy
   * does not have it (rule A23). `superseded`: another content took its place, because the user fixed it or kept it against a conflict.
   */
  readonly reason: JournalReason;
  /** Device time at which it left the queue, in milliseconds since 1970. */
  readonly leftAt: number;
  /** Device time of the save, in milliseconds since 1970. */
  readonly savedAt: number;
  /** The records that it changed. */
  readonly members: readonly JournalMember[];
}

/** One record of a save in the journal. */
export interface JournalMember {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What the user did. */
  readonly op: 'create' | 'update' | 'remove';
  /** What the user saw, by field; nothing for a create. */
  readonly previous: Readonly<Record<string, FieldValue>>;
  /** What the user wrote, by field; nothing for a delete. */
  readonly mine: Readonly<Record<string, FieldValue>>;
}

/** A row of the journal as it is stored. */
export interface StoredJournalRow {
  readonly leftAt: number;
  /** Rows of old have none: they were undone. */
  readonly reason?: JournalReason;
  readonly entry: Uint8Array;
}

/** Puts a content that leaves the queue unsaved into the journal, in the step in which it leaves. */
export function putJournal(step: Step, store: LocalStore, entry: QueueEntry, reason: JournalReason, leftAt: number): void {
  const row: StoredJournalRow = { leftAt, reason, entry: encodeEntry(entry) };
  // An entry can lose several contents one after another.
  step.putState.push({ key: orderedKey(`${orderedKey(STATE.journal, entry.seq)}/`, step.takeNote(store.meta)), bytes: encodeEnvelope(row) });
}
