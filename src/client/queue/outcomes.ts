import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import { SyncFault } from '../../shared/fault.ts';
import { putJournal } from './journal.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { QueueEntry } from './queue-entry.ts';
import type { Step } from '../store/step.ts';
import { orderedKey, STATE } from '../store/stored.ts';

/** Names one record. */
export interface RecordRef {
  /** The object's name in the schema. */
  readonly object: string;
  /** The record's id at birth (rule C1). */
  readonly id: string;
}

/** How an entry ended (rule C11). */
export type EntryOutcome =
  | {
      /** The server saved it. */
      readonly kind: 'saved';
    }
  | {
      /** The server saved it but for some fields (`keepCleanFields`). */
      readonly kind: 'partlySaved';
      /** The fields that were refused. */
      readonly refused: readonly string[];
      /** The number to give to `syncErrors.undo`; `null` once the refused fields were taken back. */
      readonly syncError: number | null;
    }
  | {
      /** The server refused it; it waits for the user. */
      readonly kind: 'refused';
      /** The number to give to `syncErrors.undo`. */
      readonly syncError: number;
    }
  | {
      /** The record was submitted on another device: the group was saved as a record of its own (rule A23). */
      readonly kind: 'duplicated';
      /** What was submitted elsewhere. */
      readonly original: RecordRef;
      /** What holds the user's work now. */
      readonly duplicate: RecordRef;
    }
  | {
      /** The record was submitted on another device, and the user's later edits were dropped (rule A24). The journal has them. */
      readonly kind: 'discarded';
      /** The number of the notice that says so. */
      readonly notice: number;
    }
  | {
      /** The user took it back. The journal has its content for 30 days. */
      readonly kind: 'undone';
    }
  | {
      /** Nothing was left to send: a later save joined it, or deleted what it created (rule C8). */
      readonly kind: 'withdrawn';
    }
  | {
      /** It ended more than 30 days ago: nobody knows any more how. */
      readonly kind: 'forgotten';
    };

interface StoredOutcome {
  readonly at: number;
  /** The number of the entry that has this one's content now stands for an outcome until that one ends (rule A23). */
  readonly outcome: EntryOutcome | number;
}

/** Notes how an entry ended, in the step in which it does, or which entry has its content now. Only of saved ones nothing is kept. */
export function putOutcome(step: Step, seq: number, outcome: EntryOutcome | number, at: number): void {
  const stored: StoredOutcome = { at, outcome };
  step.putState.push({ key: orderedKey(STATE.outcome, seq), bytes: encodeEnvelope(stored) });
}

/** Notes that the user took an entry back: its content goes to the journal, in the step in which it leaves the queue. */
export function putUndone(step: Step, store: LocalStore, entry: QueueEntry, at: number): void {
  const { seq, refusal } = entry;
  putJournal(step, store, entry, 'undone', at);
  putOutcome(step, seq, refusal?.isRemainder === true ? { kind: 'partlySaved', refused: refusal.fields, syncError: null } : { kind: 'undone' }, at);
}

/** When an outcome was noted; `Infinity` while what it depends on is still in the queue. */
export function readOutcomeTime(bytes: Uint8Array, store: LocalStore): number {
  const { at, outcome } = decodeEnvelope(bytes) as StoredOutcome;
  return typeof outcome === 'number' && store.entry(outcome) !== undefined ? Infinity : at;
}

/** How an entry ended; `null` while it waits. @throws {@link SyncFault} `OPTION_INVALID` for one that never was */
export async function findOutcome(store: LocalStore, seq: number): Promise<EntryOutcome | null> {
  const { nextSeq, forgottenUpTo } = store.meta;
  if (!Number.isSafeInteger(seq) || seq < 1 || seq >= nextSeq) throw new SyncFault('OPTION_INVALID', `there was never an entry ${seq}`, { details: { entry: seq } });
  const entry = store.entry(seq);
  if (entry !== undefined) {
    if (entry.refusal === null) return null;
    return entry.refusal.isRemainder === true ? { kind: 'partlySaved', refused: entry.refusal.fields, syncError: seq } : { kind: 'refused', syncError: seq };
  }
  const noted = await store.readState(orderedKey(STATE.outcome, seq));
  if (noted !== null) {
    const { outcome } = decodeEnvelope(noted) as StoredOutcome;
    return typeof outcome === 'number' ? findOutcome(store, outcome) : outcome;
  }
  // Before there were outcomes, the journal held what was undone and nothing else.
  if ((await store.readState(orderedKey(STATE.journal, seq))) !== null) return { kind: 'undone' };
  return { kind: seq <= forgottenUpTo ? 'forgotten' : 'saved' };
}

/** One promise for all calls that wait for the same entry. */
interface Waiting {
  readonly settled: Promise<EntryOutcome>;
  readonly resolve: (outcome: EntryOutcome) => void;
  readonly reject: (fault: SyncFault) => void;
}

function createWaiting(): Waiting {
  let resolve: Waiting['resolve'] = () => {};
  let reject: Waiting['reject'] = () => {};
  const settled = new Promise<EntryOutcome>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { settled, resolve, reject };
}

/** Calls that wait for an entry to end. */
export class OutcomeWaiters {
  readonly #store: LocalStore;
  readonly #waiting = new Map<number, Waiting>();

  constructor(store: LocalStore) {
    this.#store = store;
  }

  /** Answers with a promise in an object, so that a step does not wait for it. */
  async wait(seq: number): Promise<{ readonly settled: Promise<EntryOutcome> }> {
    const known = await findOutcome(this.#store, seq);
    if (known !== null) return { settled: Promise.resolve(known) };
    const waiting = this.#waiting.get(seq) ?? createWaiting();
    this.#waiting.set(seq, waiting);
    return { settled: waiting.settled };
  }

  /** Answers the calls whose entries have ended. */
  async tell(): Promise<void> {
    for (const [seq, { resolve }] of this.#waiting) {
      const outcome = await findOutcome(this.#store, seq);
      if (outcome === null) continue;
      this.#waiting.delete(seq);
      resolve(outcome);
    }
  }

  /** Ends the calls that still wait: no more is heard of their entries here. */
  close(fault: SyncFault): void {
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }
}
