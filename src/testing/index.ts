/**
 * What proves an adapter, what breaks one on purpose, and a network in virtual time for the tests of a host.
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
export { NO_FAULTS, type Faults } from './simulation/faults.ts';
export { createTestNetwork, type Duration, type TestDevice, type TestNetwork, type TestNetworkOptions } from './test-network.ts';
export type { SuiteRunner, SuiteTest } from './suite-runner.ts';
