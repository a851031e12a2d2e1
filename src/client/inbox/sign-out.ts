import { SyncFault } from '../../shared/fault.ts';

/** What the server does not have of a user's work. */
export interface Unsent {
  /** Saves that wait or are on their way. */
  readonly pending: number;
  /** Refused changes that wait for the user. */
  readonly syncErrors: number;
  /** Drafts that are neither saved nor discarded. */
  readonly drafts: number;
}

/** What is to become of unsent work at a sign-out. */
export interface SignOutOptions {
  /**
   * `upload`: it is sent first; what could not be sent, sync errors and drafts keep the user signed in. `keep`: it stays on this device,
   * for this user, and goes up after the next sign-in. @defaultValue a fault, `SIGN_OUT_UNSENT`, where there is any: ask the user
   */
  readonly unsent?: 'upload' | 'keep';
}

/** What wiping needs to be told. */
export interface WipeOptions {
  /** Whether the host has put what `exportUnsent` gave out where it is safe; without it a store with unsent work is not wiped. */
  readonly exported: boolean;
}

/** Says that there is unsent work. @throws {@link SyncFault} `SIGN_OUT_UNSENT` */
export function assertNothingUnsent({ pending, syncErrors, drafts }: Unsent): void {
  if (pending + syncErrors + drafts === 0) return;
  throw new SyncFault('SIGN_OUT_UNSENT', `the server does not have everything: ${pending} saves, ${syncErrors} sync errors, ${drafts} drafts`, {
    details: { pending, syncErrors, drafts },
  });
}
