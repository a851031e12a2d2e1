import type { SyncEngine } from '../client/engine.ts';
import type { SyncEvent } from '../client/sync-event.ts';
import { createEventLog, type EventLog } from '../client/event-log.ts';
import { createPart } from '../client/parts.ts';
import { createSyncEngine } from '../client/sync-engine.ts';
import type { CoreDiagnostic } from '../core/wasm-core.ts';
import { platformClock, platformRandom } from '../shared/platform.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import type { EngineParts, EnginePlan } from './engine-start.ts';
import { openCore } from './open-core.ts';

/** Builds an engine on this thread: in the worker, or in place. */
export async function startEngine(plan: EnginePlan, parts: EngineParts): Promise<SyncEngine> {
  const { schema, tenant, user, lifecycle, pollIntervalMs, outOfScopeGraceMs, readOnly = false, wasm, guards } = plan;
  const coreEvents = createEventLog<SyncEvent>();
  const engine = createSyncEngine({
    schema,
    owner: { tenant, user },
    storage: parts.storage,
    transport: openTransport(plan, parts),
    core: await openCore(wasm, (diagnostic) => coreEvents.add(describeDiagnostic(diagnostic))),
    clock: platformClock,
    random: platformRandom,
    lifecycle,
    readOnly,
    ...(guards === undefined || parts.guard === undefined ? {} : { guards: { objects: guards, ask: parts.guard } }),
    ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
    ...(outOfScopeGraceMs === undefined ? {} : { outOfScopeGraceMs }),
  });
  return addEvents(engine, coreEvents);
}

function openTransport({ http: target }: EnginePlan, { transport, token }: EngineParts): TransportAdapter {
  if (target === null) return transport!;
  const { hasToken, ...options } = target;
  // The device can be read and changed without it: a worker part.
  const open = createPart(async () => {
    const { http } = await import('../transport/http.ts');
    return http(hasToken && token !== undefined ? { ...options, token } : options);
  });
  return { send: async (request) => (await open()).send(request), hints: async (request, onHint) => (await open()).hints?.(request, onHint) ?? null };
}

function describeDiagnostic({ kind, answeredBy, cause }: CoreDiagnostic): SyncEvent {
  return { type: 'core:replaced', reason: kind, answeredBy, cause: String(cause) };
}

/** Lets the engine's events include those of the core, which begin before there is an engine. */
function addEvents(engine: SyncEngine, events: EventLog<SyncEvent>): SyncEngine {
  const watchEvents = engine.watchEvents.bind(engine);
  engine.watchEvents = async (listener) => {
    const stops = [events.subscribe(listener), await watchEvents(listener)];
    return () => stops.forEach((stop) => stop());
  };
  return engine;
}
