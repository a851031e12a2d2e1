import type { StorageAdapter } from '../storage/storage-adapter.ts';
import { describeCommits } from './storage-suite/commits.ts';
import { describeConcurrency } from './storage-suite/concurrency.ts';
import { createSuite } from './storage-suite/context.ts';
import { describeFailures } from './storage-suite/failures.ts';
import { describeLifetime } from './storage-suite/lifetime.ts';
import { describePacked } from './storage-suite/packed.ts';
import { describeReads } from './storage-suite/reads.ts';
import { describeScans } from './storage-suite/scans.ts';
import type { SuiteRunner } from './suite-runner.ts';

/** What the suite must be told about an adapter. `Place` is whatever holds the data: a folder, a database, an `IDBFactory`. */
export interface StorageSuiteOptions<Place> extends SuiteRunner {
  /** Names the adapter in the report. */
  readonly name: string;
  /** Makes an empty place; every test gets its own. */
  readonly createPlace: () => Place | Promise<Place>;
  /** Makes an adapter over a place. A second one over the same place stands for another process or tab. */
  readonly createAdapter: (place: Place) => StorageAdapter | Promise<StorageAdapter>;
  /** Throws a place away after its test. */
  readonly disposePlace?: (place: Place) => void | Promise<void>;
  /**
   * Ends whatever has the place open, as a killed process would: nothing is closed, what was under way may be lost, and the next
   * adapter over the place is the restart. An empty function will do where leaving handles open is all that a kill means.
   */
  readonly crash?: (place: Place) => void | Promise<void>;
  /** The adapter's storages have `packed`. Left out, the tests of it are reported as skipped. */
  readonly packed?: true;
  /** Ways to make the platform below the adapter fail. What is missing is reported as a skipped test. */
  readonly failures?: StorageFailures<Place>;
}

/** Ways to make the platform fail, set before the commit or read that is to meet them. Each strikes once. */
export interface StorageFailures<Place> {
  /** The `nth` commit from now on (1 is the next) finds no room. */
  readonly fillUp?: (place: Place, nth: number) => void | Promise<void>;
  /** Every write of the next commit succeeds, and then its transaction is aborted: the way browsers report a full disk. */
  readonly abortAfterSuccess?: (place: Place) => void | Promise<void>;
  /** The platform closes every open handle behind the adapter's back, as WebKit does to tabs in the background. */
  readonly loseHandles?: (place: Place) => void | Promise<void>;
}

/**
 * Registers the tests that every storage adapter has to pass, under a runner of the host's choice. It imports no runner and nothing of
 * Node, so it runs where the adapter runs.
 *
 * @example
 * ```ts
 * import { describe, test } from 'vitest';
 * import { memory } from 'fieldtide/storage/memory';
 * import { describeStorageAdapter } from 'fieldtide/testing';
 *
 * describeStorageAdapter({ name: 'memory', describe, test, createPlace: () => memory(), createAdapter: (adapter) => adapter, packed: true });
 * ```
 */
export function describeStorageAdapter<Place>(options: StorageSuiteOptions<Place>): void {
  const suite = createSuite(options);
  options.describe(`storage adapter ${options.name}`, () => {
    describeReads(suite);
    describeScans(suite);
    describeCommits(suite);
    describePacked(suite);
    describeConcurrency(suite);
    describeLifetime(suite);
    describeFailures(suite);
  });
}
