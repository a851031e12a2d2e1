import type { Schema } from '../../protocol/schema.ts';
import { createServerCore, type ServerCore } from '../sync-server.ts';
import type { SyncServerOptions } from '../sync-server-options.ts';
import { createFetchHandler, type FetchHandler } from './fetch.ts';

/** A sync server: mount one of its faces. */
export interface SyncServer extends ServerCore {
  /** Answers web-standard requests: `export default { fetch: server.fetch }`. */
  readonly fetch: FetchHandler;
}

/**
 * Makes a sync server on a store.
 *
 * @example
 * ```ts
 * const server = createSyncServer({ schema, store: memory(), authenticate: ({ headers }) => verify(headers.authorization) });
 * createServer(server.nodeListener).listen(8080);
 * ```
 */
export function createSyncServer<const S extends Schema>(options: SyncServerOptions<S>): SyncServer {
  const core = createServerCore(options);
  return { ...core, fetch: createFetchHandler(core.handle) };
}
