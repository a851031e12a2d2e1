import { releaseProxy, type ProxyMarked, type Remote } from 'comlink';
import type { SyncEngine } from '../client/engine.ts';
import { PLAIN_CALLS, type PlainCalls, type WatchName } from '../client/engine-calls.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import { SyncFault } from '../shared/fault.ts';
import { forwardCalls } from '../shared/forward-calls.ts';
import type { EngineParts, EnginePlan } from './engine-start.ts';
import type { HostPorts } from './host-ports.ts';
import { createRemoteParts } from './remote-parts.ts';
import { holdLife } from './worker-life.ts';

/** Counts up when page and worker of two releases could not talk: a worker file can be older than the page, out of a cache. */
export const HOST_PROTOCOL = 1;

/** A listener on the other thread; its values are cloned on the way. */
export type RemoteListener = ((value: unknown) => void) & ProxyMarked;

/** What the worker offers the page. */
export interface EngineHost extends PlainCalls {
  /** Answers with {@link HOST_PROTOCOL} as soon as the worker runs. */
  ping(): number;
  /** Builds the engine. Resolves when its store is open; the engine's fault if it cannot be. */
  start(plan: EnginePlan, life: string, ports: HostPorts & ProxyMarked): Promise<void>;
  /** Starts a watch of the engine, by its name and what it is given before its listener; returns its number. */
  watch(name: WatchName, args: readonly unknown[], listener: RemoteListener): Promise<number>;
  /** Ends a watch and releases its listener. */
  unwatch(watch: number): void;
  close(): Promise<void>;
}

/** Builds an engine from its plan and the host's parts. */
export type StartEngine = (plan: EnginePlan, parts: EngineParts) => Promise<SyncEngine>;

interface Watch {
  readonly stop: Unsubscribe;
  readonly listener: Remote<RemoteListener>;
}

/** Makes what a worker exposes. `startEngine` is handed in, so that a test can hand in another. */
export function createEngineHost(startEngine: StartEngine): EngineHost {
  let started: SyncEngine | null = null;
  let watches = 0;
  const open = new Map<number, Watch>();

  function engine(): SyncEngine {
    if (started === null) throw new SyncFault('WORKER_FAILED', 'the worker was called before it was started');
    return started;
  }

  function unwatch(watch: number): void {
    const found = open.get(watch);
    if (found === undefined) return;
    open.delete(watch);
    found.stop();
    found.listener[releaseProxy]();
  }

  return {
    ping: () => HOST_PROTOCOL,
    async start(plan, life, ports) {
      await holdLife(life);
      started = await startEngine(plan, createRemoteParts(ports as unknown as Remote<HostPorts>));
      await started.ready;
    },
    async watch(name, args, marked) {
      const listener = marked as unknown as Remote<RemoteListener>;
      const watched = engine() as unknown as Record<WatchName, (...args: readonly unknown[]) => Promise<Unsubscribe>>;
      const stop = await watched[name](...args, (value: unknown) => void listener(value).catch(() => {}));
      const watch = ++watches;
      open.set(watch, { stop, listener });
      return watch;
    },
    unwatch,
    async close() {
      for (const watch of [...open.keys()]) unwatch(watch);
      await started?.close();
    },
    ...forwardCalls<SyncEngine, keyof PlainCalls>(PLAIN_CALLS, (call) => call(engine())),
  };
}
