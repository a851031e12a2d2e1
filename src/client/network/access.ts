import { DEFAULT_LIMITS, type ProtocolLimits } from '../../protocol/limits.ts';
import { isFault, SyncFault } from '../../shared/fault.ts';
import type { NetworkContext } from '../engine-context.ts';
import { readOnly } from '../read-only.ts';

/**
 * Whether this device may talk to the server at all, as far as the server has said: the greeting once per opening, and what stands in the
 * way since — no sign-in, too old a protocol, a revoked device.
 */
export class Access {
  readonly #context: NetworkContext;
  #limits: ProtocolLimits = DEFAULT_LIMITS;
  #offersHints = false;
  #greeting: Promise<void> | null = null;
  #needsAuth = false;
  #upgradeRequired = false;
  /** Why nothing is said at all: the server revoked the device, which is asked again at the next start, or the client is read-only. */
  #silence: SyncFault | null;

  constructor(context: NetworkContext, isReadOnly: boolean) {
    this.#context = context;
    this.#silence = isReadOnly ? readOnly() : null;
  }

  /** The most that the server accepts, as far as it has said. */
  get limits(): ProtocolLimits {
    return this.#limits;
  }

  /** Whether the server has said that there are hints to listen for. */
  get offersHints(): boolean {
    return this.#offersHints;
  }

  /** What the status shows of it. */
  get state(): { readonly needsAuth: boolean; readonly revoked: boolean; readonly upgradeRequired: boolean } {
    return { needsAuth: this.#needsAuth, revoked: isFault(this.#silence, 'DEVICE_REVOKED'), upgradeRequired: this.#upgradeRequired };
  }

  /** Nothing is asked of the server before somebody has done something. */
  get isBarred(): boolean {
    return this.#needsAuth || this.#silence !== null || this.#upgradeRequired;
  }

  /** @throws {@link SyncFault} `DEVICE_REVOKED`, `CLIENT_READ_ONLY` */
  assertNotSilent(): void {
    if (this.#silence !== null) throw this.#silence;
  }

  /** Tries again: after a sign-in, an update, or because the user asked. */
  retry(): void {
    this.#needsAuth = false;
    this.#upgradeRequired = false;
  }

  /** Asks once per opening what the server accepts, and makes sure that the token is this user's (threat T10). */
  greet(): Promise<void> {
    this.#greeting ??= this.#sayHello().catch((fault: unknown) => {
      this.#greeting = null;
      throw fault;
    });
    return this.#greeting;
  }

  /** What the server said of this device and its user (rule A3; a 401 pauses the queue, and is no entry's fault). */
  note(fault: unknown): void {
    if (isFault(fault, 'DEVICE_REVOKED')) this.#silence = fault;
    if (isFault(fault, 'PROTOCOL_VERSION_UNSUPPORTED')) this.#upgradeRequired = true;
    if (!isFault(fault, 'AUTH_REQUIRED') && !isFault(fault, 'AUTH_REFUSED')) return;
    this.#needsAuth = true;
    this.#greeting = null;
  }

  async #sayHello(): Promise<void> {
    const { link, store, user } = this.#context;
    const answer = await link.hello(store.meta.store);
    if (answer.user !== user) throw new SyncFault('AUTH_REFUSED', "the token is another user's", { details: { user } });
    this.#limits = answer.limits;
    this.#offersHints = answer.hints;
  }
}
