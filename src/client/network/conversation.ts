import type { ProtocolLimits } from '../../protocol/limits.ts';
import type { BackoffOptions } from '../../shared/backoff.ts';
import { describeFault, isFault, type FaultShape } from '../../shared/fault.ts';
import { Access } from './access.ts';
import type { ConversationOptions, ConversationState } from './conversation-state.ts';
import type { NetworkContext } from '../engine-context.ts';
import type { DownloadReceipt, Lifecycle } from '../engine.ts';
import { releaseLeft } from '../answers/release.ts';
import { fetchRecord } from './fetch-record.ts';
import { Hints } from './hints.ts';
import { Lane, type LaneResult } from './lane.ts';
import { mergeLeft, pollFeed } from './poll-feed.ts';
import { HINT_SPREAD_MS, pickPollDelay, planLane, pollBackoff, pollInterval, type LaneState } from './poll-plan.ts';
import type { Key } from '../store/record-key.ts';
import { ServerLink } from './server-link.ts';
import { hasPendingBefore } from './upload-plan.ts';
import { Uploader } from './uploader.ts';
import { voidNumbers } from './void-numbers.ts';
import { WantedReads } from './wanted-reads.ts';

export { finishParts } from './apply-parts.ts';
export { mergeFreed } from '../answers/release.ts';

type Purpose = 'upload' | 'feed' | 'snapshot' | 'record';

/**
 * All that is said to the server, and when: one lane for uploads, one for polls, and a download that silences the polls. Pauses when
 * offline, in the background, without a sign-in or with too old a protocol; backs off after failures (rules A13, A16, A17, A33).
 */
