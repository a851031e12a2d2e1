import { createEmitter, type Emitter, type Unsubscribe } from '../shared/emitter.ts';
import type { ConversationState } from './network/conversation-state.ts';
import type { LocalStore } from './store/local-store.ts';
import { countNotices, type Notice } from './answers/notices.ts';
import { countParked, oldestPending, summariseStatus, type DownloadProgress, type SyncStatus } from './status.ts';
import type { SyncEvent } from './sync-event.ts';

/** What the board reads, and whom it tells. */
export interface StatusBoardOptions {
  readonly store: LocalStore;
  readonly conversation: () => ConversationState;
  /** Nothing is shown before the engine is open, and nothing once it closes. */
  readonly isOpen: () => boolean;
  readonly events: Emitter<SyncEvent>;
}

/** Shows status and notices to whoever watches them: after anything that may have changed them, once for each real change. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #statuses = createEmitter<SyncStatus>();
  readonly #noticeLists = createEmitter<readonly Notice[]>();
  #progress: DownloadProgress | null = null;
  #storagePersisted: boolean | null = null;
  #last: SyncStatus | null = null;
  /** Something may have changed since, while nobody listened. */
  #isBehind = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
  }

  read(): SyncStatus {
    const { store, conversation } = this.#options;
    const { pending, failed } = store.counts;
    return summariseStatus({
      pending,
      syncErrors: failed,
      drafts: store.drafts.count,
      notices: countNotices(store),
      oldestPendingAt: oldestPending(store.entries),
      ...countParked({ parked: store.parked, isBusy: (key) => store.isBusy(key) }),
      hasFeedGap: store.meta.hasFeedGap,
      lastDownloadAt: store.meta.lastDownloadAt,
      storagePersisted: this.#storagePersisted,
      ...conversation(),
      progress: this.#progress,
    });
  }

  readNotices(): readonly Notice[] {
    return [...this.#options.store.notices.values()];
  }

  watch(listener: (status: SyncStatus) => void): Unsubscribe {
    this.catchUp();
    listener(this.read());
    return this.#statuses.subscribe(listener);
  }

  watchNotices(listener: (notices: readonly Notice[]) => void): Unsubscribe {
    this.catchUp();
    listener(this.readNotices());
    return this.#noticeLists.subscribe(listener);
  }

  showProgress(progress: DownloadProgress | null): void {
    this.#progress = progress;
    this.show();
  }

  showPersisted(isPersisted: boolean | null): boolean | null {
    this.#storagePersisted = isPersisted;
    this.show();
    return isPersisted;
  }

  /** Before somebody begins to listen: what changed until now is not for them. */
  catchUp(): void {
    if (this.#isBehind) this.#last = this.read();
    this.#isBehind = false;
  }

  show(): void {
    const { isOpen, events } = this.#options;
    if (!isOpen()) return;
    this.#isBehind = !this.#statuses.isHeard && !this.#noticeLists.isHeard && !events.isHeard;
    if (this.#isBehind) return;
    const status = this.read();
    const before = this.#last;
    if (JSON.stringify(before) === JSON.stringify(status)) return;
    this.#last = status;
    this.#statuses.emit(status);
    if (before === null || before.state !== status.state) events.emit({ type: 'status:changed', state: status.state });
    if (before?.notices !== status.notices) this.#noticeLists.emit(this.readNotices());
  }

  close(): void {
    this.#statuses.clear();
    this.#noticeLists.clear();
  }
}
