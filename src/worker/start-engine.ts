import type { SyncEngine } from '../client/engine.ts';
import { createSyncEngine } from '../client/sync-engine.ts';
import { createTwinCore } from '../core/twin.ts';
import { platformClock, platformRandom } from '../shared/platform.ts';
import { http } from '../transport/http.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import type { EngineParts, EnginePlan } from './engine-start.ts';

/** Builds an engine on this thread: in the worker, or in place. */
export async function startEngine(plan: EnginePlan, parts: EngineParts): Promise<SyncEngine> {
  const { schema, tenant, user, lifecycle, pollIntervalMs } = plan;
  return createSyncEngine({
    schema,
    owner: { tenant, user },
    storage: parts.storage,
    transport: openTransport(plan, parts),
    core: createTwinCore(),
    clock: platformClock,
    random: platformRandom,
    lifecycle,
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
  });
}

function openTransport({ http: target }: EnginePlan, { transport, token }: EngineParts): TransportAdapter {
  if (target === null) return transport!;
  const { hasToken, ...options } = target;
  return http(hasToken && token !== undefined ? { ...options, token } : options);
}
