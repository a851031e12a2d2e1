import { wrap, type Remote } from 'comlink';
import type { Clock } from '../shared/clock.ts';
import { SyncFault } from '../shared/fault.ts';
import { HOST_PROTOCOL, type EngineHost } from './engine-host.ts';
import { installFaultTransfer } from './fault-transfer.ts';

/** A worker that has answered. */
export interface StartedWorker {
  readonly host: Remote<EngineHost>;
  /** Hears when the worker fails later: an error that nobody caught, or a message that cannot be read. */
  onFailure(listener: (fault: SyncFault) => void): void;
  /** Ends the worker at once. */
  terminate(): void;
}

/** How long a worker may take until it answers, in milliseconds. */
const START_MS = 10_000;

/**
 * Makes a worker and waits until it answers. One that is not there, or may not start, raises an `error` event, throws at once or stays
 * silent, depending on browser and policy; each ends here as a fault.
 */
export async function startWorker(make: () => Worker, clock: Clock): Promise<StartedWorker> {
  installFaultTransfer();
  const worker = make();
  let hearFailure: (fault: SyncFault) => void = () => {};
  const failed = new Promise<never>((_resolve, reject) => (hearFailure = reject));
  worker.addEventListener('error', (event) => {
    event.preventDefault(); // reported as a fault; the console need not show it too
    hearFailure(new SyncFault('WORKER_FAILED', `the worker failed: ${event.message || 'it could not be loaded'}`));
  });
  worker.addEventListener('messageerror', () => hearFailure(new SyncFault('WORKER_FAILED', 'the worker sent what cannot be read')));

  const host = wrap<EngineHost>(worker);
  const cancelTimer = clock.setTimer(START_MS, () => hearFailure(new SyncFault('WORKER_FAILED', `the worker did not answer within ${START_MS} ms`)));
  try {
    const protocol = await Promise.race([host.ping(), failed]);
    if (protocol !== HOST_PROTOCOL) throw new SyncFault('WORKER_FAILED', `the worker belongs to another release: it speaks ${protocol}, not ${HOST_PROTOCOL}`);
  } catch (thrown) {
    worker.terminate();
    throw thrown;
  } finally {
    cancelTimer();
  }
  return {
    host,
    onFailure: (listener) => (hearFailure = listener),
    terminate: () => worker.terminate(),
  };
}
