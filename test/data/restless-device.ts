import type { SyncEngine } from '../../src/client/engine.ts';
import type { SyncStatus } from '../../src/client/status.ts';
import { createSyncEngine } from '../../src/client/sync-engine.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import type { Schema } from '../../src/schema.ts';
import type { SyncServer } from '../../src/server/index.ts';
import type { Random } from '../../src/shared/random.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage, type CommitFate, type FaultyStorage } from '../../src/testing/faulty-storage.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../../src/transport/transport-adapter.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

/** Where a device dies: with an answer in its hands that it never reads, or at a commit of its storage. */
export type Death = { readonly kind: 'answer'; readonly after: number } | { readonly kind: 'commit'; readonly after: number; readonly fate: CommitFate };

export interface RestlessDeviceOptions {
  readonly schema: Schema;
  readonly server: SyncServer;
  readonly user: string;
  readonly seed: number;
}

/** What a device lived through. */
export interface DeviceCounts {
  pages: number;
  /** Pages that were a part of a transaction. */
  parts: number;
  kills: number;
  spells: number;
}

interface Life {
  readonly engine: SyncEngine;
  readonly storage: FaultyStorage;
  readonly ended: Promise<'killed'>;
}

/**
 * A device whose process can be killed at any moment: nothing of it goes on, no promise of it settles, and another opens over the same
 * storage. It keeps neither events nor requests, which would be most of the memory used.
 */
export class RestlessDevice {
  readonly counts: DeviceCounts = { pages: 0, parts: 0, kills: 0, spells: 0 };
  readonly #options: RestlessDeviceOptions;
  readonly #disk = memory();
  readonly #random: Random;
  #life!: Life;
  #death: Death | null = null;
  #limit: number | null = null;
  #answers = 0;
  #commits = 0;
  /** How many records to ask for with a page of the feed; `null` leaves it to the server. */
  pickLimit: () => number | null = () => null;

  private constructor(options: RestlessDeviceOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
  }

  static async open(options: RestlessDeviceOptions): Promise<RestlessDevice> {
    const device = new RestlessDevice(options);
    await device.#begin();
    return device;
  }

  get engine(): SyncEngine {
    return this.#life.engine;
  }

  /** Sends and reads all there is; `killed` when the process died on the way, after which another has been opened. */
  async exchange(death: Death | null = null): Promise<SyncStatus | 'killed'> {
    this.#death = death;
    this.#answers = this.#commits = 0;
    const life = this.#life;
    const outcome = await Promise.race([life.engine.exchange(), life.ended]);
    this.#death = null;
    if (outcome === 'killed') {
      this.counts.kills++;
      await this.#begin();
    }
    return outcome;
  }

  async goOffline(): Promise<void> {
    this.counts.spells++;
    await this.engine.setLifecycle({ isOnline: false });
  }

  async goOnline(): Promise<void> {
    await this.engine.setLifecycle({ isOnline: true });
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  async #begin(): Promise<void> {
    const { schema, server, user } = this.#options;
    let end = (): void => {};
    const ended = new Promise<'killed'>((resolve) => (end = () => resolve('killed')));
    const storage = faultyStorage(this.#disk, { decide: () => this.#fateOfCommit(), onCrash: () => end(), afterCrash: 'hang' });
    const way = inProcess({ handle: server.fetch, token: async () => user });
    let isDead = false;
    const transport: TransportAdapter = {
      send: async (request) => {
        const response = await way.send(this.#limited(request));
        if (!isDead && this.#isLastAnswer()) {
          isDead = true;
          storage.crash();
        }
        if (isDead) return new Promise<TransportResponse>(() => {});
        if (response.status === 200 && request.path.startsWith('feed')) this.counts.pages++;
        if (request.path.includes('revision=')) this.counts.parts++;
        return response;
      },
    };
    // A clock of its own: its timers die with it. It stands still, so nothing is polled but by `exchange`.
    const engine = createSyncEngine({ schema, owner: { tenant: '', user }, storage, transport, core: createTwinCore(), clock: createManualClock(), random: createSeededRandom(Math.floor(this.#random.next() * 2 ** 31)), parts: EAGER_PARTS });
    this.#life = { engine, storage, ended };
    await engine.ready;
  }

  /** A save that comes in parts is cut by the limit that it was first asked for with: another one would begin it anew. */
  #limited(request: TransportRequest): TransportRequest {
    if (!request.path.startsWith('feed')) return request;
    if (!request.path.includes('revision=')) this.#limit = this.pickLimit();
    const limit = this.#limit;
    return limit === null ? request : { ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}limit=${limit}` };
  }

  #isLastAnswer(): boolean {
    return this.#death?.kind === 'answer' && ++this.#answers >= this.#death.after;
  }

  #fateOfCommit(): CommitFate {
    return this.#death?.kind === 'commit' && ++this.#commits === this.#death.after ? this.#death.fate : 'done';
  }
}
