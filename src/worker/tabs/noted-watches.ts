import { WATCH_CALLS, type WatchName } from '../../client/engine-calls.ts';
import type { Lifecycle, SyncEngine } from '../../client/engine.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';

/** A watch that is open, as it can be opened again on another engine. */
export interface NotedWatch {
  readonly name: WatchName;
  readonly args: readonly unknown[];
  readonly hear: (value: never) => void;
  stop: Unsubscribe;
  isOpen: boolean;
}

/** The engine of a tab that leads, and what was asked of it while nobody knew of other tabs. */
export interface OpenedEngine {
  /** What the tab shows. Its calls can be replaced. */
  readonly shown: SyncEngine;
  /** What answers. */
  readonly engine: SyncEngine;
  readonly watches: Set<NotedWatch>;
  lifecycle: Lifecycle;
}

/** Notes what is watched on an engine, for the day on which another takes its place. */
export function noteWatches(engine: SyncEngine, lifecycle: Lifecycle): OpenedEngine {
  const watches = new Set<NotedWatch>();
  const opened = { engine, shown: { ...engine }, watches, lifecycle };
  for (const name of WATCH_CALLS) {
    const start = engine[name] as (...given: readonly unknown[]) => Promise<Unsubscribe>;
    Object.assign(opened.shown, {
      async [name](...given: readonly unknown[]) {
        const watch: NotedWatch = { name, args: given.slice(0, -1), hear: given.at(-1) as NotedWatch['hear'], stop: () => {}, isOpen: true };
        watch.stop = await start(...given);
        watches.add(watch);
        return () => endWatch(watches, watch);
      },
    });
  }
  opened.shown.setLifecycle = (change) => {
    opened.lifecycle = { ...opened.lifecycle, ...change };
    return engine.setLifecycle(change);
  };
  return opened;
}

/** Ends a watch, on whichever engine it is by now. */
export function endWatch(watches: Set<NotedWatch>, watch: NotedWatch): void {
  watches.delete(watch);
  watch.isOpen = false;
  watch.stop();
}
