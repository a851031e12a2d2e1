import type { ClientRules } from '../../../src/client/rules.ts';
import { createSyncEngine } from '../../../src/client/sync-engine.ts';
import type { SyncEngine } from '../../../src/client/engine.ts';
import { createTwinCore } from '../../../src/core/twin.ts';
import { HEADERS } from '../../../src/protocol/messages.ts';
import { SyncFault } from '../../../src/shared/fault.ts';
import { memory } from '../../../src/storage/memory.ts';
import type { ServerRules } from '../../../src/server/server-rules.ts';
import { createServerCore, type ServerCore } from '../../../src/server/sync-server.ts';
import type { ServerStore } from '../../../src/server/index.ts';
import { EAGER_PARTS } from '../../../src/testing/simulation/eager-parts.ts';
import type { SeededRandom } from '../../../src/testing/simulation/seeded-random.ts';
import { createVirtualTime, type VirtualTime } from '../../../src/testing/simulation/virtual-time.ts';
import type { TransportAdapter, TransportRequest } from '../../../src/transport/transport-adapter.ts';
import { createRecordedStore, type CommittedTransaction } from '../recorded-store.ts';
import { modelHooks, modelSchema, type ModelSchema } from './model-schema.ts';

/** What a model is run with: the rules of the product, or some of them broken. */
export interface ModelRules {
  readonly client?: Partial<ClientRules>;
  readonly server?: Partial<ServerRules>;
  /** Each save is an entry of its own. */
  readonly isNeverCoalesced?: boolean;
  /** The feed leaves out what the reader itself saved. */
  readonly isOriginLeftOut?: boolean;
}

/** Which of its requests a device may make now. */
export type Way = 'upload' | 'feed' | 'all' | 'none';

export interface ModelDevice {
  readonly name: string;
  readonly engine: SyncEngine;
  way: Way;
  /** Requests that `upload` still lets through, of one entry each. */
  uploadsLeft: number;
}

export interface ModelWorld {
  readonly time: VirtualTime;
  readonly server: ServerCore;
  readonly devices: readonly ModelDevice[];
  readonly schema: ModelSchema;
  /** Which device a store is of. */
  deviceOf(store: string): string | null;
  /** How often an answer to an upload is lost, from 0 to 1. */
  lostAnswers: number;
}

/** Two devices of one user and a server, in one process and in virtual time; nothing is sent but when somebody says so. */
export function createModelWorld(random: SeededRandom, rules: ModelRules, onCommit: (transaction: CommittedTransaction) => void): ModelWorld {
  const time = createVirtualTime();
  const core = createTwinCore();
  const schema = modelSchema(rules.isNeverCoalesced === true);
  const store = createRecordedStore({ onCommit, crashesAt: () => false, crash: () => {} });
  let reader: string | null = null;
  const server = createServerCore({
    schema,
    core,
    store: rules.isOriginLeftOut === true ? withoutOrigin(store, () => reader) : store,
    clock: time.clock(),
    random: random.fork('server'),
    objects: modelHooks,
    authenticate: () => ({ user: 'u1' }),
    limits: { entries: 1 },
    ...(rules.server === undefined ? {} : { rules: rules.server }),
  });
  const stores = new Map<string, string>();
  const answers = random.fork('answers');
  const world: ModelWorld = { time, server, schema, devices: [], deviceOf: (name) => stores.get(name) ?? null, lostAnswers: 0.25 };

  function createDevice(name: string): ModelDevice {
    const transport: TransportAdapter = {
      async send(request) {
        const isUpload = request.path === 'upload';
        if (device.way === 'none' || (device.way === 'upload' && request.path.startsWith('feed')) || (device.way === 'feed' && isUpload)) throw unreachable(request);
        if (device.way === 'upload' && isUpload && --device.uploadsLeft < 0) throw unreachable(request);
        reader = request.headers[HEADERS.store] ?? null;
        if (reader !== null) stores.set(reader, name);
        const answer = await exchange(server, request);
        if (isUpload && answers.chance(world.lostAnswers)) throw unreachable(request);
        return answer;
      },
    };
    const engine = createSyncEngine({
      schema,
      owner: { tenant: 'default', user: 'u1' },
      core,
      clock: time.clock(),
      random: random.fork(name),
      parts: EAGER_PARTS,
      storage: memory(),
      transport,
      lifecycle: { isOnline: true, isForeground: false },
      ...(rules.client === undefined ? {} : { rules: rules.client }),
    });
    const device: ModelDevice = { name, engine, way: 'none', uploadsLeft: 0 };
    return device;
  }
  return Object.assign(world, { devices: [createDevice('a'), createDevice('b')] });
}

async function exchange(server: ServerCore, { method, path, headers, body }: TransportRequest) {
  const [name, query = ''] = path.split('?', 2) as [string, string?];
  const response = await server.handle({
    method,
    path: `/${name}`,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers,
    body: () => Promise.resolve(body ?? new Uint8Array()),
  });
  return { ...response, body: response.body ?? new Uint8Array() };
}

function unreachable({ method, path }: TransportRequest): SyncFault {
  return new SyncFault('TRANSPORT_UNREACHABLE', `${method} ${path} failed (injected)`);
}

/** A feed in which a reader's own saves are empty. */
function withoutOrigin(store: ServerStore, reader: () => string | null): ServerStore {
  return {
    ...store,
    read: (tenant, work) =>
      store.read(tenant, (view) => work({ ...view, listFeed: async (...range) => (await view.listFeed(...range)).map((row) => (row.store === reader() ? { ...row, records: [] } : row)) })),
  };
}
