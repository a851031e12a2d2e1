import type { FieldValue } from '../../protocol/field.ts';
import type { RefusalClass } from '../../protocol/messages.ts';
import type { FaultShape } from '../../shared/fault.ts';
import type { JournalMember } from '../queue/journal.ts';

/** Values of one field in a sync error: what the user saw, what the user wrote, what is online. */
export interface SyncErrorField {
  /** The field's name. */
  readonly field: string;
  /** What the user saw before the change. */
  readonly previous: FieldValue;
  /** What the user wrote. */
  readonly mine: FieldValue;
  /** What is online, as far as this device knows; `null` where the record is gone or may not be seen. */
  readonly online: FieldValue;
  /** Why the change was refused: a value in conflict, or one that validation did not take. */
  readonly isCause: boolean;
}

/** One record of a refused change. */
export interface SyncErrorMember {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly recordId: string;
  /** What the user did. */
  readonly op: 'create' | 'update' | 'remove';
  /** The fields that the change touched, and those that caused the refusal. */
  readonly fields: readonly SyncErrorField[];
  /** What is known of the record online; `hidden`: the user may not see it, `unknown`: this device never had it. */
  readonly onlineState: 'live' | 'deleted' | 'hidden' | 'unknown';
}

/** A save that waits behind a refused one. */
export interface SyncErrorDependant {
  /** The number of its queue entry. */
  readonly entry: number;
  /** The object of the record that it is about. */
  readonly object: string;
  /** That record's id at birth. */
  readonly id: string;
}

/**
 * How a sync error can be resolved (rules B13, A26). `undo`: take the change back; of a refused delete it is called `undelete`. `retry`:
 * send the same again. `keepMine`: overwrite what is online, as the list last showed it; what came in since is refused again, rather than
 * overwritten unseen. `fix`: send other values in its place. `recreate`: save what is here as a new record. `export`: hand the contents
 * out; it resolves nothing.
 */
export type SyncErrorAction = 'undo' | 'undelete' | 'retry' | 'keepMine' | 'fix' | 'recreate' | 'export';

/** A change that the server refused: data that waits for the user, durable like the change itself. */
export interface SyncError extends SyncErrorMember {
  /** Names it for `syncErrors`; the number of the refused entry. */
  readonly id: number;
  /** Why it was refused (rule A26). */
  readonly class: RefusalClass;
  /** The host's own code from a hook, or the class again. */
  readonly code: string;
  /** The server's sentence for the user. */
  readonly message: string;
  /** Every record of the change, in the order of the save. `object`, `recordId` and the rest of the error are those of the one refused. */
  readonly members: readonly SyncErrorMember[];
  /** Device time of the save, in milliseconds since 1970. */
  readonly savedAt: number;
  /** Device time of the refusal, in milliseconds since 1970. */
  readonly refusedAt: number;
  /** Saves that wait behind it and would be undone with it. */
  readonly dependants: readonly SyncErrorDependant[];
  /** What can be done about it. */
  readonly actions: readonly SyncErrorAction[];
}

/** What an undo took back. */
export interface UndoReceipt {
  /** Every entry taken back, the refused one first. Their contents are in the journal. */
  readonly entries: readonly number[];
}

/** The values of a `fix` for one record of a refused group. */
export interface FixedMember {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id, at birth or the server's. */
  readonly id: string;
  /** The values to send in place of those refused; fields left out stay as they are. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The values of a `fix`: of the record that was refused, or of several records of its group. */
export type Fix = Readonly<Record<string, unknown>> | readonly FixedMember[];

/** The actions that change something. */
export type Resolution = Exclude<SyncErrorAction, 'export'>;

/** What resolving a sync error did. */
export interface ResolutionReceipt {
  /** `settled`: the server had decided on it after all, and its decision stands; `outcome` has it. */
  readonly kind: 'resolved' | 'settled';
  /** Entries taken back; none where the change was queued again. */
  readonly undone: readonly number[];
  /** The new id of each record that was created anew; only after `recreate`. */
  readonly recreated: readonly RecreatedRecord[];
}

/** A record that was created anew, under another id. */
export interface RecreatedRecord {
  /** The object's name in the schema. */
  readonly object: string;
  /** The id at birth of the record that is gone. */
  readonly from: string;
  /** The id at birth of the new one. */
  readonly to: string;
}

/** What became of one of several sync errors. */
export type ResolutionOutcome =
  | ({
      /** Its number; what happened is told as by the call for one. */
      readonly syncError: number;
    } & ResolutionReceipt)
  | {
      /** Its number. */
      readonly syncError: number;
      /** There was no such sync error any more: an earlier one of the same call took it along. */
      readonly kind: 'gone';
    }
  | {
      /** Its number. */
      readonly syncError: number;
      /** It stays as it was. */
      readonly kind: 'failed';
      /** Why, as the call for one throws it. */
      readonly fault: FaultShape;
    };

/** A save that the server does not have, or a draft, as plain data. */
export interface ExportedEntry {
  /** The number of the queue entry; `null` for a draft. */
  readonly entry: number | null;
  /** Device time of the save, or at which the draft was opened, in milliseconds since 1970. */
  readonly savedAt: number;
  /** `sending`: it may have arrived. */
  readonly state: 'queued' | 'sending' | 'failed' | 'draft';
  /** Every record that it changes. */
  readonly members: readonly JournalMember[];
  /** Why the server refused it, as the sync error says; `null` where it has not. */
  readonly refusal: Pick<SyncError, 'class' | 'code' | 'message' | 'refusedAt'> | null;
}
