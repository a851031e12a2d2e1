import type { FieldValue } from '../../protocol/field.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { RecordRef } from '../queue/outcomes.ts';

/** What every notice says. */
export interface NoticeBase {
  /** Names it for `notices.acknowledge`. */
  readonly id: number;
  /** The object of the record that it is about. */
  readonly object: string;
  /** That record's id at birth (rule C1): of a group, the one that leads it. */
  readonly recordId: string;
  /** The numbers of the queue entries that it is about. */
  readonly entries: readonly number[];
  /** Device time, in milliseconds since 1970. */
  readonly raisedAt: number;
  /** Device time at which the user has read it; `null` before. */
  readonly acknowledgedAt: number | null;
}

/** What a notice of some kind says besides. */
export type NoticeSubject =
  | {
      /** The record was submitted on another device: later edits were dropped, and are in the journal (rule A24). To be acknowledged. */
      readonly kind: 'discarded';
    }
  | {
      /** The record was submitted on another device: the edits were saved as a record of its own (rule A23). To be acknowledged. */
      readonly kind: 'duplicated';
      /** What holds the user's work now. */
      readonly duplicate: RecordRef;
      /** Records with edits that the copy does not have; they are in the journal. */
      readonly notCopied: readonly RecordRef[];
    }
  | {
      /** An edit replaced what somebody else wrote online (rule A22). Quiet: it goes after 30 days by itself. */
      readonly kind: 'overwritten';
      /** The values online that it replaced, one by one. */
      readonly fields: readonly OverwrittenField[];
    }
  | {
      /** The server deleted a record as it saved it, or moved it out of the user's sight (rule A27). To be acknowledged. */
      readonly kind: 'removed';
      /** What the record is now; `hidden`: the user may not see it. */
      readonly state: 'deleted' | 'hidden';
    };

/** One value online that an edit replaced. */
export interface OverwrittenField extends RecordRef {
  /** The field's name. */
  readonly field: string;
  /** What was online. */
  readonly online: FieldValue;
  /** What the user wrote; `null` too where the user deleted the record. */
  readonly mine: FieldValue;
}

/** Something that the user is to know and need not repair: durable, on this device. */
export type Notice = NoticeBase & NoticeSubject;

/** Says whether a notice waits for the user; a quiet one does not. */
export function mustAcknowledge({ kind, acknowledgedAt }: Notice): boolean {
  return kind !== 'overwritten' && acknowledgedAt === null;
}

/** How many notices the user has not acknowledged. */
export function countNotices(store: LocalStore): number {
  let count = 0;
  for (const { acknowledgedAt } of store.notices.values()) if (acknowledgedAt === null) count++;
  return count;
}
