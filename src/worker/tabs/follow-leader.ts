import { SyncFault } from '../../shared/fault.ts';
import { LeaderLink } from './leader-link.ts';
import { endTab, type Tab } from './tab.ts';
import { takeSeat, type Seat } from './tab-lock.ts';
import { tabName, type TabNews } from './tab-messages.ts';

/** How often a tab makes sure that the leader is there, in milliseconds. */
const PING_MS = 5_000;
/** How many times in a row nothing may come back. One can be this tab's own sleep. */
const SILENT_PINGS = 3;

/** Lets a tab be answered by the one that leads, and wait in line for its place. */
export async function follow(tab: Tab): Promise<void> {
  const life = await takeSeat(tab.ground, tabName(tab.ground.name, tab.id));
  new Follower(tab, life!).start();
}

class Follower {
  readonly #tab: Tab;
  readonly #life: Seat;
  readonly #all: BroadcastChannel;
  readonly #line = new AbortController();
  #link: LeaderLink | null = null;
  /** Nobody has answered this tab yet. */
  #isNew: boolean;
  #silence = 0;
  #stopTimer: () => void = () => {};
  #isOver = false;

  constructor(tab: Tab, life: Seat) {
    this.#tab = tab;
    this.#life = life;
    this.#isNew = tab.isNew;
    this.#all = tab.ground.openChannel(tab.ground.name);
  }

  start(): void {
    const { ground, shown } = this.#tab;
    this.#tab.leave = async () => this.#leave(1);
    this.#all.onmessage = ({ data }: MessageEvent<TabNews>) => this.#hearNews(data);
    shown.tellLifecycle = (change) => this.#link?.setLifecycle(shown.lifecycle.isForeground, change);
    void this.#takeTurn(takeSeat(ground, ground.name, { signal: this.#line.signal }));
    this.#ask();
    this.#watch();
  }

  /** Leads as soon as it is this tab's turn. */
  async #takeTurn(turn: Promise<Seat | null>): Promise<void> {
    const seat = await turn.catch(() => null); // it has left the line
    if (seat === null) return;
    if (this.#isOver) return seat.leave();
    this.#leave(0);
    await this.#tab.lead(seat);
  }

  #ask(): void {
    const news: TabNews = { kind: 'asked' };
    this.#all.postMessage(news);
  }

  /** Makes sure that there is somebody who answers. A leader that froze keeps its lock: it is taken away. */
  #watch(): void {
    const { clock, random } = this.#tab.ground;
    this.#stopTimer = clock.setTimer(PING_MS * (1 + random.next() / 10), () => {
      this.#silence += 1;
      if (this.#silence > SILENT_PINGS) this.#steal();
      else if (this.#link === null) this.#ask();
      else this.#link.ping();
      this.#watch();
    });
  }

  #steal(): void {
    const { ground } = this.#tab;
    this.#silence = 0;
    this.#line.abort();
    void this.#takeTurn(takeSeat(ground, ground.name, { steal: true }));
  }

  #hearNews(news: TabNews): void {
    const { id, plan: { schema } } = this.#tab;
    if (news.kind === 'ended') return endTab(this.#tab);
    if (news.kind !== 'leads' || news.leader === id) return;
    this.#silence = 0;
    // Two versions of an app: the newer one has the store. Who was there before cannot tell which of two equal ones is newer.
    if (news.schemaHash !== schema.hash) return this.#isNew && schema.version >= news.schemaVersion ? this.#steal() : this.#giveUp();
    if (news.isOpen && news.leader !== this.#link?.leader) this.#join(news.leader);
  }

  #join(leader: string): void {
    const { id, ground, shown } = this.#tab;
    if (this.#link !== null) this.#unlink(Infinity);
    this.#isNew = this.#tab.isNew = false;
    this.#link = new LeaderLink({ ground, tab: id, leader, onHeard: () => (this.#silence = 0), onDeclined: () => shown.unset(), onLeft: (read) => this.#unlink(read) });
    this.#link.setLifecycle(shown.lifecycle.isForeground, {});
    shown.use(this.#link.engine, 'follower');
  }

  /** @param read - what the leader has read of this tab's messages; anything, when it did not say. */
  #unlink(read: number): void {
    const link = this.#link;
    this.#link = null;
    this.#tab.shown.unset();
    link?.lose(read);
  }

  #giveUp(): void {
    this.#leave(1);
    this.#tab.shown.end(new SyncFault('CLIENT_TAKEN_OVER', 'a tab with another version of the app has this store'));
  }

  #leave(gone: 0 | 1): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimer();
    this.#line.abort();
    if (gone === 1) this.#link?.leave();
    if (this.#link !== null) this.#unlink(Infinity);
    this.#tab.shown.tellLifecycle = null;
    this.#all.close();
    this.#life.leave();
  }
}
