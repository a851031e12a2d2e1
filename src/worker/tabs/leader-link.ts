import { PLAIN_CALLS, WATCH_CALLS, type WatchName } from '../../client/engine-calls.ts';
import type { Lifecycle, SyncEngine } from '../../client/engine.ts';
import { SyncFault } from '../../shared/fault.ts';
import { rebuildThrown } from '../fault-transfer.ts';
import type { CallName } from './tab-engine.ts';
import type { TabGround } from './tab-ground.ts';
import { tabName, type TabAnswer, type TabRequest } from './tab-messages.ts';

/** Whom to ask, and who hears of the leader. */
export interface LeaderLinkOptions {
  readonly ground: TabGround;
  readonly tab: string;
  readonly leader: string;
  /** The leader is there. */
  readonly onHeard: () => void;
  /** It takes no calls any more, and is about to go. */
  readonly onDeclined: () => void;
  /** It is gone, and has read messages up to that number. */
  readonly onLeft: (read: number) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (thrown: unknown) => void;
}

/** The engine of the tab that leads, as another tab calls it. */
export class LeaderLink {
  readonly leader: string;
  readonly engine: SyncEngine;
  readonly #options: LeaderLinkOptions;
  readonly #to: BroadcastChannel;
  readonly #own: BroadcastChannel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watches = new Map<number, (value: unknown) => void>();
  #sent = 0;
  #isLost = false;

  constructor(options: LeaderLinkOptions) {
    const { ground: { name, openChannel }, tab, leader } = options;
    this.#options = options;
    this.leader = leader;
    this.#to = openChannel(tabName(name, leader));
    this.#own = openChannel(tabName(name, tab));
    this.#own.onmessage = ({ data }: MessageEvent<TabAnswer>) => this.#hear(data);
    const call = (call: CallName) => [call, (...args: readonly unknown[]) => this.#ask({ kind: 'call', name: call, args })] as const;
    const watch = (watch: WatchName) => [watch, (...args: readonly unknown[]) => this.#watch(watch, args)] as const;
    const close = async (): Promise<void> => {};
    this.engine = { ...Object.fromEntries([...PLAIN_CALLS.map(call), ...WATCH_CALLS.map(watch)]), ready: Promise.resolve(), close } as unknown as SyncEngine;
  }

  ping(): void {
    this.#post({ kind: 'ping' });
  }

  setLifecycle(isForeground: boolean, change: Partial<Lifecycle>): void {
    this.#post({ kind: 'lifecycle', isForeground, change });
  }

  leave(): void {
    this.#post({ kind: 'leave' });
  }

  /** The leader is gone: what it had not answered fails, and says whether it can have been read. */
  lose(read: number): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const [number, { reject }] of this.#waiting) reject(lost(number <= read));
    this.#waiting.clear();
    this.#watches.clear();
    this.#to.close();
    this.#own.close();
  }

  #ask(request: Unaddressed): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isLost) return reject(lost(false));
      this.#waiting.set(this.#sent + 1, { resolve, reject });
      try {
        this.#post(request);
      } catch (cause) {
        this.#waiting.delete(this.#sent);
        reject(new SyncFault('VALUE_INVALID', 'a call holds something that cannot be sent to another tab', { cause }));
      }
    });
  }

  async #watch(name: WatchName, given: readonly unknown[]): Promise<() => void> {
    const watch = this.#sent + 1;
    this.#watches.set(watch, given.at(-1) as (value: unknown) => void);
    const end = (): void => {
      if (this.#watches.delete(watch) && !this.#isLost) this.#post({ kind: 'unwatch', watch });
    };
    try {
      await this.#ask({ kind: 'watch', name, args: given.slice(0, -1) });
      return end;
    } catch (thrown) {
      this.#watches.delete(watch);
      throw thrown;
    }
  }

  #post(request: Unaddressed): void {
    const message = { tab: this.#options.tab, number: ++this.#sent, ...request };
    this.#to.postMessage(message);
  }

  #hear(answer: TabAnswer): void {
    if (answer.leader !== this.leader || this.#isLost) return;
    this.#options.onHeard();
    if (answer.kind === 'told') return this.#watches.get(answer.watch)?.(answer.value);
    if (answer.kind === 'left') return this.#options.onLeft(answer.number);
    if (answer.kind === 'pong') return;
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if (answer.kind === 'answered') return waiting?.resolve(answer.value);
    if (answer.kind === 'declined') this.#options.onDeclined();
    waiting?.reject(answer.kind === 'failed' ? rebuildThrown(answer.thrown) : lost(false));
  }
}

type Unaddressed = TabRequest extends infer Request ? (Request extends TabRequest ? Omit<Request, 'tab' | 'number'> : never) : never;

function lost(wasSent: boolean): SyncFault {
  return new SyncFault('TAB_LEADER_LOST', 'the tab that had the store ended before it answered: whether this was saved shows when it is read', { details: { wasSent } });
}
