/// <reference lib="esnext.disposable" preserve="true" />
import type { ObjectName, Schema } from '../protocol/schema.ts';
import type { Unsubscribe } from '../shared/emitter.ts';
import { untilAborted, type WaitOptions } from './facade/abortable.ts';
import { withAsyncDispose } from './facade/async-dispose.ts';
import { createClientEvents, type ClientEvents, type ClientRuntime } from './facade/client-events.ts';
import { createSyncErrors, type SyncErrors } from './facade/client-sync-errors.ts';
import type { DownloadReceipt, Lifecycle, SyncEngine, TransactionReceipt } from './engine.ts';
import type { SyncReason } from './inbox/explain.ts';
import type { JournalEntry } from './queue/journal.ts';
import type { Notice } from './answers/notices.ts';
import type { EntryOutcome } from './queue/outcomes.ts';
import type { RuntimeReport } from './runtime.ts';
import type { SignOutOptions, Unsent, WipeOptions } from './inbox/sign-out.ts';
import type { SyncStatus } from './status.ts';
import { createSubscriptions, type LiveValue, type SubscribeOptions } from './facade/subscription.ts';
import type { ExportedEntry } from './inbox/sync-error.ts';
import { plainChange, type TransactionChange } from './facade/typed-changes.ts';
import { createDrafts, type Drafts } from './facade/typed-drafts.ts';
import { createSyncObject, type SyncObject } from './facade/typed-objects.ts';

/** What left the queue without being saved online: taken back, discarded, or replaced. Kept for 30 days (rule C11). */
export interface Journal {
  /** Reads all of it, by entry. */
  list(): Promise<readonly JournalEntry[]>;
  /** Reads what one entry has lost, oldest first: usually one content, or none. */
  get(entry: number): Promise<readonly JournalEntry[]>;
}

/** What the user is to know and need not repair. Notices are durable, and kept for 30 days after they were acknowledged. */
export interface Notices {
  /** Reads all of them, oldest first. */
  list(): Promise<readonly Notice[]>;
  /** Calls the listener with all of them now and after each change. */
  subscribe(listener: (notices: readonly Notice[]) => void, options?: SubscribeOptions): Unsubscribe;
  /** Notes that the user has read a notice. @throws {@link SyncFault} `NOTICE_UNKNOWN` */
  acknowledge(notice: number): Promise<void>;
}

