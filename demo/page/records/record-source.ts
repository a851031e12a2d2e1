import type { Query } from '../../../src/client/query.ts';
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
}
