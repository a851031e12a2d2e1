/**
 * Carries hints between the servers of one installation: that a user's feed has something new, and nothing else. A hint may be lost or
 * come twice; devices poll all the same.
 */
export interface HintBus {
  /** Tells whoever listens for this user, on any server. Called after the commit; it does not wait, and a failure is the bus's own to log. */
  publish(tenant: string, user: string): void;
  /** Hears of hints for a user until the function that it returns is called. */
  subscribe(tenant: string, user: string, onHint: () => void): () => void;
}
