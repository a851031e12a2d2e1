import type { Unsubscribe } from '../../shared/emitter.ts';
import { copyValues } from './copy-values.ts';
import type { SyncEngine } from '../engine.ts';
import type { SubscribeOptions, Subscriptions } from './subscription.ts';
import type { ExportedEntry, Fix, FixedMember, Resolution, ResolutionOutcome, ResolutionReceipt, SyncError, UndoReceipt } from '../inbox/sync-error.ts';

/** Changes that the server refused. They are data: durable, and kept until the user decides. */
export interface SyncErrors {
  /** Reads all of them, the oldest save first. */
  list(): Promise<readonly SyncError[]>;
  /** Calls the listener with all of them now and after each change. */
  subscribe(listener: (errors: readonly SyncError[]) => void, options?: SubscribeOptions): Unsubscribe;
  /**
   * Takes a refused change back, with everything that depends on it; the record becomes what it is online.
   *
   * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`, `SYNC_ERROR_ACTION_UNAVAILABLE`
   */
  undo(syncError: number): Promise<UndoReceipt>;
  /**
   * Sends a refused change again, as it is: after somebody made room for it online, or gave the permission.
   *
   * @throws {@link SyncFault} `SYNC_ERROR_UNKNOWN`, `SYNC_ERROR_ACTION_UNAVAILABLE` where it is not among the error's `actions`
   */
  retry(syncError: number): Promise<ResolutionReceipt>;
  /** Sends a change in conflict again, over what is online as the sync error shows it. Throws as `retry` does. */
  keepMine(syncError: number): Promise<ResolutionReceipt>;
  /**
   * Sends other values in the place of the refused ones: of the record that was refused, or of any records of its group. What it replaces
   * goes to the journal. Later saves that wait behind it follow. Throws as `retry` does, and what `update` throws for values.
   */
  fix(syncError: number, fix: Fix): Promise<ResolutionReceipt>;
  /**
   * Saves what the user has of a record that is gone online as a new one, with all that hangs on it in its group; changes that wait and
   * refer to it follow. Throws as `retry` does.
   */
  recreate(syncError: number): Promise<ResolutionReceipt>;
  /** Hands refused changes out as plain data, for support or another system. It resolves nothing. */
  export(syncErrors?: readonly number[]): Promise<readonly ExportedEntry[]>;
  /**
   * Resolves several sync errors in one way, one after another, and answers for each what happened: what fails for one does not stop the
   * others. `undo` takes deletes back too.
   */
  resolve(syncErrors: readonly number[] | 'all', action: BulkResolution): Promise<readonly ResolutionOutcome[]>;
}

/** How several sync errors can be resolved in one call. */
export type BulkResolution = Exclude<Resolution, 'fix'>;

/** Makes what a client offers of refused changes. */
export function createSyncErrors(engine: SyncEngine, subscriptions: Subscriptions): SyncErrors {
  return {
    list: () => engine.listSyncErrors(),
    subscribe: (listener, options) => subscriptions.open<readonly SyncError[]>((hear) => engine.watchSyncErrors(hear), listener, options),
    undo: (syncError) => engine.undo(syncError),
    retry: (syncError) => engine.resolve(syncError, 'retry'),
    keepMine: (syncError) => engine.resolve(syncError, 'keepMine'),
    fix: (syncError, fix) => engine.resolve(syncError, 'fix', copyFix(fix)),
    recreate: (syncError) => engine.resolve(syncError, 'recreate'),
    export: async (syncErrors) => (await engine.exportEntries(syncErrors ?? 'all')).filter(({ state }) => state === 'failed'),
    resolve: (syncErrors, action) => engine.resolveAll(syncErrors, action),
  };
}

function copyFix(fix: Fix): Fix {
  return Array.isArray(fix) ? fix.map((one: FixedMember) => ({ ...one, values: copyValues(one.values) })) : copyValues(fix);
}
