import type { Storage } from '../../storage/storage-adapter.ts';
import type { EngineContext } from '../engine-context.ts';
import type { StatusBoard } from '../status-board.ts';
import { startPurging } from './purge.ts';

const HOUR_MS = 3_600_000;

/** What the upkeep of an open store looks after, and whom it tells. */
export interface UpkeepOptions {
  readonly storage: Pick<Storage, 'estimate'>;
  /** Rule A10: nothing is removed. */
  readonly isReadOnly: boolean;
  /** Shows whether the platform may throw the store away. */
  readonly board: Pick<StatusBoard, 'showPersisted'>;
  /** Hears what went wrong; nobody waits for the upkeep. */
  readonly onFault: (thrown: unknown) => void;
}

/** Looks after an open store, now and from time to time, until the returned function is called: what nobody needs to wait for at a start. */
export function startUpkeep(context: EngineContext, options: UpkeepOptions): () => void {
  const stops = [watchPersisted(context, options)];
  if (!options.isReadOnly) stops.push(startPurging(context, options.onFault));
  return () => stops.forEach((stop) => stop());
}

/** Says whether the platform promised to keep the store (rule A8): `null` where the adapter cannot say, or fails to. */
export async function readPersisted(storage: Pick<Storage, 'estimate'>): Promise<boolean | null> {
  try {
    return (await storage.estimate?.())?.isPersisted ?? null;
  } catch {
    return null; // what cannot be asked now is not known now
  }
}

/** The platform can change its mind, and a user can change it in the settings: asked once an hour. */
function watchPersisted({ clock }: EngineContext, { storage, board }: UpkeepOptions): () => void {
  let isOn = true;
  let cancel = (): void => {};
  function look(): void {
    cancel = clock.setTimer(HOUR_MS, look);
    void readPersisted(storage).then((isPersisted) => isOn && board.showPersisted(isPersisted));
  }
  look();
  return () => {
    isOn = false;
    cancel();
  };
}
