/**
 * The public names that every binding has in common, one by one: a change of the public API shows here.
 */
export { type WaitOptions } from './client/abortable.ts';
export {
  type DownloadProgress,
  type DownloadReceipt,
  type EntryOutcome,
  type Lifecycle,
  type RecordSyncState,
  type SaveReceipt,
  type SyncError,
  type SyncErrorField,
  type SyncEvent,
  type SyncStatus,
  type UndoReceipt,
} from './client/engine.ts';
export { type RecordOrder, type RecordQuery, type SyncedRecord, type ValueTest } from './client/record-query.ts';
export { type RuntimeEvent, type RuntimeKind, type RuntimeReport, type SkippedRuntime } from './client/runtime.ts';
export { type SubscribeOptions } from './client/subscription.ts';
export {
  type ClientEvent,
  type ClientEvents,
  type LiveValue,
  type SyncClient,
  type SyncErrors,
  type SyncObject,
} from './client/sync-client.ts';
export { type RefusalClass } from './protocol/messages.ts';
export {
  type CreateInput,
  type Field,
  type FieldOwner,
  type FieldType,
  type FieldValue,
  type JsonValue,
  type ObjectDefinition,
  type ObjectName,
  type RecordOf,
  type Schema,
  type SchemaDefinition,
  type UpdateInput,
} from './schema.ts';
export { type Unsubscribe } from './shared/emitter.ts';
export { isFault, SyncFault, type FaultCode, type FaultDetails, type FaultShape } from './shared/fault.ts';
export {
  type Commit,
  type RecordKey,
  type RecordRow,
  type StateRow,
  type Storage,
  type StorageAdapter,
  type StorageDescriptor,
  type StorageEstimate,
  type StoreOwner,
} from './storage/storage-adapter.ts';
export { type TokenProvider, type TokenRequest } from './transport/token-source.ts';
export { type TransportAdapter, type TransportRequest, type TransportResponse } from './transport/transport-adapter.ts';