/** What a host holds: the records of one user on one device, kept in step with the server. */
export interface SyncClient<S extends Schema = Schema> {
  /** The objects of the schema by name. */
  readonly objects: { readonly [O in ObjectName<S>]: SyncObject<S, O> };
  /**
   * Saves several records of one transaction group as one (rule A15): one entry, all of it or nothing online. A record that moves may bring
   * in a second group. Resolves when it is durable on this device.
   *
   * @throws {@link SyncFault} what the single saves throw, with `change`, the place of the change in the list; `GROUP_MIXED`,
   * `CHANGE_TOO_LARGE`; nothing is queued then.
   */
  transaction(changes: readonly TransactionChange<S>[]): Promise<TransactionReceipt>;
  /** Edits that are not saved yet (rule A12). */
  readonly drafts: Drafts<S>;
  /** Where the device stands: the numbers behind a status widget. */
  readonly status: LiveValue<SyncStatus>;
  /** Changes that the server refused, waiting for the user (rule B13). */
  readonly syncErrors: SyncErrors;
  /** What the user is to know and need not repair: duplicates, dropped edits, values that were overwritten. */
  readonly notices: Notices;
  /** What left the queue without being saved online (rule C11). */
  readonly journal: Journal;
  /** What the client does, as it happens. */
  readonly events: ClientEvents;
  /** Where the engine runs, known once it does. */
  readonly runtime: Promise<RuntimeReport>;
  /** Resolves when the store is open; rejects when it cannot be opened. Every call waits for it by itself. */
  readonly ready: Promise<void>;
  /** Waits until a save is settled: on the server, refused, or gone another way. `null`, the entry of a save that changed nothing, is saved. */
  outcome(entry: number | null, options?: WaitOptions): Promise<EntryOutcome>;
  /** Downloads all that the user may see and applies it at once. A download that was cut off resumes where it stopped. */
  download(options?: WaitOptions): Promise<DownloadReceipt>;
  /** Sends what waits and asks for news, now. */
  wake(): Promise<void>;
  /** Sends what can be sent and reads the feed to its end; resolves when both are done or cannot go on. For background tasks. */
  exchange(options?: WaitOptions): Promise<SyncStatus>;
  /**
   * Asks the platform to keep the store even when room gets short (rule A8); browsers decide by themselves or ask the user, so call it when
   * the user has done something, such as a first save. Answers whether it will, as `status.storagePersisted` does from then on; `false`
   * also where nobody can say.
   */
  persistStorage(): Promise<boolean>;
  /** Says what the host knows of network and visibility. The web client follows the page's own events. */
  setLifecycle(lifecycle: Partial<Lifecycle>): Promise<void>;
  /**
   * Says why a record is not in step with the server yet, the reason to look at first at the front; nothing when it is. Works offline.
   */
  explain(object: ObjectName<S>, id: string): Promise<readonly SyncReason[]>;
  /** Hands out everything that the server does not have, as plain data. It changes nothing, and works offline and on a revoked device. */
  exportUnsent(): Promise<readonly ExportedEntry[]>;
  /**
   * Signs the user out of this device: stops everything and lets go of the store, which stays. Nobody else ever sees it, and what is in it
   * goes up when the same user comes back. Answers what stays unsent.
   *
   * @throws {@link SyncFault} `SIGN_OUT_UNSENT` when there is unsent work and `unsent` does not say what is to become of it, or when
   * `upload` could not send all of it; the client then stays open
   */
  signOut(options?: SignOutOptions): Promise<Unsent>;
  /**
   * Removes everything of this user from this device and closes the client. What was unsent is lost, so `exportUnsent` comes first. The
   * next client opens an empty store, with an identity of its own.
   *
   * @throws {@link SyncFault} `SIGN_OUT_UNSENT` when there is unsent work and `exported` is not `true`; `CLIENT_TAKEN_OVER` when another
   * client has opened the store since, which is left to that one; storage faults: the store is then
   * as good as new, and wiping goes on with the next call
   */
  wipe(options: WipeOptions): Promise<void>;
  /** Stops everything and lets go of the store; subscriptions end at once. What waits to be sent goes on with the next start. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What carries a client out. */
export interface TypedClientOptions<S extends Schema> {
  readonly schema: S;
  readonly engine: SyncEngine;
  readonly runtime: ClientRuntime;
  /** Asks the platform to keep what is stored, where it can be asked. */
  readonly persist?: () => Promise<unknown>;
  /** Runs once when the client is closed. */
  readonly onClose?: () => void;
}

/** Puts the types of a schema on an engine. It decides nothing: checks and rules are the engine's. */
export function createTypedClient<S extends Schema>({ schema, engine, runtime, persist, onClose }: TypedClientOptions<S>): SyncClient<S> {
  const subscriptions = createSubscriptions();
  let closing: Promise<void> | null = null;

  const close = () => {
    if (closing === null) {
      subscriptions.close();
      onClose?.();
      closing = engine.close();
    }
    return closing;
  };

  const client: Omit<SyncClient<S>, typeof Symbol.asyncDispose> = {
    objects: Object.fromEntries(
      Object.keys(schema.objects).map((name) => [name, createSyncObject(schema, name, engine, subscriptions)]),
    ) as SyncClient<S>['objects'],
    drafts: createDrafts(engine, subscriptions),
    transaction: async (changes) => engine.save(changes.map(plainChange<S>)),
    status: {
      get: () => engine.status(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchStatus(hear), listener, options),
    },
    syncErrors: createSyncErrors(engine, subscriptions),
    notices: {
      list: () => engine.listNotices(),
      subscribe: (listener, options) => subscriptions.open((hear) => engine.watchNotices(hear), listener, options),
      acknowledge: (notice) => engine.acknowledgeNotice(notice),
    },
    journal: { list: () => engine.readJournal(), get: (entry) => engine.readJournal(entry) },
    events: createClientEvents(engine, runtime, subscriptions),
    runtime: runtime.report,
    ready: engine.ready,
    outcome: (entry, options) => (entry === null ? Promise.resolve({ kind: 'saved' }) : untilAborted(() => engine.outcome(entry), options)),
    download: (options) => untilAborted(() => engine.download(), options),
    wake: () => engine.wake(),
    exchange: (options) => untilAborted(() => engine.exchange(), options),
    async persistStorage() {
      await persist?.();
      return (await engine.checkStorage()) === true;
    },
    setLifecycle: (lifecycle) => engine.setLifecycle({ ...lifecycle }),
    explain: (object, id) => engine.explain(object, id),
    exportUnsent: () => engine.exportEntries('all'),
    async signOut(options = {}) {
      const unsent = await engine.signOut({ ...options });
      await close();
      return unsent;
    },
    async wipe(options) {
      await engine.wipe({ ...options });
      await close();
    },
    close,
  };
  return withAsyncDispose(client, close);
}
