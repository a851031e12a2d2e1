import type { SyncEngine } from '../../src/client/engine.ts';
import type { RuntimeReport } from '../../src/client/runtime.ts';
import { createTypedClient, type SyncClient } from '../../src/client/sync-client.ts';
import type { Schema } from '../../src/schema.ts';

/** What a host holds of an engine that runs in place. */
export function typedClient<const S extends Schema>(schema: S, engine: SyncEngine): SyncClient<S> {
  return createTypedClient({ schema, engine, runtime: { report: new Promise<RuntimeReport>(() => {}), subscribe: () => () => {} } });
}
