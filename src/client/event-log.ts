import { createEmitter, type Unsubscribe } from '../shared/emitter.ts';

/** Remembers the latest of some rare events: most happen before a host has subscribed, so a late listener hears them too. */
export interface EventLog<Event> {
  add(event: Event): void;
  subscribe(listener: (event: Event) => void): Unsubscribe;
}

const REMEMBERED = 20;

export function createEventLog<Event>(): EventLog<Event> {
  const latest: Event[] = [];
  const emitter = createEmitter<Event>();
  return {
    add(event) {
      latest.push(event);
      if (latest.length > REMEMBERED) latest.shift();
      emitter.emit(event);
    },
    subscribe(listener) {
      latest.forEach(listener);
      return emitter.subscribe(listener);
    },
  };
}
