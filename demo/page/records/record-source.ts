import type { DraftInfo, DraftRecord } from '../../../src/client/drafts/draft.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
import type { NewerVersion } from '../../../src/client/handles/handle.ts';
import type { SyncReason } from '../../../src/client/inbox/explain.ts';
import type { Query } from '../../../src/client/read/query.ts';
import type { FixedMember } from '../../../src/client/inbox/sync-error.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { ObjectName } from '../../schema.ts';
import type { Values } from '../crm/object-face.ts';

/** Where a record stands between device and server; the back office has no such thing. */
export type SyncMark = 'synced' | 'waiting' | 'sending' | 'error';

export interface ShownRecord {
  readonly object: ObjectName;
  readonly id: string;
  readonly values: Values;
  readonly mark: SyncMark | null;
}

/** What a form has open. */
export interface OpenShown {
  /** As the form is to show it; `null` while there is none. */
  readonly record: ShownRecord | null;
  /** What there is beside that: nothing changes under the person's eyes. `null` where there is nothing newer, and in the back office. */
  readonly newer: NewerVersion | null;
}

/** A record that a form has open. What is saved through it conflicts with what the form never showed. */
export interface OpenedRecord {
  update(values: Values): Promise<void>;
  remove(): Promise<void>;
  /** Shows the newer version, where it is safe. */
  showNewest(): Promise<void>;
  close(): void;
}

export type RecordQuery = Omit<Query, 'object'> & { readonly object: ObjectName };

/** Where the list and the form of a panel get their records: a device's client, or the server itself. */
export interface RecordSource {
  query(query: RecordQuery): Promise<readonly ShownRecord[]>;
  watchQuery(query: RecordQuery, listener: (records: readonly ShownRecord[]) => void): Unsubscribe;
  /** Opens a record for a person. On a device nothing of it changes until it is closed, but by the person's own saves. */
  openRecord(object: ObjectName, id: string, listener: (shown: OpenShown) => void): OpenedRecord;
  create(object: ObjectName, values: Values): Promise<{ readonly id: string }>;
  /** `null` in the back office, which saves at once. */
  readonly device: DeviceRecords | null;
}

/** One change inside a draft. */
export type DraftEdit =
  | { readonly op: 'create'; readonly object: ObjectName; readonly values: Values }
  | { readonly op: 'update'; readonly object: ObjectName; readonly id: string; readonly values: Values }
  | { readonly op: 'remove'; readonly object: ObjectName; readonly id: string };

/** A line to be copied. */
export interface CopiedLine {
  readonly object: ObjectName;
  readonly values: Values;
}

/** What a device has besides records: edits that are not saved, saves that were refused, and the reasons why something waits. */
export interface DeviceRecords {
  /** Calls with all open drafts now, after each change of them, and after a restart. */
  watchDrafts(listener: (drafts: readonly DraftInfo[]) => void): Unsubscribe;
  /** Opens a draft on a record and its group, or on a record that it creates. */
  openDraft(object: ObjectName, id: string | null): Promise<DraftInfo>;
  changeDraft(draft: string, edit: DraftEdit): Promise<RecordRef>;
  readDraft(draft: string): Promise<readonly DraftRecord[]>;
  /** Queues what a draft changes; answers the queue entries. */
  saveDraft(draft: string): Promise<readonly number[]>;
  /** Resolves when the server has decided on entries: whether it saved all of them. */
  areSaved(entries: readonly number[]): Promise<boolean>;
  discardDraft(draft: string): Promise<void>;
  /** Begins a draft of a new record with what another one has, lines included; one that was closed is open again. */
  copyToDraft(object: ObjectName, header: Values, lines: readonly CopiedLine[]): Promise<RecordRef>;
  explain(object: ObjectName, id: string): Promise<readonly SyncReason[]>;
  /** Sends other values in the place of refused ones. */
  fix(syncError: number, members: readonly FixedMember[]): Promise<void>;
}
