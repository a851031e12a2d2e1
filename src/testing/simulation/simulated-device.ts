import type { SyncEngine } from '../../client/engine.ts';
import type { SyncEvent } from '../../client/sync-event.ts';
import type { ClientRules } from '../../client/rules.ts';
import { createSyncEngine } from '../../client/sync-engine.ts';
import type { Core } from '../../core/core.ts';
import type { Schema } from '../../protocol/schema.ts';
import { memory } from '../../storage/memory.ts';
import type { StorageAdapter, StoreOwner } from '../../storage/storage-adapter.ts';
import { faultyStorage, type CommitFate, type FaultyStorage } from '../faulty-storage.ts';
import type { FaultyNetwork } from './faulty-network.ts';
import { EAGER_PARTS } from './eager-parts.ts';
import type { Faults } from './faults.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedDeviceOptions {
  readonly name: string;
  readonly owner: StoreOwner;
  readonly token: string;
  readonly schema: Schema;
  readonly core: Core;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly network: FaultyNetwork;
  readonly faults: () => Faults;
  readonly pollIntervalMs?: number;
  /** How far off the device's wall clock is, in milliseconds; asked at each reading. @defaultValue 0 */
  readonly clockOffBy?: () => number;
  /** Mean time of a storage call, in milliseconds: above 0, calls of the client overtake one another. @defaultValue 0 */
  readonly storageMs?: () => number;
  /** Looks at what becomes durable. @defaultValue the storage as it is */
  readonly observe?: (storage: StorageAdapter) => StorageAdapter;
  /** Bugs to plant. */
  readonly rules?: Partial<ClientRules>;
  /** Hears what its clients do; `isCurrent` is false for one that another has taken the store over from. */
  readonly onEvent?: (event: SyncEvent, isCurrent: boolean) => void;
  /** Hears when the device's process ends without warning. */
  readonly onCrash?: (during: 'commit' | 'call') => void;
}

/** A device of a simulation: the real client on storage in memory. Its process can end at any moment; its storage stays. */
export class SimulatedDevice {
  readonly #options: SimulatedDeviceOptions;
  #storage: FaultyStorage;
  #engine: SyncEngine | null = null;
  #lives = 0;
  #starts = 0;
  #isConnected = true;

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options;
    this.#storage = this.#createStorage();
  }

  get name(): string {
    return this.#options.name;
  }

  get owner(): StoreOwner {
    return this.#options.owner;
  }

  /** The client that runs; `null` between a crash and the next start. */
  get engine(): SyncEngine | null {
    return this.#engine;
  }

  /** Whether there is a network. The client may be told of it, or find out for itself. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  set isConnected(isConnected: boolean) {
    this.#isConnected = isConnected;
  }

  /** Starts a client on what the storage holds. One that still runs is not ended: it is a second tab, and has to notice by itself. */
  start(): SyncEngine {
    const { name, owner, token, schema, core, time, random, network, pollIntervalMs, clockOffBy, rules, onEvent } = this.#options;
    const life = this.#lives;
    const isDead = (): boolean => this.#lives !== life;
    const clock = time.clock({ isStopped: isDead, ...(clockOffBy === undefined ? {} : { offBy: clockOffBy }) });
    const engine = createSyncEngine({
      schema,
      owner,
      core,
      clock,
      parts: EAGER_PARTS,
      storage: this.#storage,
      transport: network.connect({ device: name, token, isConnected: () => this.#isConnected, isAlive: () => !isDead() }),
      random: random.fork(`start ${++this.#starts}`),
      ...(pollIntervalMs === undefined ? {} : { pollIntervalMs }),
      ...(rules === undefined ? {} : { rules }),
    });
    if (onEvent !== undefined) void engine.watchEvents((event) => isDead() || onEvent(event, engine === this.#engine));
    this.#engine = engine;
    return engine;
  }

  /** Ends the process without warning. Calls under way never answer. */
  crash(): void {
    if (this.#engine !== null) this.#storage.crash();
  }

  /** Ends the process, and all that it had stored is gone with it. */
  wipe(): void {
    this.crash();
    this.#storage = this.#createStorage();
  }

  #createStorage(): FaultyStorage {
    const { time, random, storageMs = () => 0, observe = (storage) => storage, onCrash } = this.#options;
    let isCommitting = false;
    return faultyStorage(observe(memory()), {
      afterCrash: 'hang',
      delay: () => (storageMs() === 0 ? Promise.resolve() : time.wait(random.exponential(storageMs()))),
      decide: () => {
        const fate = this.#decideFate();
        isCommitting = fate === 'crash-before' || fate === 'crash-after';
        return fate;
      },
      onCrash: () => {
        this.#lives++;
        this.#engine = null;
        onCrash?.(isCommitting ? 'commit' : 'call');
        isCommitting = false;
      },
    });
  }

  #decideFate(): CommitFate {
    const { random, faults } = this.#options;
    const { deviceCrashes, failedCommits } = faults();
    if (random.chance(deviceCrashes)) return random.pick(['crash-before', 'crash-after']);
    return random.chance(failedCommits) ? random.pick(['full', 'fail']) : 'done';
  }
}
