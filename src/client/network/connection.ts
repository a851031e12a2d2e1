import { DEFAULT_LIMITS, type ProtocolLimits } from '../../protocol/limits.ts';
import type { CancelTimer } from '../../shared/clock.ts';
import { describeFault, type FaultShape } from '../../shared/fault.ts';
import type { Conversation } from './conversation.ts';
import type { ConversationOptions, ConversationState } from './conversation-state.ts';
import type { Lifecycle } from '../engine.ts';

/** How soon to try again when what talks to the server could not be loaded, in milliseconds. */
const LOAD_AGAIN_MS = 30_000;

/**
 * The engine's end of the conversation with the server. The conversation itself is a worker part: what is on the device can be read and
 * changed before it is there, and without it.
 */
export class Connection {
  readonly #options: ConversationOptions;
  #lifecycle: Lifecycle;
  #conversation: Conversation | null = null;
  #loading: Promise<Conversation> | null = null;
  #isClosed = false;
  #cancelTimer: CancelTimer = () => {};
  #lastFault: FaultShape | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#lifecycle = options.lifecycle;
  }

  /** The most that the server accepts, as far as it has said. */
  get limits(): ProtocolLimits {
    return this.#conversation?.limits ?? DEFAULT_LIMITS;
  }

  /** What the status shows. */
  get state(): ConversationState {
    const { isOnline } = this.#lifecycle;
    return this.#conversation?.state ?? { isOnline, needsAuth: false, revoked: false, upgradeRequired: false, retryInMs: null, lastFault: this.#lastFault };
  }

  /** Loads the conversation and lets it begin, in the background; tries again while that fails, and the status says so. */
  start(): void {
    this.#cancelTimer();
    this.open().catch((fault: unknown) => {
      this.noteThrown(fault);
      // Several may have asked while it was being loaded.
      this.#cancelTimer();
      if (!this.#isClosed) this.#cancelTimer = this.#options.context.clock.setTimer(LOAD_AGAIN_MS, () => this.start());
    });
  }

  /** The conversation, once it is there. @throws {@link SyncFault} `PART_UNAVAILABLE` */
  open(): Promise<Conversation> {
    this.#loading ??= this.#load().catch((fault: unknown) => {
      this.#loading = null;
      throw fault;
    });
    return this.#loading;
  }

  /** What the conversation is asked for when there is one; else it looks at everything when it begins. */
  tell(say: (conversation: Conversation) => void): void {
    if (this.#conversation !== null) say(this.#conversation);
  }

  /** Tries everything again, now. */
  wake(): void {
    if (this.#conversation === null) this.start();
    else this.#conversation.wake();
  }

  setLifecycle(lifecycle: Lifecycle): void {
    this.#lifecycle = lifecycle;
    if (this.#conversation === null) this.start();
    else this.#conversation.setLifecycle(lifecycle);
  }

  /** Milliseconds until an entry is due that the server asked to send later. */
  readonly deferredMs = (entry: number): number | null => this.#conversation?.deferredMs(entry) ?? null;

  /** Shows what a subscriber or an inner step threw. */
  noteThrown(thrown: unknown): void {
    if (this.#conversation !== null) return this.#conversation.noteThrown(thrown);
    this.#lastFault = describeFault(thrown);
    this.#options.onChange();
  }

  /** Waits for requests under way; the owner has aborted them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer();
    await this.#conversation?.close();
  }

  async #load(): Promise<Conversation> {
    const { Conversation } = await this.#options.context.parts.conversation();
    const conversation = new Conversation({ ...this.#options, lifecycle: this.#lifecycle });
    if (!this.#isClosed) {
      this.#conversation = conversation;
      conversation.start();
    }
    return conversation;
  }
}
