/**
 * The public names that every binding has in common, one by one: a change of the public API shows here.
 */
export type { WaitOptions } from './client/facade/abortable.ts';
export type { ClientEvent, ClientEvents } from './client/facade/client-events.ts';
export type { BulkResolution, SyncErrors } from './client/facade/client-sync-errors.ts';
export type { DraftInfo, DraftReceipt, DraftRecord } from './client/drafts/draft.ts';
export type { DownloadReceipt, Lifecycle, RecordSyncState, SaveReceipt, TransactionReceipt } from './client/engine.ts';
export type { ParkedReason, SyncReason } from './client/inbox/explain.ts';
export type { JournalEntry, JournalMember, JournalReason } from './client/queue/journal.ts';
export type { Notice, NoticeBase, NoticeSubject, OverwrittenField } from './client/answers/notices.ts';
export type { EntryOutcome, RecordRef } from './client/queue/outcomes.ts';
export type { OrderTest, RecordOrder, RecordQuery, SyncedRecord, TextTest, ValueTest } from './client/read/record-query.ts';
export type { RuntimeEvent, RuntimeKind, RuntimeReport, SkippedRuntime } from './client/runtime.ts';
export type { SignOutOptions, Unsent, WipeOptions } from './client/inbox/sign-out.ts';
export type { DownloadProgress, SyncStatus } from './client/status.ts';
export type { LiveValue, SubscribeOptions } from './client/facade/subscription.ts';
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
} from './client/inbox/sync-error.ts';
export type { SyncEvent } from './client/sync-event.ts';
export type { SeenValues, TransactionChange, UpdateOptions } from './client/facade/typed-changes.ts';
export type { Draft, Drafts } from './client/facade/typed-drafts.ts';
export type { GuardInput, SaveGuards } from './client/facade/typed-guards.ts';
export type { NewerOf, OpenOptions, OpenRecord, ShownRecord } from './client/facade/typed-handles.ts';
export type { HandleMode, NewerVersion } from './client/handles/handle.ts';
export type { GuardedAction } from './client/queue/guard.ts';
export type { SyncObject } from './client/facade/typed-objects.ts';
export type { FeedGap, RefusalClass } from './protocol/messages.ts';
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
export type { PackedRows } from './core/row-block.ts';
export type { Unsubscribe } from './shared/emitter.ts';
export { isFault, SyncFault, type FaultCode, type FaultDetails, type FaultShape } from './shared/fault.ts';
export type {
  Commit,
  PackedStorage,
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
