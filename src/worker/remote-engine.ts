import { proxy, type Remote } from 'comlink';
import type { SyncEngine } from '../client/engine.ts';
import type { SyncStatus } from '../client/status.ts';
import { PLAIN_CALLS, WATCH_CALLS, type PlainCalls, type WatchName } from '../client/engine-calls.ts';
import { createEmitter, type Unsubscribe } from '../shared/emitter.ts';
import { describeFault, isFault, SyncFault } from '../shared/fault.ts';
import { forwardCalls } from '../shared/forward-calls.ts';
import { createCallsUnderWay } from './calls-under-way.ts';
import type { EngineHost } from './engine-host.ts';

/** An engine in a worker, and what its owner does when the worker dies or is no longer needed. */
export interface RemoteEngineOptions {
  readonly host: Remote<EngineHost>;
  /** The host's `start`: every call waits for it. */
  readonly ready: Promise<void>;
  /** Runs once, when the engine has closed (`null`) or failed: ends the worker. */
  readonly onEnd: (fault: SyncFault | null) => void;
}

/** An engine that answers from a worker. */
export interface RemoteEngine extends SyncEngine {
  /** The worker is gone: every call under way and every later one fails with this fault, and the status shows it. */
  fail(fault: SyncFault): void;
}

/** What the status says of a worker that died before it said anything. */
const NO_STATUS: SyncStatus = {
  state: 'error',
  pending: 0,
  oldestPendingAt: null,
  syncErrors: 0,
  drafts: 0,
  parked: 0,
  oldestParkedAt: null,
  notices: 0,
  hasFeedGap: false,
  lastDownloadAt: null,
  storagePersisted: null,
  isOnline: false,
  needsAuth: false,
  revoked: false,
  upgradeRequired: false,
  retryInMs: null,
  progress: null,
  lastFault: null,
};

/** Makes the page's side of an engine in a worker. */
export function createRemoteEngine({ host, ready, onEnd }: RemoteEngineOptions): RemoteEngine {
  const calls = createCallsUnderWay();
  const failing = createEmitter<SyncStatus>();
  let lastStatus = NO_STATUS;
  let closing: Promise<void> | null = null;

  const ask = <T>(send: () => Promise<T>): Promise<T> => calls.run(() => ready.then(send));
  const save = <T>(object: string, values: object, send: () => Promise<T>): Promise<T> =>
    ask(() => {
      for (const [field, value] of Object.entries(values)) assertCanBeSent(`${object}.${field}`, value);
      return send();
    });

  /** A call with whatever a host put into it. */
  const sendable = <Name extends 'save' | 'draft' | 'handle'>(name: Name): SyncEngine[Name] =>
    (async (request: unknown) => {
      assertCanBeSent(name, request);
      return ask(async () => (host[name] as (request: unknown) => unknown)(request));
    }) as SyncEngine[Name];

  async function watch<T>(name: WatchName, args: readonly unknown[], listener: (value: T) => void): Promise<Unsubscribe> {
    let isOpen = true;
    const hear = (value: unknown) => {
      if (isOpen && calls.ended === null) listener(value as T);
    };
    const watching = await ask(() => host.watch(name, args, proxy(hear)));
    return () => {
      if (isOpen && calls.ended === null) host.unwatch(watching).catch(() => {});
      isOpen = false;
    };
  }

  const watches = Object.fromEntries(
    WATCH_CALLS.map((name) => [name, (...args: readonly unknown[]) => watch(name, args.slice(0, -1), args.at(-1) as (value: unknown) => void)]),
  ) as Pick<SyncEngine, WatchName>;

  async function status(): Promise<SyncStatus> {
    if (isFault(calls.ended, 'WORKER_FAILED')) return failedStatus(lastStatus, calls.ended);
    return (lastStatus = await ask(() => host.status()));
  }

  async function watchStatus(listener: (status: SyncStatus) => void): Promise<Unsubscribe> {
    const stopFailing = failing.subscribe(listener);
    if (isFault(calls.ended, 'WORKER_FAILED')) {
      listener(failedStatus(lastStatus, calls.ended));
      return stopFailing;
    }
    const stopWatching = await watch<SyncStatus>('watchStatus', [], (status) => listener((lastStatus = status)));
    return () => {
      stopFailing();
      stopWatching();
    };
  }

  async function close(): Promise<void> {
    try {
      // After a start that failed there is still a host to close.
      if (calls.ended === null) await calls.run(() => ready.catch(() => {}).then(() => host.close()));
    } catch (thrown) {
      if (!isFault(thrown, 'WORKER_FAILED')) throw thrown; // a worker that is gone has nothing left to close
    } finally {
      end(new SyncFault('CLIENT_CLOSED', 'the client is closed'), null);
    }
  }

  function end(fault: SyncFault, failure: SyncFault | null): void {
    const wasRunning = calls.ended === null;
    calls.end(fault);
    if (failure !== null) failing.emit(failedStatus(lastStatus, failure));
    failing.clear();
    if (wasRunning) onEnd(failure);
  }

  return {
    ready: ask(() => Promise.resolve()),
    ...watches,
    ...forwardCalls<SyncEngine, keyof PlainCalls>(PLAIN_CALLS, (call) => ask(async () => call(host as unknown as SyncEngine))),
    create: (object, values, id) => save(object, values, () => host.create(object, values, id)),
    update: (object, id, values, seen) => save(object, { ...seen, ...values }, () => host.update(object, id, values, seen)),
    save: sendable('save'),
    draft: sendable('draft'),
    handle: sendable('handle'),
    status,
    watchStatus,
    resolve: (syncError, action, fix = {}) => save('fix', Array.isArray(fix) ? Object.assign({}, ...fix.map(({ values }) => values)) : fix, () => host.resolve(syncError, action, fix)),
    close: () => (closing ??= close()),
    fail(fault) {
      if (calls.ended === null) end(fault, fault);
    },
  };
}

function failedStatus(last: SyncStatus, fault: SyncFault): SyncStatus {
  return { ...last, state: 'error', isOnline: false, retryInMs: null, progress: null, lastFault: describeFault(fault) };
}

/** Refuses what cannot be cloned, a function or a symbol, the way the engine refuses what no field can hold. */
function assertCanBeSent(field: string, value: unknown): void {
  if (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') return;
  try {
    structuredClone(value);
  } catch (cause) {
    throw new SyncFault('VALUE_INVALID', `${field} holds something that cannot be sent to the worker`, { details: { field, value: typeof value }, cause });
  }
}
