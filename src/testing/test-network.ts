import type { SyncEngine } from '../client/engine.ts';
import { createTypedClient, type SyncClient } from '../client/sync-client.ts';
import { createTwinCore } from '../core/twin.ts';
import type { Schema } from '../protocol/schema.ts';
import type { OnlineAccess } from '../server/save/online.ts';
import type { SyncServerOptions } from '../server/sync-server-options.ts';
import { memory } from '../server/store/memory.ts';
import { assertConverged } from './assert-converged.ts';
import { createFaultyNetwork } from './simulation/faulty-network.ts';
import { NO_FAULTS, type Faults } from './simulation/faults.ts';
import { createSeededRandom } from './simulation/seeded-random.ts';
import { SimulatedDevice } from './simulation/simulated-device.ts';
import { createSimulatedServer } from './simulation/simulated-server.ts';
import { createVirtualTime } from './simulation/virtual-time.ts';

/** How to make a {@link TestNetwork}. */
export interface TestNetworkOptions<S extends Schema> {
  /** What devices and server exchange, made with `defineSchema`. */
  readonly schema: S;
  /** The server as the host makes it: hooks, visibility, limits. `authenticate` is given `Bearer` and the user's name. */
  readonly server?: Omit<Partial<SyncServerOptions<S>>, 'schema' | 'store' | 'clock' | 'random'>;
  /** Decides everything that is left to chance: the same seed gives the same run. @defaultValue 1 */
  readonly seed?: number;
}

/** A span of virtual time; the parts add up. */
export interface Duration {
  /** Days of 24 hours. @defaultValue 0 */
  readonly days?: number;
  /** Hours. @defaultValue 0 */
  readonly hours?: number;
  /** Minutes. @defaultValue 0 */
  readonly minutes?: number;
  /** Seconds. @defaultValue 0 */
  readonly seconds?: number;
  /** Milliseconds. @defaultValue 0 */
  readonly ms?: number;
}

/** A device of a {@link TestNetwork}. */
export interface TestDevice<S extends Schema> {
  /** The user's name and a number from 1, such as `ann.2`. */
  readonly name: string;
  /** Whose device it is. */
  readonly user: string;
  /** The client that runs on it; another one after each restart. */
  readonly client: SyncClient<S>;
  /** Takes the network away, or gives it back. The client finds out for itself; tell it with `client.setLifecycle` as an app would. */
  setConnected(isConnected: boolean): void;
  /** Ends the app without warning, whatever it is doing. Calls under way never answer. What was durable is there after `restart`. */
  crash(): void;
  /** Starts the app again on what its storage holds. */
  restart(): Promise<void>;
  /** Ends the app and empties its storage, as an uninstall does or a browser that needs the room. */
  wipe(): void;
}

