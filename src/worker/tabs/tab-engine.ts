import { PLAIN_CALLS, WATCH_CALLS, type WatchName } from '../../client/engine-calls.ts';
import type { Lifecycle, SyncEngine } from '../../client/engine.ts';
import type { HandleView } from '../../client/handles/handle.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';
import { isFault, SyncFault } from '../../shared/fault.ts';
import { endWatch, type NotedWatch, type OpenedEngine } from './noted-watches.ts';

/** Any call of an engine, by name. */
export type CallName = (typeof PLAIN_CALLS)[number];
/** An engine whose calls are made by name. */
export type Callable = Record<CallName | WatchName, (...args: readonly unknown[]) => Promise<unknown>>;

/** What becomes of the calls of a tab while the engine that answers them changes. */
export interface TabEngineOptions {
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  /** An engine that answers this tab already. */
  readonly opened?: OpenedEngine;
  /** Runs once: gives up what the tab holds. */
  readonly onClose: () => Promise<void>;
  /** Runs when a call has signed the user out of this device. */
  readonly onSignedOut: () => void;
}

/** Calls that can be made again when nobody knows what became of them: they change nothing, or say the same again. */
const REPEATABLE: ReadonlySet<string> = new Set<CallName>([
  'get', 'query', 'outcome', 'status', 'listSyncErrors', 'exportEntries', 'explain', 'readJournal', 'listNotices', 'acknowledgeNotice',
  'download', 'fetch', 'wake', 'exchange', 'checkStorage', 'setLifecycle',
]);

/** How long a tab that finds its store in other hands waits to be told by whom, in milliseconds. */
export const STOLEN_MS = 2_000;

/** What a tab is: it has the store and works for all, or it asks the one that has. */
export type TabRoleName = 'leader' | 'follower';

/** A call on its way to an engine, or a watch attached to it: for this engine, or the next that takes its place. */
type Turn = Promise<SyncEngine>;

interface Attachment {
  readonly turn: Turn;
  readonly done: Promise<void>;
}

/**
 * The engine that a tab shows: its calls are answered by whichever engine is in {@link use}, its own or that of the tab that leads
 * (rule C10). Calls wait while there is none. Watches go on with the next engine; reads that were cut off are made again; a save is made
 * again only if it is certain that it did not happen.
 */
export class TabEngine {
  readonly engine: SyncEngine;
  /** What this tab's page last said. */
  lifecycle: Lifecycle;
  /** Where the tab's word of network and visibility goes while there are other tabs; `null`: to the engine. */
  tellLifecycle: ((change: Partial<Lifecycle>) => void) | null = null;
  readonly #options: TabEngineOptions;
  readonly #watches: Set<NotedWatch>;
  readonly #attached = new WeakMap<NotedWatch, Attachment>();
  #current!: Turn;
  #resolve!: (engine: SyncEngine) => void;
  #reject!: (fault: SyncFault) => void;
  /** Open records that have been shown. */
  readonly #shown = new WeakSet<NotedWatch>();
  /** Handles of the engine that answers now; the next one counts its own anew. `null`: all that this tab knows of are. */
  #handles: Set<unknown> | null = null;
  #role: TabRoleName | null = null;
  #isSet = true;
  #next!: { readonly promise: Promise<void>; readonly tell: () => void };
  #closing: Promise<void> | null = null;
  /** What the tab ended with. */
  ended: SyncFault | null = null;

