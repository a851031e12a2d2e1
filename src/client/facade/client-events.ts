import type { Unsubscribe } from '../../shared/emitter.ts';
import type { SyncEngine } from '../engine.ts';
import type { RuntimeEvent, RuntimeReport } from '../runtime.ts';
import type { SubscribeOptions, Subscriptions } from './subscription.ts';
import type { SyncEvent } from '../sync-event.ts';

/** What can be heard of a client: what the engine did, and where it runs. */
export type ClientEvent = SyncEvent | RuntimeEvent;

/** A log of what the client does, without values: for logs, badges and debugging. */
export interface ClientEvents {
  /** Calls the listener with each event from now on, and at once with how the runtime started, until the returned function is called. */
  subscribe(listener: (event: ClientEvent) => void, options?: SubscribeOptions): Unsubscribe;
}

/** How the engine of a client was started, and what is heard of that. */
export interface ClientRuntime {
  readonly report: Promise<RuntimeReport>;
  readonly subscribe: (listener: (event: RuntimeEvent) => void) => Unsubscribe;
}

/** Makes one log of what the engine does and where it runs. */
export function createClientEvents(engine: SyncEngine, runtime: ClientRuntime, subscriptions: Subscriptions): ClientEvents {
  return {
    subscribe(listener, options) {
      const stops = [
        subscriptions.open<RuntimeEvent>((hear) => Promise.resolve(runtime.subscribe(hear)), listener, options),
        subscriptions.open<SyncEvent>((hear) => engine.watchEvents(hear), listener, options),
      ];
      return () => stops.forEach((stop) => stop());
    },
  };
}
