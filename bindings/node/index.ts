/**
 * Fieldtide for Node: scripts, services, tests, desktop apps. Everything runs on the thread that calls.
 *
 * @module fieldtide/node
 */
import { createDeferredEngine } from '../../src/client/deferred-engine.ts';
import { createEventLog } from '../../src/client/event-log.ts';
import type { RuntimeEvent, RuntimeReport } from '../../src/client/runtime.ts';
import { createTypedClient, type SyncClient } from '../../src/client/sync-client.ts';
import type { Schema } from '../../src/schema.ts';
import { startEngine } from '../../src/worker/start-engine.ts';
import { readClientOptions, type ClientOptions } from '../client-options.ts';

/** What a client in Node needs to know. */
export type SyncClientOptions<S extends Schema> = ClientOptions<S>;

const IN_PLACE: RuntimeReport = { kind: 'in-place', skipped: [] };

/**
 * Makes the client of one user in this process. It answers at once: the store opens in the background, and every call waits for it.
 * A process that is to end closes its client first.
 *
 * @example
 * ```ts
 * const client = createSyncClient({ schema, user: 'u1', storage: memory(), transport: { url: 'http://localhost:8080' } });
 * const saved = await client.objects.account.create({ name: 'St. Mary', city: 'Ghent' });
 * console.log(await client.outcome(saved.entry));
 * await client.close();
 * ```
 *
 * @throws {@link SyncFault} `OPTION_INVALID` naming the option that is wrong.
 */
export function createSyncClient<const S extends Schema>(options: SyncClientOptions<S>): SyncClient<S> {
  const { plan, parts } = readClientOptions(options);
  const engine = createDeferredEngine(startEngine(plan, parts));
  const log = createEventLog<RuntimeEvent>();
  log.add({ type: 'runtime:started', ...IN_PLACE });
  return createTypedClient({ schema: options.schema, engine, runtime: { report: Promise.resolve(IN_PLACE), subscribe: log.subscribe } });
}

export type { ClientOptions, HttpServer } from '../client-options.ts';
export * from '../../src/index.ts';
