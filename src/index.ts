/**
 * The public names that every binding has in common, one by one: a change of the public API shows here.
 */
export type { WaitOptions } from './client/abortable.ts';
export type { ClientEvent, ClientEvents } from './client/client-events.ts';
export type { BulkResolution, SyncErrors } from './client/client-sync-errors.ts';
export type { DraftInfo, DraftReceipt, DraftRecord } from './client/draft.ts';
export type { DownloadReceipt, Lifecycle, RecordSyncState, SaveReceipt, TransactionReceipt } from './client/engine.ts';
export type { SyncReason } from './client/explain.ts';
export type { JournalEntry, JournalMember, JournalReason } from './client/journal.ts';
export type { Notice, NoticeBase, NoticeSubject, OverwrittenField } from './client/notices.ts';
export type { EntryOutcome, RecordRef } from './client/outcomes.ts';
export type { OrderTest, RecordOrder, RecordQuery, SyncedRecord, TextTest, ValueTest } from './client/record-query.ts';
export type { RuntimeEvent, RuntimeKind, RuntimeReport, SkippedRuntime } from './client/runtime.ts';
export type { SignOutOptions, Unsent, WipeOptions } from './client/sign-out.ts';
export type { DownloadProgress, SyncStatus } from './client/status.ts';
export type { LiveValue, SubscribeOptions } from './client/subscription.ts';
export type { Journal, Notices, SyncClient } from './client/sync-client.ts';
export type {
  ExportedEntry,
  Fix,
  FixedMember,
  RecreatedRecord,
  Resolution,
  ResolutionOutcome,
  ResolutionReceipt,
  SyncError,
  SyncErrorAction,
  SyncErrorDependant,
  SyncErrorField,
  SyncErrorMember,
  UndoReceipt,
} from './client/sync-error.ts';
export type { SyncEvent } from './client/sync-event.ts';
export type { SeenValues, TransactionChange, UpdateOptions } from './client/typed-changes.ts';
export type { Draft, Drafts } from './client/typed-drafts.ts';
export type { SyncObject } from './client/typed-objects.ts';
export type { RefusalClass } from './protocol/messages.ts';
export type {
  CreateInput,
  Field,
  FieldOwner,
  FieldType,
  FieldValue,
  InputOf,
  JsonValue,
  ObjectDefinition,
  ObjectName,
  RecordOf,
  Schema,
  SchemaDefinition,
  UpdateInput,
  ValueOf,
} from './schema.ts';
export type { Unsubscribe } from './shared/emitter.ts';
export { isFault, SyncFault, type FaultCode, type FaultDetails, type FaultShape } from './shared/fault.ts';
export type {
  Commit,
  RecordKey,
  RecordRow,
  StateRow,
  Storage,
  StorageAdapter,
  StorageDescriptor,
  StorageEstimate,
  StoreOwner,
} from './storage/storage-adapter.ts';
export type { TokenProvider, TokenRequest } from './transport/token-source.ts';
export type { TransportAdapter, TransportRequest, TransportResponse } from './transport/transport-adapter.ts';
