import { createEmitter, type Unsubscribe } from '../shared/emitter.ts';
import type { RuntimeEvent } from './runtime.ts';

/** Remembers the few events of a runtime: they happen before most hosts have subscribed, so a late listener hears them too. */
export interface RuntimeLog {
  add(event: RuntimeEvent): void;
  subscribe(listener: (event: RuntimeEvent) => void): Unsubscribe;
}

export function createRuntimeLog(): RuntimeLog {
  const past: RuntimeEvent[] = [];
  const emitter = createEmitter<RuntimeEvent>();
  return {
    add(event) {
      past.push(event);
      emitter.emit(event);
    },
    subscribe(listener) {
      past.forEach(listener);
      return emitter.subscribe(listener);
    },
  };
}
