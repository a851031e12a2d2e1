import type { FieldValue } from '../../protocol/field.ts';

/** A draft: related edits that wait until the user has done with all of them (rule A12). */
export interface DraftInfo {
  /** Names the draft, also after a restart. */
  readonly id: string;
  /** The object of the record that it was opened on. */
  readonly object: string;
  /** That record's id at birth. */
  readonly recordId: string;
  /** Device time at which it was opened, in milliseconds since 1970. */
  readonly openedAt: number;
  /** How many records it changes. */
  readonly changes: number;
}

/** A record as a draft shows it. */
export interface DraftRecord {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
  /** What the draft does to it; `null` while it only shows it. */
  readonly op: 'create' | 'update' | 'remove' | null;
  /** Its values with the draft's edits; `null` where the draft deletes it. */
  readonly values: Readonly<Record<string, FieldValue>> | null;
}

/** What saving a draft answers once it is durable on this device. */
export interface DraftReceipt {
  /** The queue entries: one per group, and one per record outside groups; none when nothing really changed. */
  readonly entries: readonly number[];
}

/** What is asked of drafts, in plain data. */
export type DraftRequest =
  | { readonly kind: 'list' }
  | { readonly kind: 'open'; readonly object: string; readonly id: string | null }
  | ({ readonly kind: 'change'; readonly draft: string } & DraftChange)
  | { readonly kind: 'read' | 'save' | 'discard'; readonly draft: string };

/** One change inside a draft. Without an id, the record that it was opened on. */
export interface DraftChange {
  readonly op: 'create' | 'update' | 'remove';
  readonly object: string;
  readonly id?: string | undefined;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** What any request answers. */
export type DraftAnswer = DraftAnswers[DraftRequest['kind']];

/** What each request answers. */
export interface DraftAnswers {
  readonly list: readonly DraftInfo[];
  readonly open: DraftInfo;
  readonly change: { readonly object: string; readonly id: string };
  readonly read: readonly DraftRecord[];
  readonly save: DraftReceipt;
  readonly discard: DraftReceipt;
}
