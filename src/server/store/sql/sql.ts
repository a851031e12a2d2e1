import { SyncFault } from '../../../shared/fault.ts';

/** What a statement can be given. Arrays are for `unnest`. */
export type SqlValue = string | number | boolean | Uint8Array | null | readonly (string | number | boolean | Uint8Array | null)[];

/** A row of an answer: int8 as number, bytea as Uint8Array, json parsed, whatever the driver makes of them itself. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Statements of one transaction. */
export interface Sql {
  query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

/** A record appeared that this transaction had found missing and was about to create: it has to look again. */
export class RecordAppeared extends SyncFault {
  constructor() {
    super('STORAGE_FAILED', 'a record that was to be created is there by now');
  }
}

/** How feed rows that are over go: with the partition of their day, or one by one. */
export type FeedRetention = 'partition' | 'delete';

/** A Postgres of any kind: what an engine brings so that the SQL store runs on it. */
export interface SqlDriver {
  /** What the engine can do with days that are over. */
  retention(): Promise<FeedRetention>;
  /** Runs work in a transaction, a read on one snapshot; rolls back when it throws, and lets through what it throws. */
  transaction<T>(mode: 'read' | 'write', work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Says whether a transaction failed only because of another one: serialization failure, deadlock. */
  isRetryable(thrown: unknown): boolean;
  close(): Promise<void>;
}
