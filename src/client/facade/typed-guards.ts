import type { ObjectName, RecordOf, Schema } from '../../protocol/schema.ts';
import type { GuardedAction } from '../queue/guard.ts';

/** What a guard decides on. */
export interface GuardInput<S extends Schema, O extends ObjectName<S>> {
  /** What the user is doing: `submit` gives the record one of the states that close it. */
  readonly action: GuardedAction;
  /** The record as it is online: newer than what the user sees. */
  readonly newer: RecordOf<S, O>;
  /** The record as the save leaves it; `null` where that deletes it. Of a save of what hangs on the record: as the user sees it. */
  readonly next: RecordOf<S, O> | null;
}

/** Answers why a save may not be, as text for the user; `undefined` where it may. */
export type SaveGuards<S extends Schema> = {
  readonly [O in ObjectName<S>]?: (input: GuardInput<S, O>) => string | undefined | Promise<string | undefined>;
};
