import type { FieldValue } from '../../protocol/field.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Key } from '../store/record-key.ts';
import type { GroupFinder, RowsAfter } from './groups.ts';
import type { Edit } from './transaction.ts';

/** What a save is to its record, for guards. */
export type GuardedAction = 'save' | 'submit' | 'delete';

/** What a host's guard decides on, in plain data. */
export interface GuardQuestion {
  readonly action: GuardedAction;
  /** The record as it is online and not merged yet: its id, and every field. */
  readonly newer: Readonly<Record<string, FieldValue>>;
  /** The record as the save leaves it; `null` where that deletes it. */
  readonly next: Readonly<Record<string, FieldValue>> | null;
}

/** The guards of a host (rule A37); they may live on another thread. */
export interface HostGuards {
  /** The objects that have one. */
  readonly objects: readonly string[];
  /** Answers why a save may not be, as text for the user. */
  ask(object: string, question: GuardQuestion): Promise<string | null | undefined>;
}

/** The fields of each record in which a save and what waits differ from the same value. */
export type Overlaps = ReadonlyMap<Key, readonly string[]>;

/** Looks at what waits of records before they are saved. */
export interface Guard {
  /** @throws {@link SyncFault} `RECORD_CHANGED_ELSEWHERE`; {@link GuardWanted} */
  check(context: EngineContext, finder: GroupFinder, edits: readonly Edit[]): Promise<Overlaps>;
}

/** Judges nothing. */
export const NO_GUARD: Guard = { check: async () => new Map() };

/**
 * Ends the step of a save that cannot be judged inside one: a file is to be loaded, or the host to be asked. Nothing was queued; the save
 * begins again.
 */
export class GuardWanted extends Error {
  /** Asks the host; the guard knows the answers from then on. */
  readonly ask: () => Promise<void>;

  constructor(ask: () => Promise<void> = async () => {}) {
    super('a save waits for its guard');
    this.ask = ask;
  }
}

/**
 * Rule A37: refuses a save that what waits of its records, or of those that they hang on, does not allow. Where nothing waits, which is
 * nearly always, there is nothing to load and nobody to ask.
 *
 * @throws {@link SyncFault} `RECORD_CHANGED_ELSEWHERE`; {@link GuardWanted}
 */
export async function guardEdits(context: EngineContext, finder: GroupFinder, edits: readonly Edit[]): Promise<Overlaps> {
  const { store, rules, guard } = context;
  const isGuarded = (key: Key): boolean => {
    const aside = store.side(key);
    return aside !== null && rules.guards(aside);
  };
  if (store.parked.size === 0) return new Map();
  const after = rowsAfter(edits);
  for (const edit of edits) {
    if (!(await guardedBy(finder, edit, after)).some(isGuarded)) continue;
    if (guard === undefined) throw new GuardWanted();
    return guard.check(context, finder, edits);
  }
  return new Map();
}

/** The edited record and those that it hangs on, before the save and after it. */
export async function guardedBy(finder: GroupFinder, { key, after: row }: Edit, after: RowsAfter): Promise<Key[]> {
  const then = row === null ? [] : await finder.above(key, after);
  return [key, ...(await finder.above(key)), ...then];
}

/** The rows that edits lead to. */
export function rowsAfter(edits: readonly Edit[]): RowsAfter {
  return new Map(edits.map(({ key, after }) => [key, after]));
}
