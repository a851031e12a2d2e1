import type { FaultShape } from '../../shared/fault.ts';
import type { TransportAdapter } from '../../transport/transport-adapter.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Lifecycle } from '../engine.ts';

/** What a conversation with the server needs. */
export interface ConversationOptions {
  readonly context: EngineContext;
  readonly transport: TransportAdapter;
  /** Aborts whatever is under way when the client closes. */
  readonly signal: AbortSignal;
  readonly lifecycle: Lifecycle;
  /** Time between polls, in milliseconds, unless the server says otherwise. */
  readonly pollIntervalMs: number;
  /** Rule A10: nothing is sent or asked. */
  readonly isReadOnly: boolean;
  /** Something that the status shows has changed. */
  readonly onChange: () => void;
}

/** What the status shows of the conversation with the server. */
export interface ConversationState {
  readonly isOnline: boolean;
  readonly needsAuth: boolean;
  readonly revoked: boolean;
  readonly upgradeRequired: boolean;
  readonly retryInMs: number | null;
  readonly lastFault: FaultShape | null;
}
