import type { DraftInfo, DraftRecord } from '../../../src/client/drafts/draft.ts';
import type { RecordRef } from '../../../src/client/queue/outcomes.ts';
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

export type RecordQuery = Omit<Query, 'object'> & { readonly object: ObjectName };

/** Where the list and the form of a panel get their records: a device's client, or the server itself. */
export interface RecordSource {
  query(query: RecordQuery): Promise<readonly ShownRecord[]>;
  watchQuery(query: RecordQuery, listener: (records: readonly ShownRecord[]) => void): Unsubscribe;
  watchRecord(object: ObjectName, id: string, listener: (record: ShownRecord | null) => void): Unsubscribe;
  create(object: ObjectName, values: Values): Promise<{ readonly id: string }>;
  update(object: ObjectName, id: string, values: Values): Promise<void>;
  remove(object: ObjectName, id: string): Promise<void>;
  /** `null` in the back office, which saves at once. */
  readonly device: DeviceRecords | null;
}

/** One change inside a draft. */
export type DraftEdit =
  | { readonly op: 'create'; readonly object: ObjectName; readonly values: Values }
  | { readonly op: 'update'; readonly object: ObjectName; readonly id: string; readonly values: Values }
  | { readonly op: 'remove'; readonly object: ObjectName; readonly id: string };

/** What a device has besides records: edits that are not saved, saves that were refused, and the reasons why something waits. */
export interface DeviceRecords {
  /** Calls with all open drafts now, after each change of them, and after a restart. */
  watchDrafts(listener: (drafts: readonly DraftInfo[]) => void): Unsubscribe;
  /** Opens a draft on a record and its group, or on a record that it creates. */
  openDraft(object: ObjectName, id: string | null): Promise<DraftInfo>;
  changeDraft(draft: string, edit: DraftEdit): Promise<RecordRef>;
  readDraft(draft: string): Promise<readonly DraftRecord[]>;
  saveDraft(draft: string): Promise<void>;
  discardDraft(draft: string): Promise<void>;
  explain(object: ObjectName, id: string): Promise<readonly SyncReason[]>;
  /** Sends other values in the place of refused ones. */
  fix(syncError: number, members: readonly FixedMember[]): Promise<void>;
}
