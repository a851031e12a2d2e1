import { encodeEnvelope } from '../../protocol/envelope.ts';
import type { Step } from '../store/step.ts';
import { orderedKey, STATE } from '../store/stored.ts';

/** Names one record. */
export interface RecordRef {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
}

/** How an entry ended (rule C11). */
export type EntryOutcome =
  | {
      /** The server saved it. */
      readonly kind: 'saved';
    }
  | {
      /** The server saved it but for some fields (`keepCleanFields`). */
      readonly kind: 'partlySaved';
      /** The fields that were refused. */
      readonly refused: readonly string[];
      /** The number to give to `syncErrors.undo`; `null` once the refused fields were taken back. */
      readonly syncError: number | null;
    }
  | {
      /** The server refused it; it waits for the user. */
      readonly kind: 'refused';
      /** The number to give to `syncErrors.undo`. */
      readonly syncError: number;
    }
  | {
      /** The record was submitted on another device: the group was saved as a record of its own (rule A23). */
      readonly kind: 'duplicated';
      /** What was submitted elsewhere. */
      readonly original: RecordRef;
      /** What holds the user's work now. */
      readonly duplicate: RecordRef;
    }
  | {
      /** The record was submitted on another device, and the user's later edits were dropped (rule A24). The journal has them. */
      readonly kind: 'discarded';
      /** The number of the notice that says so. */
      readonly notice: number;
    }
  | {
      /** The user took it back. The journal has its content for 30 days. */
      readonly kind: 'undone';
    }
  | {
      /** Nothing was left to send: a later save joined it, or deleted what it created (rule C8). */
      readonly kind: 'withdrawn';
    }
  | {
      /** It ended more than 30 days ago: nobody knows any more how. */
      readonly kind: 'forgotten';
    };

/** A row of outcomes as it is stored. */
export interface StoredOutcome {
  readonly at: number;
  /** The number of the entry that has this one's content now stands for an outcome until that one ends (rule A23). */
  readonly outcome: EntryOutcome | number;
}

/** Notes how an entry ended, in the step in which it does, or which entry has its content now. Only of saved ones nothing is kept. */
export function putOutcome(step: Step, seq: number, outcome: EntryOutcome | number, at: number): void {
  const stored: StoredOutcome = { at, outcome };
  step.putState.push({ key: orderedKey(STATE.outcome, seq), bytes: encodeEnvelope(stored) });
}
