import { decodeRow } from '../../protocol/row.ts';
import { describeFault, SyncFault, type FaultDetails } from '../../shared/fault.ts';
import type { EngineContext } from '../engine-context.ts';
import { splitKey, type Key } from '../store/record-key.ts';
import { versionOf, type HeldImage } from '../store/rows.ts';
import { guardedBy, GuardWanted, rowsAfter, type Guard, type GuardQuestion, type HostGuards, type Overlaps } from './guard.ts';
import type { GroupFinder, RowsAfter } from './groups.ts';
import { assertUnlocked } from './save-changes.ts';
import { inChange, type Edit } from './transaction.ts';

/** How long a host's guard may take, in milliseconds: a person waits for it. */
export const GUARD_TIMEOUT_MS = 5_000;

/** An image that waits, and the edit that it is looked at for. */
interface Judged {
  readonly edit: Edit;
  /** The edited record, or one that it hangs on. */
  readonly key: Key;
  readonly newer: HeldImage;
}

/** Judges one save (rule A37), and remembers what the host said of what waits, version by version. */
export class SaveGuard implements Guard {
  readonly #host: HostGuards | undefined;
  /** By record and version; `null` where the host allows the save. */
  readonly #answers = new Map<string, string | null>();

  constructor(host: HostGuards | undefined) {
    this.#host = host;
  }

  async check(context: EngineContext, finder: GroupFinder, edits: readonly Edit[]): Promise<Overlaps> {
    const overlaps = new Map<Key, readonly string[]>();
    // Of a group, one image waits for all of its edits: the host is asked once.
    const asking = new Map<HeldImage, () => Promise<void>>();
    const after = rowsAfter(edits), edited = new Map(edits.map((edit) => [edit.key, edit]));
    for (const edit of edits) {
      await inChange(edit.change, async () => {
        for (const judged of await judgedBy(context, finder, edit, after)) {
          assertOpen(context, judged);
          const ask = this.#askedOf(judged) && !asking.has(judged.newer) && (await this.#judgeByHost(context, finder, edited, judged));
          if (ask) asking.set(judged.newer, ask);
          const fields = await overlapOf(context, finder, judged);
          if (fields.length > 0) overlaps.set(judged.key, fields);
        }
      });
    }
    if (asking.size > 0) throw new GuardWanted(async () => void (await Promise.all([...asking.values()].map((ask) => ask()))));
    return overlaps;
  }

  #askedOf({ edit, key, newer }: Judged): boolean {
    return isSave(edit) && newer.row !== null && this.#host?.objects.includes(splitKey(key).object) === true;
  }

  /** Holds a save against what the host said; where it has said nothing yet, answers how to ask it. */
  async #judgeByHost(context: EngineContext, finder: GroupFinder, edits: ReadonlyMap<Key, Edit>, judged: Judged): Promise<(() => Promise<void>) | null> {
    const { key, newer } = judged;
    const name = `${key}@${newer.version.join('.')}`;
    const said = this.#answers.get(name);
    if (said === null) return null;
    if (said !== undefined) throw changedElsewhere(judged, 'guard', said, { guard: said });
    const question = await questionOf(context, finder, edits.get(key), judged);
    return async () => void this.#answers.set(name, await this.#ask(context, key, question));
  }

  /** Asks the host. A guard that fails, or takes too long, keeps nobody from saving: the server decides in the end. */
  async #ask({ clock, emit }: EngineContext, key: Key, question: GuardQuestion): Promise<string | null> {
    const { object, id } = splitKey(key);
    let cancel = (): void => {};
    const timeout = new Promise<never>((_, reject) => {
      cancel = clock.setTimer(GUARD_TIMEOUT_MS, () => reject(new Error(`the guard of ${object} took longer than ${GUARD_TIMEOUT_MS} ms`)));
    });
    try {
      return (await Promise.race([this.#host!.ask(object, question), timeout])) ?? null;
    } catch (thrown) {
      emit({ type: 'guard:failed', object, id, fault: describeFault(thrown) });
      return null;
    } finally {
      cancel();
    }
  }
}

/** Refuses to open a record for edits that could not be saved. @throws {@link SyncFault} `RECORD_LOCKED`, `RECORD_CHANGED_ELSEWHERE` */
export async function assertMayEdit(context: EngineContext, finder: GroupFinder, key: Key): Promise<void> {
  const { row, base } = await finder.record(key);
  await assertUnlocked(context, finder, key, (await finder.above(key)).at(-1) ?? key);
  const edit: Edit = { key, layout: context.store.layout(splitKey(key).object), before: row, after: row, base: versionOf(base), change: null };
  for (const judged of await judgedBy(context, finder, edit, rowsAfter([edit]))) assertOpen(context, judged);
}

/**
 * What waits of a record, and of those that it hangs on, who leads the group first: as far as it is newer than what was merged. Of a refused
 * change the sync error tells what is online, and later edits wait behind it (rule A26).
 */
async function judgedBy({ store, rules }: EngineContext, finder: GroupFinder, edit: Edit, after: RowsAfter): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const key of new Set((await guardedBy(finder, edit, after)).reverse())) {
    const newer = store.side(key);
    const isTold = store.entriesAround(key).some(({ state }) => state === 'failed') && !store.isInUse(key);
    if (newer !== null && !isTold && rules.isNewer(newer.version, versionOf((await finder.record(key)).base))) judged.push({ edit, key, newer });
  }
  return judged;
}

