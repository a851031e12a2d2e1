import type { FieldValue } from '../protocol/field.ts';
import type { ChangeOp } from '../protocol/items.ts';
import type { Refusal } from '../protocol/messages.ts';
import type { RecordVersion } from '../protocol/version.ts';
import type { SaveOccasion } from './save-hooks.ts';

/** One change of a save, as plain values. */
export interface EntryChange {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What was asked for. */
  readonly op: ChangeOp;
  /** What the user saw, by field; empty for a create. */
  readonly previous: Readonly<Record<string, FieldValue>>;
  /** What the user wrote, by field; empty for a delete. */
  readonly next: Readonly<Record<string, FieldValue>>;
}

/** What `prepare` is given. */
export interface PrepareContext extends SaveOccasion {
  /** Every change of the save, in order. Nothing of it was checked against what is online. */
  readonly changes: readonly EntryChange[];
}

/**
 * Runs before the transaction of a save: the place for calls to other services. Nobody waits for it but this save and those behind it
 * in the same request. It may refuse; what else it returns is `prepared` in the hooks inside the transaction. One that throws or runs
 * out of time leaves the save undecided, and the device sends it again. It may run more than once for one save, never after the decision.
 */
export type PrepareHook = (context: PrepareContext) => unknown;

/** What `afterCommit` is given. */
export interface AfterCommitContext extends SaveOccasion {
  /** The decision: `saved`, `refused`, and for devices `partlySaved`, `discarded` and `needsDuplicate` (rules A23, A24). */
  readonly outcome: 'saved' | 'partlySaved' | 'refused' | 'discarded' | 'needsDuplicate';
  /** Why, and which change, of what was refused wholly or in part. */
  readonly refusal: Omit<Refusal, 'online'> | null;
  /** What was asked for, in order; empty when the schema has no place for some of it. */
  readonly changes: readonly EntryChange[];
  /** Every record that the save touched, as it was committed: members, masters at all levels, what triggers wrote. */
  readonly records: readonly CommittedRecord[];
}

/** A record as a save committed it. */
export interface CommittedRecord {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** The version of this commit, or of an earlier one when this save left the record as it was. */
  readonly version: RecordVersion;
  /** Every field of the schema; `null` when the record is deleted. */
  readonly values: Readonly<Record<string, FieldValue>> | null;
}

/**
 * Runs once after each decision, never on a repeat of it, for messages and other consequences outside. It changes nothing any more: the
 * answer does not wait for it, and what it throws is logged. It runs at most once: a process that dies at that moment does not run it.
 */
export type AfterCommitHook = (context: AfterCommitContext) => unknown;
