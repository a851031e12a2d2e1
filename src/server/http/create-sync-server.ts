import type { Schema } from '../../protocol/schema.ts';
import { createServerCore, type ServerCore } from '../sync-server.ts';
import type { SyncServerOptions } from '../sync-server-options.ts';
import { allowCrossOrigin } from './cors.ts';
import { createFetchHandler, type FetchHandler } from './fetch.ts';
import { createNodeListener, type NodeListener } from './node.ts';

/** A sync server: mount one of its faces, or hand `handle` plain requests. */
export interface SyncServer extends ServerCore {
  /** Answers web-standard requests: `export default { fetch: server.fetch }`. */
  readonly fetch: FetchHandler;
  /** Answers Node's own requests: `createServer(server.nodeListener).listen(8080)`. */
  readonly nodeListener: NodeListener;
}

/** How to make a sync server that is reached over HTTP. */
export interface HttpServerOptions<S extends Schema = Schema> extends SyncServerOptions<S> {
  /** The origin whose pages may talk to the server from another origin, or `*`. @defaultValue none */
  readonly allowOrigin?: string;
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
export function createSyncServer<const S extends Schema>({ allowOrigin, ...options }: HttpServerOptions<S>): SyncServer {
  const core = createServerCore(options);
  const handle = allowOrigin === undefined ? core.handle : allowCrossOrigin(core.handle, allowOrigin);
  return { ...core, fetch: createFetchHandler(handle), nodeListener: createNodeListener(handle) };
}
