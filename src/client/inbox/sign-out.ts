import { SyncFault } from '../../shared/fault.ts';
import type { EngineCore } from '../engine-core.ts';
import { wipeStore } from '../store/wipe.ts';

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

/** Signs out: closes the engine, unless there is unsent work that nobody said may stay. @throws {@link SyncFault} `SIGN_OUT_UNSENT` */
export async function signOut(core: EngineCore, { unsent }: SignOutOptions, exchange: () => Promise<unknown>): Promise<Unsent> {
  if (unsent === 'upload') await exchange();
  return leave(core, unsent === 'keep');
}

/** Closes the engine and removes everything of its store. @throws {@link SyncFault} `SIGN_OUT_UNSENT`, `CLIENT_TAKEN_OVER`, storage faults */
export async function wipe(core: EngineCore, { exported }: WipeOptions): Promise<void> {
  const { schema, storage, owner } = core.options;
  await leave(core, exported === true);
  await wipeStore(storage, owner, Object.keys(schema.objects), core.context.store.fence);
}

async function leave(core: EngineCore, mayLeave: boolean): Promise<Unsent> {
  const unsent = await core.step(async () => {
    const { pending, syncErrors, drafts } = core.board.read();
    if (!mayLeave) assertNothingUnsent({ pending, syncErrors, drafts });
    // From here on nothing is saved any more, or it would be left behind unseen.
    core.refuseCalls();
    return { pending, syncErrors, drafts };
  });
  await core.close();
  return unsent;
}

function assertNothingUnsent({ pending, syncErrors, drafts }: Unsent): void {
  if (pending + syncErrors + drafts === 0) return;
  throw new SyncFault('SIGN_OUT_UNSENT', `the server does not have everything: ${pending} saves, ${syncErrors} sync errors, ${drafts} drafts`, {
    details: { pending, syncErrors, drafts },
  });
}
