import { PLAIN_CALLS, WATCH_CALLS } from '../../client/engine-calls.ts';
import type { Lifecycle, SyncEngine } from '../../client/engine.ts';
import type { Unsubscribe } from '../../shared/emitter.ts';
import { isFault } from '../../shared/fault.ts';
import { describeThrown } from '../fault-transfer.ts';
import { watchLock } from '../worker-life.ts';
import { follow } from './follow-leader.ts';
import { endTab, type Tab } from './tab.ts';
import { STOLEN_MS, type Callable } from './tab-engine.ts';
import type { Seat } from './tab-lock.ts';
import { tabName, type TabAnswer, type TabNews, type TabRequest } from './tab-messages.ts';

/** Another tab that asks here. */
interface Peer {
  readonly channel: BroadcastChannel;
  readonly watches: Map<number, Unsubscribe>;
  readonly stopWatchingLife: () => void;
  isForeground: boolean;
  /** The last message of it that was read. */
  read: number;
}

type To<Kind extends TabRequest['kind']> = Extract<TabRequest, { readonly kind: Kind }>;

/**
 * Answers the other tabs with the engine of this one, until the returned function is called or the seat is taken away: then this tab asks
 * whoever took it.
 */
export function serveTabs(tab: Tab, engine: SyncEngine, seat: Seat): () => Promise<void> {
  const server = new TabServer(tab, engine);
  void seat.lost.then(() => server.yield());
  return () => server.leave();
}

class TabServer {
  readonly #tab: Tab;
  readonly #engine: SyncEngine;
  readonly #all: BroadcastChannel;
  readonly #own: BroadcastChannel;
  readonly #peers = new Map<string, Peer>();
  #isOpen = false;
  #isLeaving = false;

  constructor(tab: Tab, engine: SyncEngine) {
    const { ground, id } = tab;
    this.#tab = tab;
    this.#engine = engine;
    this.#all = ground.openChannel(ground.name);
    this.#own = ground.openChannel(tabName(ground.name, id));
    this.#all.onmessage = ({ data }: MessageEvent<TabNews>) => this.#hearNews(data);
    this.#own.onmessage = ({ data }: MessageEvent<TabRequest>) => this.#hear(data);
    tab.shown.tellLifecycle = (change) => this.#tellLifecycle(change);
    this.#announce();
    engine.ready.then(() => {
      this.#isOpen = true;
      this.#announce();
    }, () => this.#end());
  }

  /** Ends in good order: what was read is answered first. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    await this.#engine.close().catch(() => {});
    for (const [id, peer] of this.#peers) this.#tell(id, { kind: 'left', number: peer.read });
    this.#end();
  }

  /** Somebody has taken the seat: this tab was silent for too long, and can write no more. */
  async yield(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#tab.shown.unset();
    this.#engine.close().catch(() => {}); // the store is in other hands
    this.#end();
    await follow(this.#tab);
  }

  #end(): void {
    for (const id of [...this.#peers.keys()]) this.#drop(id);
    this.#tab.shown.tellLifecycle = null;
    this.#all.close();
    this.#own.close();
  }

  #announce(): void {
    const { id, plan: { schema } } = this.#tab;
    const news: TabNews = { kind: 'leads', leader: id, isOpen: this.#isOpen, schemaHash: schema.hash, schemaVersion: schema.version };
    this.#all.postMessage(news);
  }

  #hearNews(news: TabNews): void {
    if (news.kind === 'asked') this.#announce();
    if (news.kind === 'ended') endTab(this.#tab);
  }

  #hear(request: TabRequest): void {
    if (request.kind === 'leave') return this.#drop(request.tab);
    const peer = this.#peer(request.tab);
    peer.read = request.number;
    switch (request.kind) {
      case 'call': return void this.#call(request);
      case 'watch': return void this.#watch(request, peer);
      case 'unwatch': {
        peer.watches.get(request.watch)?.();
        return void peer.watches.delete(request.watch);
      }
      case 'lifecycle': {
        peer.isForeground = request.isForeground;
        return this.#tellLifecycle(request.change);
      }
      case 'ping': return this.#tell(request.tab, { kind: 'pong' });
    }
  }

  #peer(id: string): Peer {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const { locks, name, openChannel } = this.#tab.ground;
    const peer: Peer = {
      channel: openChannel(tabName(name, id)),
      watches: new Map(),
      stopWatchingLife: watchLock(locks, tabName(name, id), () => this.#drop(id)),
      isForeground: false,
      read: 0,
    };
    this.#peers.set(id, peer);
    return peer;
  }

  /** A tab is gone, or leaves: with its watches ends what it had open. */
  #drop(id: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    peer.stopWatchingLife();
    for (const stop of peer.watches.values()) stop();
    peer.channel.close();
    if (peer.isForeground && !this.#isLeaving) this.#tellLifecycle({});
  }

  async #call({ tab, number, name, args }: To<'call'>): Promise<void> {
    try {
      if (!(PLAIN_CALLS as readonly string[]).includes(name)) return;
      const value = await (this.#engine as unknown as Callable)[name](...args);
      this.#tell(tab, { kind: 'answered', number, value });
    } catch (thrown) {
      this.#fail(tab, number, thrown);
    }
  }

  async #watch({ tab, number, name, args }: To<'watch'>, peer: Peer): Promise<void> {
    try {
      if (!(WATCH_CALLS as readonly string[]).includes(name)) return;
      peer.watches.set(number, () => {});
      const stop = await (this.#engine as unknown as Callable)[name](...args, (value: unknown) => this.#tell(tab, { kind: 'told', watch: number, value })) as Unsubscribe;
      // It may have been ended meanwhile.
      if (peer.watches.has(number) && this.#peers.get(tab) === peer) peer.watches.set(number, stop);
      else stop();
      this.#tell(tab, { kind: 'answered', number, value: null });
    } catch (thrown) {
      peer.watches.delete(number);
      this.#fail(tab, number, thrown);
    }
  }

  /** What this engine refuses because it ends, it has not begun. */
  #fail(tab: string, number: number, thrown: unknown): void {
    const isEnding = this.#isLeaving && isFault(thrown, 'CLIENT_CLOSED');
    const answer: Unaddressed = isEnding ? { kind: 'declined', number } : { kind: 'failed', number, thrown: describeThrown(thrown) };
    // When it was another tab that took the store over, that one is asked next.
    if (isFault(thrown, 'CLIENT_TAKEN_OVER')) this.#tab.ground.clock.setTimer(STOLEN_MS, () => this.#tell(tab, answer));
    else this.#tell(tab, answer);
  }

  #tell(tab: string, answer: Unaddressed): void {
    const message = { leader: this.#tab.id, ...answer };
    this.#peers.get(tab)?.channel.postMessage(message);
  }

  /** The app is in front as long as one of its tabs is. What a tab says of the network holds for all. */
  #tellLifecycle(change: Partial<Lifecycle>): void {
    const isForeground = this.#tab.shown.lifecycle.isForeground || [...this.#peers.values()].some((peer) => peer.isForeground);
    this.#engine.setLifecycle({ ...change, isForeground }).catch(() => {}); // a hint
  }
}

type Unaddressed = TabAnswer extends infer Answer ? (Answer extends TabAnswer ? Omit<Answer, 'leader'> : never) : never;
