import type { Schema } from '../../protocol/schema.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Random } from '../../shared/random.ts';
import type { StorageAdapter, StoreOwner } from '../../storage/storage-adapter.ts';
import type { ClientRules } from '../rules.ts';
import type { ChangedRecords } from './changed-records.ts';

/** What a store is opened with. */
export interface LocalStoreOptions {
  readonly schema: Schema;
  readonly owner: StoreOwner;
  readonly storage: StorageAdapter;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: ClientRules;
  /** Rule A10: the store is read and left as it is. */
  readonly isReadOnly?: boolean;
  /** Hears which records a commit changed. */
  readonly onCommitted: (keys: ChangedRecords) => void;
}
