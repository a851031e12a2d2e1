import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import type { SyncEvent } from '../../src/client/sync-event.ts';
import type { Change } from '../../src/client/queue/transaction.ts';
import type { SyncEngineOptions } from '../../src/client/engine-core.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import type { Schema } from '../../src/schema.ts';
import { createSyncServer, type SyncServer, type SyncServerOptions } from '../../src/server/index.ts';
import { memory as memoryServerStore } from '../../src/server/store/memory.ts';
import { memory } from '../../src/storage/memory.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import type { StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../../src/transport/transport-adapter.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createSeededRandom } from './seeded-random.ts';

/** A device of a test: an engine, and what it says and hears. */
export interface TestDevice {
  readonly engine: SyncEngine;
  readonly events: SyncEvent[];
  /** Every request that went out, oldest first. */
  readonly requests: TransportRequest[];
  /** Where its rows lie. */
  readonly disk: StorageAdapter;
  /** Puts something between device and server: lose, delay, forge. `null` takes it away. */
  intercept(way: Intercept | null): void;
}

type Send = (request: TransportRequest) => Promise<TransportResponse>;
export type Intercept = (request: TransportRequest, send: Send) => Promise<TransportResponse>;

/** One server, any number of devices, one clock that stands still. */
export interface World<S extends Schema> {
  readonly server: SyncServer;
  readonly clock: ManualClock;
  device(user: string, options?: Partial<SyncEngineOptions>): Promise<TestDevice>;
  close(): Promise<void>;
  readonly schema: S;
}

export function createWorld<const S extends Schema>(schema: S, options: Partial<SyncServerOptions<S>> = {}): World<S> {
  const clock = createManualClock();
  let seed = 1;
  const server = createSyncServer({
    schema,
    store: memoryServerStore(),
    authenticate: ({ headers }) => (headers.authorization === undefined ? null : { user: headers.authorization.slice('Bearer '.length) }),
    clock,
    pollSharingMs: 0,
    random: createSeededRandom(seed),
    ...options,
  });
  const devices: SyncEngine[] = [];
  return {
    schema,
    server,
    clock,
    async device(user, own = {}) {
      const direct = inProcess({ handle: server.fetch, token: async () => user });
      const events: SyncEvent[] = [];
      const requests: TransportRequest[] = [];
      let intercept: Intercept | null = null;
      const transport: TransportAdapter = {
        send(request) {
          requests.push(request);
          return intercept === null ? direct.send(request) : intercept(request, (passed) => direct.send(passed));
        },
      };
      const disk = own.storage ?? memory();
      const engine = createSyncEngine({
        schema,
        owner: { tenant: '', user },
        storage: disk,
        transport,
        core: createTwinCore(),
        clock,
        random: createSeededRandom(++seed * 7919),
        parts: EAGER_PARTS,
        ...own,
      });
      await engine.watchEvents((event) => events.push(event));
      await engine.ready;
      devices.push(engine);
      return { engine, events, requests, disk, intercept: (way) => (intercept = way) };
    },
    async close() {
      await Promise.all(devices.map((engine) => engine.close()));
      await server.close();
    },
  };
}

/** Puts a device on the network: sends what it can, and reads the feed to its end. */
export async function goOnline({ engine }: Pick<TestDevice, 'engine'>): Promise<SyncStatus> {
  await engine.setLifecycle({ isOnline: true });
  return engine.exchange();
}

/** One change of a transaction. */
export function put(op: 'create' | 'update', object: string, id: string, values: Readonly<Record<string, unknown>>): Change {
  return { op, object, id, values };
}

/** All records of an object as they are online. */
export async function listOnline<S extends Schema>({ server }: World<S>, object: string): Promise<Record<string, unknown>[]> {
  return (await server.online.list(object)).map(({ id, values }) => ({ id, ...values }));
}
