import { forwardCalls } from '../shared/forward-calls.ts';
import type { SyncEngine } from './engine.ts';
import { PLAIN_CALLS, WATCH_CALLS } from './engine-calls.ts';

/** Makes an engine of one that is still being made: every call waits for it, in the order of the calls. */
export function createDeferredEngine(starting: Promise<SyncEngine>): SyncEngine {
  const ready = starting.then((engine) => engine.ready);
  // Nobody need look at `ready`: a start that failed shows in every call.
  ready.catch(() => {});
  return {
    ready,
    ...forwardCalls<SyncEngine, Exclude<keyof SyncEngine, 'ready' | 'close'>>([...PLAIN_CALLS, ...WATCH_CALLS], (call) => starting.then(call)),
    // What could not be started needs no closing.
    close: () => starting.then((engine) => engine.close(), () => {}),
  };
}
