import type { FaultShape } from '../../shared/fault.ts';

/** What the status shows of the conversation with the server. */
export interface ConversationState {
  readonly isOnline: boolean;
  readonly needsAuth: boolean;
  readonly revoked: boolean;
  readonly upgradeRequired: boolean;
  readonly retryInMs: number | null;
  readonly lastFault: FaultShape | null;
}
