import type { ServerStore } from '../server/store/server-store.ts';
import { createStoreSuite } from './server-store-suite/context.ts';
import { describeFacts } from './server-store-suite/facts.ts';
import { describeFeeds } from './server-store-suite/feeds.ts';
import { describeLedgers } from './server-store-suite/ledgers.ts';
import { describeRecords } from './server-store-suite/records.ts';
import { describeStoreLifetime } from './server-store-suite/lifetime.ts';
import { describeTenants } from './server-store-suite/tenants.ts';
import { describeTransactions } from './server-store-suite/transactions.ts';
import type { SuiteRunner } from './suite-runner.ts';

/** What the suite must be told about a store. */
export interface ServerStoreSuiteOptions extends SuiteRunner {
  /** Names the store in the report. */
  readonly name: string;
  /** Opens an empty store. It is opened once: each test takes a tenant of its own. */
  readonly open: () => ServerStore | Promise<ServerStore>;
  /** Opens what `open` opened once more, after it was closed. Leave it out where data ends with the store. */
  readonly reopen?: () => ServerStore | Promise<ServerStore>;
}

/**
 * Registers the tests that every server store has to pass, under a runner of the host's choice.
 *
 * @example
 * ```ts
 * import { describe, test } from 'vitest';
 * import { memory } from 'fieldtide/server/memory';
 * import { describeServerStore } from 'fieldtide/testing';
 *
 * describeServerStore({ name: 'memory', describe, test, open: () => memory() });
 * ```
 */
export function describeServerStore(options: ServerStoreSuiteOptions): void {
  const suite = createStoreSuite(options);
  options.describe(`server store ${options.name}`, () => {
    describeRecords(suite);
    describeTransactions(suite);
    describeLedgers(suite);
    describeFacts(suite);
    describeFeeds(suite);
    describeTenants(suite);
    describeStoreLifetime(suite, options); // Last: it closes the store.
  });
}
