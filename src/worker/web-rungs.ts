import type { Clock } from '../shared/clock.ts';
import type { WorkerFactory } from './engine-start.ts';
import type { Rung } from './ladder.ts';
import type { EnginePlace } from './launch-engine.ts';
import { startWorker } from './start-worker.ts';

/** Where a page can run the engine, best first. `worker` is the host's own factory, or `'none'` to stay on the page's thread. */
export function webRungs(worker: WorkerFactory | 'none' | undefined, clock: Clock): readonly Rung<EnginePlace>[] {
  if (worker === 'none') return [inPlace];
  const own: Rung<EnginePlace>[] = worker === undefined ? [] : [{ kind: 'host-worker', start: () => inWorker(worker, clock) }];
  // Node, a server-side rendering, React Native: there is nothing to try.
  if (globalThis.Worker === undefined) return [...own, inPlace];
  return [
    ...own,
    { kind: 'module-worker', start: () => inWorker(makeModuleWorker, clock) },
    { kind: 'blob-worker', start: () => inBlobWorker(clock) },
    inPlace,
  ];
}

const inPlace: Rung<EnginePlace> = {
  kind: 'in-place',
  async start() {
    const { startTab } = await import('./tabs/start-tab.ts');
    return { kind: 'in-place', startEngine: startTab };
  },
};

async function inWorker(make: WorkerFactory, clock: Clock): Promise<EnginePlace> {
  return { kind: 'worker', worker: await startWorker(make, clock) };
}

// Bundlers find the worker by exactly this form.
const makeModuleWorker = () => new Worker(new URL('./worker-entry.ts', import.meta.url), { type: 'module' });

async function inBlobWorker(clock: Clock): Promise<EnginePlace> {
  const { WORKER_SOURCE } = await import('./blob-source.generated.ts');
  const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
  try {
    return await inWorker(() => new Worker(url), clock);
  } finally {
    URL.revokeObjectURL(url);
  }
}
