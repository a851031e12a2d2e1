import type { TabGround } from '../../src/worker/tabs/tab-ground.ts';
import type { ManualClock } from './manual-clock.ts';
import { createSeededRandom } from './seeded-random.ts';

/** What the tabs of one origin meet with, in one process: locks and channels, and tabs that freeze and die. */
export class FakeOrigin {
  readonly #clock: ManualClock;
  readonly #held = new Map<string, LockRequest>();
  #line: LockRequest[] = [];
  readonly channels = new Map<string, Set<FakeChannel>>();
  #tabs = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** Opens a tab; its ground is what `startTab` takes. */
  tab(): FakeTab {
    return new FakeTab(this, this.#clock, ++this.#tabs);
  }

  request<T>(tab: FakeTab, name: string, options: LockOptions, use: (lock: Lock | null) => T): Promise<Awaited<T>> {
    return new Promise((resolve, reject) => {
      const request: LockRequest = { tab, name, reject, run: (lock) => Promise.resolve(use(lock)).then(resolve, reject) };
      const holder = this.#held.get(name);
      if (options.steal === true) {
        if (holder !== undefined) holder.tab.turn(() => holder.reject(new DOMException('stolen', 'AbortError')));
        return this.#grant(request);
      }
      if (holder === undefined && !this.#line.some((waiting) => waiting.name === name)) return this.#grant(request);
      if (options.ifAvailable === true) return tab.turn(() => void request.run(null));
      this.#line.push(request);
      options.signal?.addEventListener('abort', () => {
        if (!this.#line.includes(request)) return;
        this.#line = this.#line.filter((waiting) => waiting !== request);
        reject(new DOMException('left', 'AbortError'));
      });
    });
  }

  /** What the platform does for a tab that is no more. */
  bury(tab: FakeTab): void {
    this.#line = this.#line.filter((waiting) => waiting.tab !== tab);
    for (const held of [...this.#held.values()]) if (held.tab === tab) this.#release(held);
  }

  #grant(request: LockRequest): void {
    this.#held.set(request.name, request);
    request.tab.turn(() => void request.run({ name: request.name, mode: 'exclusive' }).finally(() => this.#release(request)));
  }

  #release(request: LockRequest): void {
    if (this.#held.get(request.name) !== request) return;
    this.#held.delete(request.name);
    const next = this.#line.find((waiting) => waiting.name === request.name);
    this.#line = this.#line.filter((waiting) => waiting !== next);
    if (next !== undefined) this.#grant(next);
  }
}

interface LockRequest {
  readonly tab: FakeTab;
  readonly name: string;
  readonly reject: (reason: unknown) => void;
  readonly run: (lock: Lock | null) => Promise<void>;
}

/** One tab: everything that reaches it waits while it is frozen, and is lost once it is dead. */
export class FakeTab {
  readonly ground: TabGround;
  readonly #origin: FakeOrigin;
  #state: 'runs' | 'frozen' | 'dead' = 'runs';
  #backlog: Arrival[] = [];

  constructor(origin: FakeOrigin, clock: ManualClock, seed: number) {
    this.#origin = origin;
    const request = (name: string, options: LockOptions, use: (lock: Lock | null) => unknown) => origin.request(this, name, options, use);
    this.ground = {
      name: 'fieldtide tabs',
      locks: { request } as unknown as LockManager,
      openChannel: (name) => new FakeChannel(origin, this, name) as unknown as BroadcastChannel,
      clock: { ...clock, setTimer: (delayMs, run) => clock.setTimer(delayMs, () => this.turn(run)) },
      random: createSeededRandom(seed * 104_729),
    };
  }

  /** Runs something in this tab, in a turn of its own. */
  turn(run: () => void): void {
    setImmediate(() => this.#arrive({ run, lose: () => {} }));
  }

  /** Waits until the tab runs: what it does itself goes on only then, and never where it is dead. */
  running(): Promise<void> {
    return new Promise((run, reject) => this.#arrive({ run, lose: () => reject(new Error('the tab is dead')) }));
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  freeze(): void {
    this.#state = 'frozen';
  }

  thaw(): void {
    this.#state = 'runs';
    for (const { run } of this.#backlog.splice(0)) this.turn(run);
  }

  die(): void {
    this.#state = 'dead';
    for (const { lose } of this.#backlog.splice(0)) lose();
    this.#origin.bury(this);
  }

  #arrive(arrival: Arrival): void {
    if (this.#state === 'runs') arrival.run();
    else if (this.#state === 'frozen') this.#backlog.push(arrival);
    else arrival.lose();
  }
}

interface Arrival {
  readonly run: () => void;
  readonly lose: () => void;
}

class FakeChannel {
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  readonly #tab: FakeTab;
  readonly #all: Set<FakeChannel>;

  constructor(origin: FakeOrigin, tab: FakeTab, name: string) {
    this.#tab = tab;
    this.#all = origin.channels.get(name) ?? new Set();
    origin.channels.set(name, this.#all.add(this));
  }

  postMessage(message: unknown): void {
    if (this.#tab.isDead) return;
    for (const channel of this.#all) {
      if (channel === this) continue;
      const data = structuredClone(message);
      channel.#tab.turn(() => this.#all.has(channel) && channel.onmessage?.({ data }));
    }
  }

  close(): void {
    this.#all.delete(this);
  }
}
