/**
 * What proves an adapter, and what breaks one on purpose.
 *
 * @module fieldtide/testing
 */
export { describeServerStore, type ServerStoreSuiteOptions } from './describe-server-store.ts';
export { describeStorageAdapter, type StorageFailures, type StorageSuiteOptions } from './describe-storage-adapter.ts';
export {
  describeTransportAdapter,
  type SuiteServer,
  type TransportConnection,
  type TransportSuiteOptions,
} from './describe-transport-adapter.ts';
export { faultyStorage, type CommitAttempt, type CommitFate, type FaultyStorage, type FaultyStorageOptions } from './faulty-storage.ts';
export type { SuiteRunner, SuiteTest } from './suite-runner.ts';
