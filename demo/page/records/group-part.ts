import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { SyncError } from '../../../src/client/inbox/sync-error.ts';
import type { FieldValue } from '../../../src/schema.ts';
import type { LineKind } from '../crm/groups.ts';
import type { Values } from '../crm/object-face.ts';
import type { FieldHost, RecordForm } from './record-form.ts';
import type { SyncMark } from './record-source.ts';

/** What a form has besides the fields of its record when lines are edited with it. */
export interface GroupPart {
  readonly lists: readonly LineList[];
  /** When the draft behind the form was opened, in milliseconds since 1970; `null` without one. */
  readonly draftOpenedAt: number | null;
  /** The state that closes the record on devices, such as `Placed`. */
  readonly submittedAs: string | null;
  /** The refused change that saving sends again with other values. */
  readonly fixing: SyncError | null;
  /** Whether the header itself may be edited: of a refused change, only what it was about. */
  readonly isHeaderOpen: boolean;
  addLine(kind: LineKind): void;
  /** Throws the draft away; its content goes to the journal. */
  discard(): Promise<void>;
  /** Begins a new record with what the form holds, lines included, in the place of the draft behind it; `null` when that did not work. */
  copyToNew(): Promise<RecordRef | null>;
}

/** Whether a form shows edits that are not saved. */
export function hasDraft({ group }: Pick<RecordForm, 'group'>): boolean {
  return typeof group?.draftOpenedAt === 'number';
}

export interface LineList extends LineKind {
  readonly lines: readonly LineForm[];
}

/** One line in the form of its header. */
export interface LineForm extends FieldHost {
  readonly id: string;
  readonly values: Values;
  readonly mark: SyncMark | null;
  /** What the server made of it; `null` while it may be another after the save. */
  readonly amount: FieldValue;
  readonly isOpen: boolean;
  remove(): void;
}
