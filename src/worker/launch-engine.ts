import { proxy } from 'comlink';
import type { SyncEngine } from '../client/engine.ts';
import type { RuntimeEvent, RuntimeReport } from '../client/runtime.ts';
import { describeFault, SyncFault } from '../shared/fault.ts';
import type { Random } from '../shared/random.ts';
import type { EngineParts, EnginePlan } from './engine-start.ts';
import { createHostPorts } from './host-ports.ts';
import { climbDown, type Rung } from './ladder.ts';
import { createRemoteEngine } from './remote-engine.ts';
import type { StartedWorker } from './start-worker.ts';
import { watchLife } from './worker-life.ts';

/** What to run, and where it may run. */
export interface LaunchOptions {
  readonly plan: EnginePlan;
  readonly parts: EngineParts;
  /** Where to try, best first. */
  readonly rungs: readonly Rung<EnginePlace>[];
  readonly random: Random;
  readonly onEvent: (event: RuntimeEvent) => void;
}

/** A place that runs: a worker that answers, or the code itself. */
export type EnginePlace =
  | { readonly kind: 'worker'; readonly worker: StartedWorker }
  | { readonly kind: 'in-place'; readonly startEngine: (plan: EnginePlan, parts: EngineParts) => Promise<SyncEngine> };

/** Finds a place for the engine and starts it there. A fault of the engine itself (a store that cannot be opened) shows in its `ready`. */
export async function launchEngine(options: LaunchOptions): Promise<{ readonly engine: SyncEngine; readonly report: RuntimeReport }> {
  const { place, report } = await climbDown(options.rungs);
  const engine = place.kind === 'worker' ? startInWorker(place.worker, options) : await place.startEngine(options.plan, options.parts);
  options.onEvent({ type: 'runtime:started', ...report });
  return { engine, report };
}

function startInWorker(worker: StartedWorker, { plan, parts, random, onEvent }: LaunchOptions): SyncEngine {
  const life = `fieldtide-worker-${random.next()}-${random.next()}`;
  let stopWatchingLife = () => {};
  const engine = createRemoteEngine({
    host: worker.host,
    ready: worker.host.start(plan, life, proxy(createHostPorts(parts))).then(() => {
      stopWatchingLife = watchLife(life, () => engine.fail(new SyncFault('WORKER_FAILED', 'the worker is gone')));
    }),
    onEnd(fault) {
      stopWatchingLife();
      worker.terminate();
      if (fault !== null) onEvent({ type: 'runtime:failed', fault: describeFault(fault) });
    },
  });
  worker.onFailure((fault) => engine.fail(fault));
  return engine;
}
