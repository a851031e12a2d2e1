/**
 * Fieldtide for browsers and everything that is one inside: pages, installed apps, WebViews. In Node it runs too, on the same thread.
 *
 * @module fieldtide
 */
import { createDeferredEngine } from '../../src/client/deferred-engine.ts';
import { createEventLog } from '../../src/client/event-log.ts';
import type { RuntimeEvent } from '../../src/client/runtime.ts';
import { createTypedClient, type SyncClient } from '../../src/client/sync-client.ts';
import type { Schema } from '../../src/schema.ts';
import { platformClock, platformRandom, platformStorageManager } from '../../src/shared/platform.ts';
import type { WorkerFactory } from '../../src/worker/engine-start.ts';
import { launchEngine } from '../../src/worker/launch-engine.ts';
import { watchPageLifecycle } from '../../src/worker/page.ts';
import { webRungs } from '../../src/worker/web-rungs.ts';
import { invalid, readClientOptions, type ClientOptions } from '../client-options.ts';

/** What a client in a page needs to know. */
export interface SyncClientOptions<S extends Schema> extends ClientOptions<S> {
  /**
   * Makes the worker, where the host's bundler does not find it by itself:
   * `() => new Worker(new URL('fieldtide/worker', import.meta.url), { type: 'module' })`. `'none'` stays on the page's thread.
   *
   * @defaultValue the package's own worker file, else a worker made from text, else the page's thread: the first that starts
   */
  readonly worker?: WorkerFactory | 'none';
}

/**
 * Makes the client of one user on this device. It answers at once: worker and store open in the background, and every call waits for
 * them. `await client.ready` where it matters whether that worked. Works offline from the first call on.
 *
 * @example
 * ```ts
 * const client = createSyncClient({
 *   schema,
 *   user: 'u1',
 *   storage: indexedDb({ name: 'crm' }),
 *   transport: { url: 'https://api.example.com/sync', token: () => session.accessToken() },
 * });
 * const { account } = client.objects;
 * const saved = await account.create({ name: 'St. Mary', city: 'Ghent' });
 * await account.update(saved.id, { city: 'Bruges' });
 * account.query({ where: { city: 'Bruges' }, orderBy: 'name' }).subscribe((rows) => list.show(rows));
 * ```
 *
 * @throws {@link SyncFault} `OPTION_INVALID` naming the option that is wrong.
 */
export function createSyncClient<const S extends Schema>(options: SyncClientOptions<S>): SyncClient<S> {
  const { plan, parts } = readClientOptions(options);
  const { worker } = options;
  if (worker !== undefined && worker !== 'none' && typeof worker !== 'function') throw invalid('worker', "must be a function that makes the worker, or 'none'");
  const log = createEventLog<RuntimeEvent>();
  const launching = launchEngine({ plan, parts, rungs: webRungs(worker, platformClock), random: platformRandom, onEvent: log.add });
  const report = launching.then((launched) => launched.report);
  report.catch(() => {}); // nobody need look at it: `ready` and every call say the same
  const engine = createDeferredEngine(launching.then((launched) => launched.engine));
  const onClose = watchPageLifecycle((lifecycle) => {
    engine.setLifecycle(lifecycle).catch(() => {}); // a hint; what is wrong with the engine shows elsewhere
  });
  // Only the page can ask, the worker cannot. A refusal is an answer; what it throws says no more than that.
  const persist = async (): Promise<unknown> => platformStorageManager()?.persist?.().catch(() => {});
  return createTypedClient({ schema: options.schema, engine, runtime: { report, subscribe: log.subscribe }, persist, onClose });
}

export type { ClientOptions, HttpServer } from '../client-options.ts';
export type { WorkerFactory } from '../../src/worker/engine-start.ts';
export * from '../../src/index.ts';