/** What online forbids whatever the host says: changes of what is gone, or was submitted. A delete may be taken back all the same. */
function assertOpen({ schema, store, rules }: EngineContext, judged: Judged): void {
  const { edit, key, newer } = judged;
  if (newer.state !== 'live') throw changedElsewhere(judged, newer.state, `is ${newer.state} online`);
  const { object } = splitKey(key);
  const isLocked = rules.isLocked(schema.objects[object]!.submitted, store.layout(object), store.rowOf(newer, object));
  if (isLocked && isSave(edit)) throw changedElsewhere(judged, 'submitted', 'was submitted elsewhere');
}

/** A mere overlap is no reason to refuse: the server says which value counts. */
async function overlapOf({ store, records }: EngineContext, finder: GroupFinder, { edit, key, newer }: Judged): Promise<string[]> {
  if (key !== edit.key) return [];
  const { object } = splitKey(key);
  const base = store.rowOf((await finder.record(key)).base, object);
  const theirs = records.changedFields(object, base, store.rowOf(newer, object));
  return records.changedFields(object, edit.before, edit.after).filter((field) => theirs.includes(field));
}

async function questionOf({ schema, store, rules }: EngineContext, finder: GroupFinder, edit: Edit | undefined, { key, newer }: Judged): Promise<GuardQuestion> {
  const { object, id } = splitKey(key);
  const layout = store.layout(object);
  const valuesOf = (row: Uint8Array): GuardQuestion['newer'] => ({ id, ...decodeRow(layout, row) });
  const next = edit === undefined ? (await finder.record(key)).row : edit.after;
  const isLocked = (row: Uint8Array | null): boolean => rules.isLocked(schema.objects[object]!.submitted, layout, row);
  const isSubmit = edit !== undefined && isLocked(edit.after) && !isLocked(edit.before);
  const action = edit?.after === null ? 'delete' : isSubmit ? 'submit' : 'save';
  return { action, newer: valuesOf(store.rowOf(newer, object)!), next: next && valuesOf(next) };
}

/** Taking a delete back saves nothing. */
function isSave({ before, after }: Edit): boolean {
  return before !== null || after !== null;
}

function changedElsewhere({ edit, key }: Judged, reason: string, problem: string, details: FaultDetails = {}): SyncFault {
  const { object, id } = splitKey(edit.key);
  const { object: newerObject, id: newerId } = splitKey(key);
  const named = { object, id, reason, newerObject, newerId, ...details };
  return new SyncFault('RECORD_CHANGED_ELSEWHERE', `${object} ${id} cannot be saved: ${newerObject} ${newerId} ${problem}`, { details: named });
}
