import { COUNTERS } from './schema.ts';
import type { Attempt, RecordTokens } from './client-messages.ts';

/** What is known of one save, kept outside the processes that are killed. */
interface Entry extends Attempt {
  /** `acknowledged`: the SDK said that it is safe, or it was there after a restart. `void`: it was not there after a restart. */
  state: 'trying' | 'acknowledged' | 'void';
}

/** Every save that was tried and every one that was acknowledged, in order. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Saves of one record, oldest first. */
  readonly #byRecord = new Map<string, Entry[]>();

  try(attempt: Attempt): void {
    const entry: Entry = { ...attempt, state: 'trying' };
    this.#entries.set(attempt.token, entry);
    this.#byRecord.set(attempt.id, [...(this.#byRecord.get(attempt.id) ?? []), entry]);
  }

  acknowledge(token: string): void {
    this.#entries.get(token)!.state = 'acknowledged';
  }

  /**
   * Compares what a device has after a restart with what it must have: each record as its last acknowledged save left it, or as the save
   * that was cut off would have. Settles the saves that were cut off. Returns what is wrong.
   */
  checkRestart(records: RecordTokens): string[] {
    const problems: string[] = [];
    for (const [id, entries] of this.#byRecord) {
      if (COUNTERS.includes(id)) continue; // the back office's values come and go; the traces tell
      const open = entries.filter(({ state }) => state === 'trying');
      const shown = records[id];
      const happened = open.find((entry) => shownAfter(entry) === shown);
      const last = entries.findLast(({ state }) => state === 'acknowledged');
      if (happened === undefined && shown !== (last && shownAfter(last))) {
        problems.push(`${id} shows ${shown ?? 'nothing'} after a restart; ${last?.token ?? 'nothing'} was acknowledged last`);
      }
      for (const entry of open) entry.state = entry === happened ? 'acknowledged' : 'void';
    }
    return problems;
  }

  get acknowledged(): readonly Attempt[] {
    return [...this.#entries.values()].filter(({ state }) => state === 'acknowledged');
  }

  get cutOff(): number {
    return [...this.#entries.values()].filter(({ state }) => state === 'void').length;
  }

  find(token: string): Attempt | undefined {
    return this.#entries.get(token);
  }
}

/** The token that a record shows after a save; none after a delete. */
function shownAfter({ op, token }: Attempt): string | undefined {
  return op === 'remove' ? undefined : token;
}
