/**
 * The sync server, embeddable in any backend.
 *
 * @module fieldtide/server
 */
export type { Layout, LayoutField } from '../protocol/layout.ts';
export type { ProtocolLimits } from '../protocol/limits.ts';
export type { Refusal } from '../protocol/messages.ts';
export type { RecordVersion } from '../protocol/version.ts';
export type { CancelTimer, Clock } from '../shared/clock.ts';
export type { Random } from '../shared/random.ts';
export type { FieldRightsOf } from './access/field-access.ts';
export type { FieldRight } from './access/field-rights.ts';
export type { ConcurrencyLimits } from './admission.ts';
export type { AfterCommitContext, AfterCommitHook, CommittedRecord, EntryChange, PrepareContext, PrepareHook } from './around-hooks.ts';
export type { DeviceDesk, DeviceQuery, DeviceScope, KnownDevice } from './device-desk.ts';
export type { ReportedPending } from './device-sightings.ts';
export type { HintBus } from './hint-bus.ts';
export { memoryHintBus } from './hints/memory-hint-bus.ts';
export { createSyncServer, type HttpServerOptions, type SyncServer } from './http/create-sync-server.ts';
export type { FetchHandler } from './http/fetch.ts';
export type { NodeListener, NodeRequest, NodeResponse } from './http/node.ts';
export type { Authenticate, Identity, Principal } from './principal.ts';
export {
  HookRefusal,
  refuse,
  type AllowContext,
  type ChildrenOf,
  type FieldPatch,
  type FormulaContext,
  type HookAnswer,
  type ObjectHooks,
  type SaveContext,
  type SaveOccasion,
  type SaveOrigin,
  type SaveReads,
  type TriggerContext,
  type TriggerWrites,
} from './save-hooks.ts';
export type { OnlineAccess, OnlineChange, OnlineOutcome, OnlineRecord, OnlineScope } from './save/online.ts';
export type { OverwrittenField } from './save/overwritten.ts';
export type { ServerLogEvent } from './server-parts.ts';
export type { Fact, FactPlace, FactQuery } from './store/fact.ts';
export type {
  DeviceHead,
  Durability,
  FeedRow,
  FeedState,
  Receipt,
  ReceiptKey,
  RecordKey,
  RecordOutline,
  RecordWrite,
  ServerStore,
  StoredRecord,
  StoreTransaction,
  StoreView,
} from './store/server-store.ts';
export type { RefusedEntry, RefusedQuery, SupportDesk } from './support/refused-entries.ts';
export type { ByteSink, OpenStream, RequestHandler, SyncRequest, SyncResponse } from './sync-request.ts';
export type { ServerCore } from './sync-server.ts';
export type { SyncServerOptions } from './sync-server-options.ts';
export type { AuthCacheOptions } from './token-cache.ts';
export type { CanSee, InScope, SeenRecord } from './visibility.ts';