export class Conversation {
  readonly #context: NetworkContext;
  readonly #options: ConversationOptions;
  readonly #access: Access;
  readonly #uploader: Uploader;
  readonly #uploadLane: Lane;
  readonly #pollLane: Lane;
  readonly #hints: Hints;
  readonly #reads: WantedReads;
  #lifecycle: Lifecycle;
  /** What the server wanted last, else the device's own. */
  #pollIntervalMs: number;
  #isOpen = false;
  #hasBurst = false;
  #pollsSucceed = false;
  #lastFault: FaultShape | null = null;
  /** Of uploads: that polls succeed says nothing of them. */
  #uploadFault: FaultShape | null = null;
  #download: Promise<DownloadReceipt> | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    const { context, transport, signal } = options;
    this.#context = { ...context, link: new ServerLink({ ...context, transport, signal }), batch: { take: null } };
    this.#lifecycle = options.lifecycle;
    this.#access = new Access(this.#context, options.isReadOnly);
    this.#pollIntervalMs = options.pollIntervalMs;
    this.#uploader = new Uploader(this.#context, () => this.#access.limits, () => this.#pollsSucceed);
    this.#uploadLane = this.#createLane(() => this.#uploadRound());
    this.#pollLane = this.#createLane(() => this.#pollRound(), () => pollBackoff(this.#pollIntervalMs));
    this.#reads = new WantedReads({
      context: this.#context,
      fetchRecord: (object, id) => this.fetchRecord(object, id),
      mayAsk: () => this.#isOpen && this.#mayBegin && !this.#access.isBarred,
    });
    this.#hints = new Hints({
      context: this.#context,
      access: this.#access,
      createLane: (work, backoff) => this.#createLane(work, backoff),
      onHint: () => this.#pollLane.wake({ withinMs: HINT_SPREAD_MS }),
    });
  }

  /** The most that the server accepts, as far as it has said. */
  get limits(): ProtocolLimits {
    return this.#access.limits;
  }

  /** What the status shows of the conversation. */
  get state(): ConversationState {
    return {
      isOnline: this.#lifecycle.isOnline,
      ...this.#access.state,
      retryInMs: this.#uploadLane.retryInMs ?? this.#pollLane.retryInMs,
      lastFault: this.#uploadFault ?? this.#lastFault,
    };
  }

  /** Rule A33: at a start the first poll is due at once; whatever waits goes up with it. */
  start(): void {
    this.#isOpen = true;
    // Rule A36: what is open dies with its page, and so does what was in the way.
    this.#context.steps.run(() => releaseLeft(this.#context, this.#context.store.parked.keys())).catch((thrown: unknown) => this.noteThrown(thrown));
    this.#pollLane.wake();
    this.#uploadLane.wake();
  }

  /** Rule A13: a save goes up at once, unless the server has just failed. */
  wakeUpload(): void {
    this.#uploadLane.wake();
  }

  /** Tries everything again, now: after a sign-in, an update, or because the user asked. */
  wake(): void {
    this.#access.retry();
    this.#reads.hurry();
    this.#pollLane.wake({ cuts: 'everything' });
    this.#uploadLane.wake({ cuts: 'everything' });
  }

  /** Sends what can be sent and reads the feed to its end, now. */
  async exchange(): Promise<void> {
    this.wake();
    await this.#uploadLane.settled();
    this.#pollLane.wake();
    await this.#pollLane.settled();
    await this.#uploadLane.settled();
  }

  setLifecycle(lifecycle: Partial<Lifecycle>): void {
    const before = this.#lifecycle;
    this.#lifecycle = { ...before, ...lifecycle };
    const isBack = (!before.isOnline && this.#lifecycle.isOnline) || (!before.isForeground && this.#lifecycle.isForeground);
    for (const lane of [this.#pollLane, this.#uploadLane]) {
      if (isBack) lane.wake({ cuts: 'back-off' });
      else lane.reconsider();
    }
    if (!this.#mayBegin) this.#hints.mute();
  }

  /** Runs a download, or joins the one that runs. */
  download(): Promise<DownloadReceipt> {
    this.#download ??= this.#runDownload().finally(() => {
      this.#download = null;
      this.#pollLane.wake();
    });
    return this.#download;
  }

  /** Downloads a record with its group and takes in what is newer; answers which records came. */
  fetchRecord(object: string, id: string): Promise<ReadonlySet<Key>> {
    return fetchRecord(this.#context, (request) => this.#ask('record', request), object, id);
  }

  /** Reads records anew that are noted as wanted: at once, or else after a later poll. */
  wantReads(keys: Iterable<Key>): Promise<void> {
    return this.#reads.want(keys);
  }

  /** Makes a request of its own; a failure shows in the status as well. */
  async #ask<T>(purpose: Purpose, request: () => Promise<T>): Promise<T> {
    this.#access.assertNotSilent();
    try {
      return await request();
    } catch (fault) {
      this.#access.note(fault);
      this.#noteFault(purpose, fault, null);
      throw fault;
    }
  }

  /** Asks the server to give up the numbers of entries, and takes its answer in (rule C2). */
  voidNumbers(entries: readonly number[]): Promise<void> {
    return this.#ask('upload', async () => {
      await this.#access.greet();
      await voidNumbers(this.#context, entries);
    });
  }

  /** Milliseconds until an entry is due that the server asked to send later. */
  readonly deferredMs = (entry: number): number | null => this.#uploader.deferredMs(entry);

  /** Shows what a subscriber or an inner step threw. */
  noteThrown(thrown: unknown): void {
    if (isFault(thrown, 'CLIENT_TAKEN_OVER')) this.#isOpen = false;
    this.#lastFault = describeFault(thrown);
    this.#options.onChange();
  }

  /** Stops the timers and waits for requests under way; the owner has aborted them. */
  async close(): Promise<void> {
    this.#isOpen = false;
    await Promise.all([this.#uploadLane.close(), this.#pollLane.close(), this.#hints.close(), this.#reads.close(), this.#download?.catch(() => {})]);
  }

  #createLane(work: () => Promise<LaneResult>, backoff?: () => BackoffOptions): Lane {
    return new Lane({
      clock: this.#context.clock,
      random: this.#context.random,
      conditions: () => this.#conditions,
      ...(backoff === undefined ? {} : { backoff }),
      plan: this.#planLane,
      work,
      onChange: this.#options.onChange,
    });
  }

  /** Rule A16: the greeting took its time, and the app may be out of sight by now. */
  get #mayBegin(): boolean {
    return this.#planLane({ ...this.#conditions, isBusy: false, dueAt: 0 }, 0).kind === 'go';
  }

  get #planLane(): typeof planLane {
    return this.#context.rules.planLane ?? planLane;
  }

  get #conditions(): Pick<LaneState, 'isOpen' | 'isOnline' | 'isForeground' | 'isPaused'> {
    return { isOpen: this.#isOpen, ...this.#lifecycle, isPaused: this.#access.isBarred };
  }

  async #uploadRound(): Promise<LaneResult> {
    try {
      if (this.#context.store.counts.pending > 0) {
        await this.#access.greet();
        if (!this.#mayBegin) return { kind: 'again', afterMs: 0 };
        const round = await this.#uploader.sendNext();
        if (round.kind === 'sent') {
          this.#hasBurst = true;
          this.#uploadFault = null;
          this.#noteSuccess();
          return { kind: 'again', afterMs: round.afterMs };
        }
      }
      this.#uploadFault = null;
      // Rule A33: after an upload burst the feed is read at once.
      if (this.#hasBurst) this.#pollLane.wake();
      this.#hasBurst = false;
      const { nextDueInMs } = this.#uploader;
      return nextDueInMs === null ? { kind: 'idle' } : { kind: 'again', afterMs: nextDueInMs };
    } catch (fault) {
      return this.#failed('upload', fault);
    }
  }

  async #pollRound(): Promise<LaneResult> {
    if (this.#download !== null) return { kind: 'idle' };
    try {
      if (this.#context.store.inUse.left.size > 0) await mergeLeft(this.#context);
      await this.#access.greet();
      if (!this.#mayBegin) return { kind: 'again', afterMs: 0 };
      const { more, nextPollMs } = await pollFeed(this.#context);
      this.#pollsSucceed = true;
      this.#hints.listen();
      this.#noteSuccess();
      this.#pollIntervalMs = pollInterval(this.#options.pollIntervalMs, nextPollMs);
      if (!more) await this.#reads.run();
      const { pollDelay = pickPollDelay } = this.#context.rules;
      return { kind: 'again', afterMs: more ? 0 : pollDelay(this.#pollIntervalMs, this.#context.random, this.#hints.isListening) };
    } catch (fault) {
      this.#pollsSucceed = false;
      return this.#failed('feed', fault);
    }
  }

  async #runDownload(): Promise<DownloadReceipt> {
    const { showProgress } = this.#context;
    this.#access.assertNotSilent();
    try {
      showProgress({ stage: 'uploading', records: 0, bytes: 0 });
      await this.#access.greet();
      // Offline the requests before this have failed already, and with what hosts look for there.
      const { SnapshotDownload } = await this.#context.parts.snapshotDownload().catch((fault: unknown) => this.#uploadFirst().then(() => Promise.reject(fault)));
      const receipt = await new SnapshotDownload(this.#context).run(() => this.#uploadFirst());
      this.#noteSuccess();
      return receipt;
    } catch (fault) {
      this.#failed('snapshot', fault);
      throw fault;
    } finally {
      showProgress(null);
    }
  }

  /** What waits goes up before a download, so that the snapshot has it; an upload that fails, or a later save, does not hold it up. */
  async #uploadFirst(): Promise<void> {
    const { store } = this.#context;
    const { nextSeq } = store.meta;
    this.#uploadLane.wake();
    while (this.#uploadLane.isBusy && hasPendingBefore(store.entries, nextSeq)) await this.#uploadLane.round();
  }

  #failed(purpose: Purpose, fault: unknown): LaneResult {
    this.#access.note(fault);
    if (isFault(fault, 'CLIENT_TAKEN_OVER')) this.#isOpen = false;
    if (purpose === 'upload') this.#uploadFault = describeFault(fault);
    const atLeastMs = isFault(fault) && typeof fault.details.retryAfterMs === 'number' ? fault.details.retryAfterMs : 0;
    if (this.#isOpen || isFault(fault, 'CLIENT_TAKEN_OVER')) this.#noteFault(purpose, fault, atLeastMs);
    return { kind: 'failed', atLeastMs };
  }

  #noteFault(purpose: Purpose, fault: unknown, retryInMs: number | null): void {
    this.#lastFault = describeFault(fault);
    this.#context.emit({ type: 'request:failed', purpose, fault: this.#lastFault, retryInMs });
    this.#options.onChange();
  }

  #noteSuccess(): void {
    this.#lastFault = null;
    this.#options.onChange();
  }
}