  constructor(options: TabEngineOptions) {
    this.#options = options;
    this.lifecycle = options.lifecycle;
    this.#watches = options.opened?.watches ?? new Set();
    this.unset();
    if (options.opened === undefined) this.#handles = new Set();
    for (const watch of this.#watches) {
      this.#attached.set(watch, { turn: this.#current, done: Promise.resolve() });
      if (watch.name === 'watchHandle') this.#shown.add(watch);
    }
    const ready = this.#current.then(({ ready: opened }) => opened);
    ready.catch(() => {}); // every call says the same
    const call = (name: CallName) => [name, (...args: readonly unknown[]) => this.#call(name, args)] as const;
    const watch = (name: WatchName) => [name, (...args: readonly unknown[]) => this.#watch(name, args)] as const;
    this.engine = { ...Object.fromEntries([...PLAIN_CALLS.map(call), ...WATCH_CALLS.map(watch)]), ready, close: () => (this.#closing ??= this.#close()) } as unknown as SyncEngine;
  }

  /** Answers with this engine from now on, and moves the watches over. */
  use(engine: SyncEngine, role: TabRoleName): void {
    if (this.ended !== null) return;
    this.#isSet = true;
    this.#resolve(engine);
    if (this.#role !== role) {
      this.#role = role;
      for (const watch of this.#watches) if (watch.name === 'watchEvents') this.#tellRole(watch);
    }
    for (const watch of this.#watches) void this.#attach(watch).catch(() => {}); // the next engine may take it
  }

  /** Lets calls wait for the next engine. */
  unset(): void {
    if (this.ended !== null || !this.#isSet) return;
    this.#isSet = false;
    this.#next?.tell();
    this.#current = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#current.catch(() => {});
    let tell = (): void => {};
    const promise = new Promise<void>((resolve) => (tell = resolve));
    this.#next = { promise, tell };
    this.#handles = new Set();
    // Nobody can be shown what another engine had open: a handle ends with the engine that knows what it showed.
    for (const watch of this.#watches) if (this.#shown.has(watch)) endWatch(this.#watches, watch);
  }

  /** Every call fails from now on. */
  end(fault: SyncFault): void {
    if (this.ended !== null) return;
    this.unset();
    this.ended = fault;
    this.#reject(fault);
    for (const watch of this.#watches) endWatch(this.#watches, watch);
  }

  async #call(name: CallName, args: readonly unknown[]): Promise<unknown> {
    if (name === 'setLifecycle') return this.#setLifecycle(args[0] as Partial<Lifecycle>);
    if (name === 'handle') this.#assertHandle(args[0] as object);
    for (;;) {
      const turn = this.#current;
      try {
        const answer = await ((await turn) as unknown as Callable)[name](...args);
        if (name === 'signOut' || name === 'wipe') this.#options.onSignedOut();
        return answer;
      } catch (thrown) {
        if (!(await this.#mayRepeat(thrown, name, turn))) throw thrown;
      }
    }
  }

  #assertHandle(request: { readonly handle?: number }): void {
    if (request.handle === undefined || (this.#handles?.has(request.handle) ?? true)) return;
    throw new SyncFault('HANDLE_CLOSED', 'the tab that had the store ended, and with it what was open there');
  }

  async #setLifecycle(change: Partial<Lifecycle>): Promise<void> {
    this.lifecycle = { ...this.lifecycle, ...change };
    const engine = await this.#current;
    if (this.tellLifecycle === null) await engine.setLifecycle(change);
    else this.tellLifecycle(change);
  }

  #tellRole({ hear }: NotedWatch): void {
    if (this.#role !== null) hear({ type: 'tab:role-taken', role: this.#role } as never);
  }

  /** Waits for the next engine where there is to be one. */
  async #mayRepeat(thrown: unknown, name: CallName, turn: Turn): Promise<boolean> {
    if (isFault(thrown, 'TAB_LEADER_LOST')) return thrown.details.wasSent === false || REPEATABLE.has(name);
    // The engine here wrote nothing when it found its store in other hands, nor after it was closed for that.
    if (isFault(thrown, 'CLIENT_TAKEN_OVER') && turn === this.#current && this.ended === null) await this.#untilNext();
    return (isFault(thrown, 'CLIENT_TAKEN_OVER') || isFault(thrown, 'CLIENT_CLOSED')) && turn !== this.#current;
  }

  #untilNext(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.setTimer(STOLEN_MS, resolve);
      void this.#next.promise.then(cancel).then(resolve);
    });
  }

  async #watch(name: WatchName, given: readonly unknown[]): Promise<Unsubscribe> {
    const watch: NotedWatch = { name, args: given.slice(0, -1), hear: given.at(-1) as NotedWatch['hear'], stop: () => {}, isOpen: true };
    this.#watches.add(watch);
    if (name === 'watchEvents') this.#tellRole(watch);
    try {
      for (;;) {
        const turn = this.#current;
        try {
          await this.#attach(watch);
          return () => endWatch(this.#watches, watch);
        } catch (thrown) {
          if (!(await this.#mayRepeat(thrown, 'get', turn)) || !watch.isOpen) throw thrown;
        }
      }
    } catch (thrown) {
      endWatch(this.#watches, watch);
      throw thrown;
    }
  }

  #attach(watch: NotedWatch): Promise<void> {
    const turn = this.#current;
    const known = this.#attached.get(watch);
    if (known?.turn === turn) return known.done;
    const done = this.#attachTo(turn, watch);
    this.#attached.set(watch, { turn, done });
    return done;
  }

  async #attachTo(turn: Turn, watch: NotedWatch): Promise<void> {
    const engine = await turn;
    let isOn = true;
    const hear = (value: never): void => {
      if (!isOn || !watch.isOpen || turn !== this.#current) return;
      if (watch.name === 'watchHandle') {
        this.#shown.add(watch);
        this.#handles?.add((value as HandleView).handle);
      }
      watch.hear(value);
    };
    const stop = (await (engine as unknown as Callable)[watch.name](...watch.args, hear)) as Unsubscribe;
    const stopThis = (): void => {
      isOn = false;
      stop();
    };
    if (!watch.isOpen || turn !== this.#current) return stopThis();
    watch.stop();
    watch.stop = stopThis;
  }

  async #close(): Promise<void> {
    await this.#options.onClose();
    this.end(new SyncFault('CLIENT_CLOSED', 'the client is closed'));
  }
}
