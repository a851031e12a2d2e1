import { afterEach, describe, expect, test, vi } from 'vitest';
import { createSyncClient } from '../../bindings/web/index.ts';
import type { ClientEvent } from '../../src/client/facade/client-events.ts';
import { isFault } from '../../src/shared/fault.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import { memory } from '../../src/storage/memory.ts';
import { openCrm, playCrmScenario, schema, type CrmClient } from './crm-scenario.ts';

type Options = Parameters<typeof createSyncClient<typeof schema>>[0];

const clients: CrmClient[] = [];
let databases = 0;

function open(options: Partial<Options> = {}): CrmClient {
  const client = createSyncClient({ schema, user: 'ann', storage: memory(), transport: openCrm().transport(), ...options });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  vi.unstubAllGlobals();
});

/** Lets only some workers start, the way bundlers and policies do. */
function allowWorkers(isAllowed: (url: string | URL, options?: WorkerOptions) => boolean): void {
  const RealWorker = Worker;
  vi.stubGlobal('Worker', function LimitedWorker(url: string | URL, options?: WorkerOptions) {
    if (isAllowed(url, options)) return new RealWorker(url, options);
    throw new DOMException('the operation is insecure', 'SecurityError');
  });
}

const isModule = (_url: string | URL, options?: WorkerOptions) => options?.type === 'module';

describe('the client in a page', () => {
  test('gives the same answers from a worker as in place', async () => {
    const [inWorkers, inPlace] = [openCrm(), openCrm()];
    const database = () => indexedDb({ name: `parity-${++databases}` });
    const play = (crm: typeof inWorkers, options: Partial<Options>) =>
      playCrmScenario(open({ transport: crm.transport(), storage: database(), ...options }), open({ transport: crm.transport(), storage: database(), ...options }));

    const [fromWorkers, fromPlace] = [await play(inWorkers, {}), await play(inPlace, { worker: 'none' })];

    expect(await clients[0]!.runtime).toMatchObject({ kind: 'module-worker' });
    expect(await clients[2]!.runtime).toMatchObject({ kind: 'in-place' });
    expect(fromWorkers).toEqual(fromPlace);
  });

  test('runs in the worker that the host makes', async () => {
    const client = open({ worker: () => new Worker(new URL('../../src/worker/worker-entry.ts', import.meta.url), { type: 'module' }) });

    expect(await client.runtime).toEqual({ kind: 'host-worker', skipped: [] });
    expect(await client.objects.account.create({ name: 'A' })).toMatchObject({ entry: 1 });
  });

  test('goes on when the worker that the host makes is not there', async () => {
    const client = open({ worker: () => new Worker('/no-such-worker.js') });

    expect(await client.runtime).toMatchObject({ kind: 'module-worker', skipped: [{ kind: 'host-worker' }] });
    expect(await client.objects.account.create({ name: 'A' })).toMatchObject({ entry: 1 });
  });

  test('makes a worker from text where no worker file may start', async () => {
    allowWorkers((url, options) => !isModule(url, options));
    const client = open({ storage: indexedDb({ name: `blob-${++databases}` }) });
    const events: ClientEvent[] = [];
    client.events.subscribe((event) => events.push(event));

    expect(await client.runtime).toEqual({ kind: 'blob-worker', skipped: [{ kind: 'module-worker', reason: 'the operation is insecure' }] });
    const saved = await client.objects.account.create({ name: 'A' });
    expect(await client.outcome(saved.entry)).toEqual({ kind: 'saved' });
    expect(events[0]).toMatchObject({ type: 'runtime:started', kind: 'blob-worker' });
  });

  test('runs in place where no worker may start at all', async () => {
    allowWorkers(() => false);
    const client = open();

    expect(await client.runtime).toMatchObject({ kind: 'in-place', skipped: [{ kind: 'module-worker' }, { kind: 'blob-worker' }] });
    const saved = await client.objects.account.create({ name: 'A' });
    expect(await client.outcome(saved.entry)).toEqual({ kind: 'saved' });
  });

  test('finds its records and what was not sent again after a restart', async () => {
    const storage = indexedDb({ name: `restart-${++databases}` });
    const offline = { send: () => Promise.reject(new TypeError('no network')) };
    const first = open({ storage, transport: offline });
    const saved = await first.objects.account.create({ name: 'A' });
    await first.close();

    const second = open({ storage });

    expect(await second.objects.account.get(saved.id)).toMatchObject({ name: 'A' });
    expect(await second.outcome(saved.entry)).toEqual({ kind: 'saved' });
  });

  test('asks the browser to keep the store, and says what that answered', async () => {
    const persist = vi.spyOn(navigator.storage, 'persist').mockResolvedValue(false);
    const client = open({ storage: indexedDb({ name: `persist-${++databases}` }) });
    const persisted = await navigator.storage.persisted();

    expect(await client.persistStorage()).toBe(persisted);

    expect(persist).toHaveBeenCalledOnce();
    expect(await client.status.get()).toMatchObject({ storagePersisted: persisted });
    vi.restoreAllMocks();
  });

  test('asks the page for access tokens, from the worker too', async () => {
    const token = vi.fn(() => null);
    const client = open({ transport: { url: '/nothing-here', token } });

    await client.exchange();

    await vi.waitFor(() => expect(token).toHaveBeenCalledWith({ reason: 'start' }));
    await vi.waitFor(async () => expect(await client.status.get()).toMatchObject({ needsAuth: true }));
  });

  test('follows what the page knows of the network', async () => {
    const client = open();
    const heard: boolean[] = [];
    client.status.subscribe(({ isOnline }) => heard.push(isOnline));
    await vi.waitFor(() => expect(heard).toContain(true));

    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    dispatchEvent(new Event('offline'));

    await vi.waitFor(() => expect(heard.at(-1)).toBe(false));
    vi.restoreAllMocks();
  });

  test('shows in its status that its worker died, and fails its calls', async () => {
    let worker: Worker | undefined;
    const make = () => (worker = new Worker(new URL('../../src/worker/worker-entry.ts', import.meta.url), { type: 'module' }));
    const client = open({ worker: make });
    await client.ready;
    const events: ClientEvent[] = [];
    client.events.subscribe((event) => events.push(event));

    worker!.terminate();

    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'runtime:failed', fault: { code: 'WORKER_FAILED' } }));
    expect(await client.status.get()).toMatchObject({ state: 'error', lastFault: { code: 'WORKER_FAILED' } });
    expect(await client.objects.account.create({ name: 'A' }).catch((thrown: unknown) => isFault(thrown, 'WORKER_FAILED'))).toBe(true);
  });
});