/** Devices of any number of users, a network that can be made as bad as it gets, and the real server, all in virtual time. */
export interface TestNetwork<S extends Schema> {
  /** The back office. Its calls need no virtual time unless hooks wait. */
  readonly online: OnlineAccess;
  /** Requests sent so far. */
  readonly requests: number;
  /** Makes devices of a user, each with an empty storage and a running client. */
  devices(user: string, count: number): Promise<readonly TestDevice<S>[]>;
  /** Makes one device of a user. */
  device(user: string): Promise<TestDevice<S>>;
  /** Says what goes wrong from now on, as probabilities from 0 to 1; what is left out does not. */
  faults(faults: Partial<Faults>): void;
  /** Ends the server's process and starts another one on the same data. */
  crashServer(): void;
  /** Lets time pass. Timers, requests and retries of that time happen, in the order in which they are due. */
  advance(duration: Duration): Promise<void>;
  /** Lets time pass until a call has answered, which is what a call that needs the network waits for. @throws after an hour */
  until<T>(call: Promise<T>): Promise<T>;
  /**
   * Mends the network, starts what is down, lets every queue run empty and the feeds be read, downloads, and compares each device with
   * what the server has for its user. Records with a sync error are left out: they wait for a person.
   *
   * @throws an error that names the devices that do not come to rest within an hour, or the first records that differ.
   */
  expectConverged(): Promise<void>;
  /** Closes all clients. */
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/**
 * Makes a network for tests of what a host builds on Fieldtide: hooks, conflicts, offline work. Nothing in it is a mock but the wire and
 * the clock, and a week passes in a moment.
 *
 * @example
 * ```ts
 * const net = createTestNetwork({ schema, server: { objects }, seed: 7 });
 * const [tablet, phone] = await net.devices('ann', 2);
 * net.faults({ lostAnswers: 0.25 });
 * await tablet.client.objects.account.create({ name: 'St. Mary' });
 * await net.advance({ days: 7 });
 * await net.expectConverged();
 * ```
 */
export function createTestNetwork<const S extends Schema>({ schema, server: serverOptions = {}, seed = 1 }: TestNetworkOptions<S>): TestNetwork<S> {
  const random = createSeededRandom(seed);
  const time = createVirtualTime();
  const core = createTwinCore();
  const devices: { readonly simulated: SimulatedDevice; readonly device: TestDevice<S> }[] = [];
  const storeRandom = random.fork('store');
  let faults: Faults = NO_FAULTS;

  const store = memory({
    intercept() {
      if (!storeRandom.chance(faults.serverCrashes)) return;
      server.crash();
      throw new Error('the server crashed (injected)');
    },
  });
  const authenticate: SyncServerOptions['authenticate'] = serverOptions.authenticate ?? (({ headers }) => ({ user: (headers.authorization ?? '').slice('Bearer '.length) }));
  const server = createSimulatedServer({ time, random: random.fork('server'), store, server: { ...serverOptions, schema, authenticate } });
  const network = createFaultyNetwork({ time, random: random.fork('network'), faults: () => faults, exchange: (request) => server.exchange(request) });

  async function addDevice(user: string): Promise<TestDevice<S>> {
    const name = `${user}.${devices.filter(({ device }) => device.user === user).length + 1}`;
    const simulated = new SimulatedDevice({
      name,
      owner: { tenant: 'default', user },
      token: user,
      schema,
      core,
      time,
      network,
      random: random.fork(name),
      faults: () => faults,
    });
    const device = new Device(schema, user, simulated);
    devices.push({ simulated, device });
    await device.restart();
    return device;
  }

  return {
    get online() {
      return server.online;
    },
    get requests() {
      return network.requests;
    },
    async devices(user, count) {
      const made: TestDevice<S>[] = [];
      for (let index = 0; index < count; index++) made.push(await addDevice(user));
      return made;
    },
    device: addDevice,
    faults: (rates) => void (faults = { ...NO_FAULTS, ...rates }),
    crashServer: () => server.crash(),
    advance: (duration) => time.pass(inMilliseconds(duration)),
    until: (call) => time.passUntil(call, HOUR_MS),
    async expectConverged() {
      faults = NO_FAULTS;
      await assertConverged({ schema, time, online: server.online, devices: devices.map(({ simulated }) => simulated), canSee: serverOptions.canSee, authenticate });
    },
    async close() {
      for (const { simulated } of devices) if (simulated.engine !== null) await time.passUntil(simulated.engine.close(), HOUR_MS);
    },
  };
}

class Device<S extends Schema> implements TestDevice<S> {
  readonly user: string;
  readonly #schema: S;
  readonly #simulated: SimulatedDevice;
  #client: SyncClient<S> | null = null;
  #engine: SyncEngine | null = null;

  constructor(schema: S, user: string, simulated: SimulatedDevice) {
    this.user = user;
    this.#schema = schema;
    this.#simulated = simulated;
  }

  get name(): string {
    return this.#simulated.name;
  }

  get client(): SyncClient<S> {
    const engine = this.#simulated.engine ?? this.#simulated.start();
    if (this.#client === null || this.#engine !== engine) {
      this.#engine = engine;
      const runtime = { report: Promise.resolve({ kind: 'in-place', skipped: [] } as const), subscribe: () => () => {} };
      this.#client = createTypedClient({ schema: this.#schema, engine, runtime });
    }
    return this.#client;
  }

  setConnected(isConnected: boolean): void {
    this.#simulated.isConnected = isConnected;
  }

  crash(): void {
    this.#simulated.crash();
  }

  async restart(): Promise<void> {
    this.#simulated.crash();
    await this.client.ready;
  }

  wipe(): void {
    this.#simulated.wipe();
  }
}

function inMilliseconds({ days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0 }: Duration): number {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + ms;
}
