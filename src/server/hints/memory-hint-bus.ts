import type { HintBus } from '../hint-bus.ts';
import { createListeners } from './listeners.ts';

/** Makes a bus for one server process. */
export function memoryHintBus(): HintBus {
  const listeners = createListeners();
  const topicOf = (tenant: string, user: string): string => JSON.stringify([tenant, user]);
  return {
    publish: (tenant, user) => listeners.tell(topicOf(tenant, user)),
    subscribe(tenant, user, onHint) {
      const { remove } = listeners.add(topicOf(tenant, user), onHint);
      return () => void remove();
    },
  };
}
