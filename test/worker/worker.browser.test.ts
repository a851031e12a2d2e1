import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import type { RuntimeEvent } from '../../src/client/runtime.ts';
import { platformClock, platformRandom } from '../../src/shared/platform.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import type { EngineParts, EnginePlan } from '../../src/worker/engine-start.ts';
import type { Rung } from '../../src/worker/ladder.ts';
import { launchEngine, type EnginePlace } from '../../src/worker/launch-engine.ts';
import { startWorker } from '../../src/worker/start-worker.ts';
import { startFakeEngine } from './fake-engine.ts';
import { partsWith, planFor } from './plans.ts';

const makeFake = () => new Worker(new URL('./fake-worker.ts', import.meta.url), { type: 'module' });

describe('an engine in a real worker', () => {
  let engine: SyncEngine;
  let worker: Worker;
  const events: RuntimeEvent[] = [];

  async function launch(plan: EnginePlan, parts: EngineParts = partsWith()): Promise<SyncEngine> {
    events.length = 0;
    const make = () => (worker = makeFake());
    const rung: Rung<EnginePlace> = { kind: 'host-worker', start: async () => ({ kind: 'worker', worker: await startWorker(make, platformClock) }) };
    const launched = await launchEngine({ plan, parts, rungs: [rung], random: platformRandom, onEvent: (event) => events.push(event) });
    return (engine = launched.engine);
  }

  afterEach(() => engine.close());

  test('answers calls and tells of changes', async () => {
    await launch(planFor('u1'));
    const heard = vi.fn();
    await engine.watchQuery({ object: 'account' }, heard);

    await engine.create('account', { name: 'St. Mary' });

    await vi.waitFor(() => expect(heard).toHaveBeenLastCalledWith([expect.objectContaining({ id: 'account-1' })]));
    expect(events).toEqual([{ type: 'runtime:started', kind: 'host-worker', skipped: [] }]);
  });

  test('fails with the faults of the engine, their causes included', async () => {
    await launch(planFor('locked'));

    const fault: unknown = await engine.ready.catch((thrown: unknown) => thrown);

    expect(fault).toBeInstanceOf(SyncFault);
    expect(fault).toMatchObject({
      code: 'STORAGE_LOCKED',
      details: { user: 'locked' },
      cause: { code: 'STORAGE_FAILED', cause: { name: 'RangeError', message: 'file is locked' } },
    });
    expect((fault as SyncFault).cause).toBeInstanceOf(SyncFault);
  });

  test('uses storage, transport and token of the page', async () => {
    const token = vi.fn(() => 'secret');
    await launch(planFor('u1'), partsWith({ token }));
    const heard = vi.fn();
    await engine.watchEvents(heard);

    await engine.wake();

    expect(token).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith({ type: 'upload:started', entries: [], bytes: 3 }));
  });

  test('fails what is under way when the worker throws what nobody catches', async () => {
    await launch(planFor('fragile'));
    const statuses: SyncStatus[] = [];
    await engine.watchStatus((status) => statuses.push(status));

    await expect(engine.wake()).rejects.toMatchObject({ code: 'WORKER_FAILED', message: expect.stringContaining('nobody caught this') as string });

    expect(statuses.at(-1)).toMatchObject({ state: 'error', lastFault: { code: 'WORKER_FAILED' } });
    expect(events.at(-1)).toMatchObject({ type: 'runtime:failed', fault: { code: 'WORKER_FAILED' } });
    await expect(engine.get('account', 'a')).rejects.toMatchObject({ code: 'WORKER_FAILED' });
  });

  test('fails what is under way when the worker is ended without a word', async () => {
    await launch(planFor('silent'));
    await engine.ready;
    const waking = engine.wake();
    waking.catch(() => {});

    worker.terminate();

    await expect(waking).rejects.toMatchObject({ code: 'WORKER_FAILED', message: 'the worker is gone' });
    expect(await engine.status()).toMatchObject({ state: 'error' });
  });

  test('says nothing of a worker that was closed', async () => {
    await launch(planFor('u1'));
    await engine.ready;

    await engine.close();

    expect(events.map(({ type }) => type)).toEqual(['runtime:started']);
    await expect(engine.get('account', 'a')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});

describe('starting a worker', () => {
  const start = (make: () => Worker) => startWorker(make, platformClock);
  const workerOf = (source: string) => () => new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));

  test('fails when the file is not there', async () => {
    await expect(start(() => new Worker('/there-is-no-such-file.js', { type: 'module' }))).rejects.toMatchObject({ code: 'WORKER_FAILED' });
  });

  test('fails when the file is no worker', async () => {
    await expect(start(workerOf('this is no program'))).rejects.toMatchObject({ code: 'WORKER_FAILED' });
  });

  test('fails when the page may not make it', async () => {
    const forbidden = () => {
      throw new DOMException('the operation is insecure', 'SecurityError');
    };
    await expect(start(forbidden)).rejects.toThrow('insecure');
  });

  test('fails when it does not answer, and ends it', async () => {
    let ring = () => {};
    const clock = { ...platformClock, setTimer: (_delayMs: number, run: () => void) => ((ring = run), () => {}) };
    const worker = workerOf('onmessage = () => {}')();
    const terminate = vi.spyOn(worker, 'terminate');

    const starting = startWorker(() => worker, clock);
    ring();

    await expect(starting).rejects.toMatchObject({ code: 'WORKER_FAILED', message: 'the worker did not answer within 10000 ms' });
    expect(terminate).toHaveBeenCalledOnce();
  });

  test('fails when it belongs to another release', async () => {
    const old = workerOf('onmessage = ({ data }) => postMessage({ id: data.id, type: "RAW", value: 0 })');

    await expect(start(old)).rejects.toMatchObject({ code: 'WORKER_FAILED', message: expect.stringContaining('another release') as string });
  });

  test('goes down to the page when no worker starts', async () => {
    const rungs: Rung<EnginePlace>[] = [
      { kind: 'module-worker', start: async () => ({ kind: 'worker', worker: await start(() => new Worker('/nothing.js')) }) },
      { kind: 'blob-worker', start: async () => ({ kind: 'worker', worker: await start(workerOf('throw new Error("blocked")')) }) },
      { kind: 'in-place', start: async () => ({ kind: 'in-place', startEngine: startFakeEngine }) },
    ];

    const { engine, report } = await launchEngine({
      plan: planFor('u1'),
      parts: partsWith(),
      rungs,
      random: platformRandom,
      onEvent: () => {},
    });

    expect(report).toMatchObject({ kind: 'in-place', skipped: [{ kind: 'module-worker' }, { kind: 'blob-worker', reason: expect.stringContaining('blocked') as string }] });
    expect(await engine.create('account', { name: 'A' })).toMatchObject({ entry: 1 });
    await engine.close();
  });
});
