import { decodeEnvelope } from '../../protocol/envelope.ts';
import { SyncFault } from '../../shared/fault.ts';
import type { LocalStore } from '../store/local-store.ts';
import { orderedKey, STATE } from '../store/stored.ts';
import type { EntryOutcome, StoredOutcome } from './outcomes.ts';

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
