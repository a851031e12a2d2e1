import type { Schema } from '../../protocol/schema.ts';
import { createServerCore, type ServerCore } from '../../server/sync-server.ts';
import type { SyncServerOptions } from '../../server/sync-server-options.ts';
import type { SyncRequest, SyncResponse } from '../../server/sync-request.ts';
import type { OnlineAccess } from '../../server/save/online.ts';
import type { ServerStore } from '../../server/store/server-store.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedServerOptions<S extends Schema> {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  /** Outlives a crash; `crash` ends its open transactions. */
  readonly store: ServerStore & { crash(): void };
  readonly server: Omit<SyncServerOptions<S>, 'store' | 'clock' | 'random'>;
}

/** The server of a simulation: the real one on a store in memory, and it can die at any moment. */
export interface SimulatedServer {
  /** The back office of the server that runs now. */
  readonly online: OnlineAccess;
  /** Counts the crashes. */
  readonly crashes: number;
  /** Hands it a request; `null` when it died before it answered. */
  exchange(request: SyncRequest): Promise<SyncResponse | null>;
  /** Ends the process, with whatever it was doing, and starts another on the same store. */
  crash(): void;
}

/** Makes a {@link SimulatedServer}. */
export function createSimulatedServer<S extends Schema>({ time, random, store, server }: SimulatedServerOptions<S>): SimulatedServer {
  let lives = 0;
  let core = start();
  const underWay = new Set<() => void>();

  function start(): ServerCore {
    const life = lives;
    const isDead = (): boolean => lives !== life;
    return createServerCore({ ...server, store: storeOf(store, isDead), clock: time.clock({ isStopped: isDead }), random: random.fork(`life ${life}`) });
  }

  return {
    get online() {
      return core.online;
    },
    get crashes() {
      return lives;
    },
    exchange: (request) =>
      new Promise((resolve) => {
        const die = (): void => resolve(null);
        underWay.add(die);
        void core.handle(request).then((response) => {
          underWay.delete(die);
          resolve(response);
        });
      }),
    crash() {
      lives++;
      for (const die of underWay) die();
      underWay.clear();
      store.crash();
      core = start();
    },
  };
}

/** The store as one life of the server has it: once that is over, nothing more is read, written or heard. */
function storeOf(store: ServerStore, isDead: () => boolean): ServerStore {
  const whileAlive = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isDead()) return never();
    const outcome = await call().then((value) => () => value, (thrown: unknown) => () => { throw thrown; });
    return isDead() ? never() : outcome();
  };
  return {
    durability: store.durability,
    run: (tenant, work) => whileAlive(() => store.run(tenant, work)),
    read: (tenant, work) => whileAlive(() => store.read(tenant, work)),
    close: () => Promise.resolve(),
  };
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
