import { keysOf, laneKeysOf, type QueueEntry } from '../queue/queue-entry.ts';
import type { Key } from '../store/record-key.ts';
import type { HeldImage } from '../store/rows.ts';
import type { ClientRules } from '../rules.ts';
import type { LocalStore } from '../store/local-store.ts';
import { Step } from '../store/step.ts';

/**
 * The client's data as a step leaves it: what the step holds, else what the store holds. Several results of one answer see each
 * other's effect this way, and still land in one commit.
 */
export class Settlement {
  readonly step: Step = new Step();
  /** Records for which less is in the way than before: what is kept aside for them is looked at again before the step is written. */
  readonly freed: Set<Key> = new Set();
  protected readonly store: LocalStore;
  protected readonly rules: ClientRules;
  #bases: ReadonlyMap<Key, HeldImage>;

  /** @param bases - what is held of every record that the step may touch. */
  constructor(store: LocalStore, rules: ClientRules, bases: ReadonlyMap<Key, HeldImage>) {
    this.store = store;
    this.rules = rules;
    this.#bases = bases;
  }

  /** Takes in what was read of further records. */
  learn(bases: ReadonlyMap<Key, HeldImage>): void {
    this.#bases = new Map([...bases, ...this.#bases]);
  }

  readonly base = (key: Key): HeldImage | null => {
    return this.step.bases.get(key) ?? this.#bases.get(key) ?? null;
  };

  readonly side = (key: Key): HeldImage | null => {
    const side = this.step.sides.get(key);
    return side === undefined ? this.store.side(key) : side;
  };

  entriesOf(key: Key): QueueEntry[] {
    // What took an entry's place may be about other records.
    return this.store.entriesOf(key).flatMap((entry) => this.asNow(entry, keysOf, key));
  }

  /** Takes an entry out of the queue. */
  remove(entry: QueueEntry): void {
    this.step.removeEntry(entry);
    for (const key of laneKeysOf(entry)) this.freed.add(key);
  }

  /** Takes entries back; what the server said of their records meanwhile is looked at again (rule B13). */
  undo(refused: QueueEntry, dependants: readonly QueueEntry[]): void {
    for (const entry of [refused, ...dependants]) this.remove(entry);
    for (const key of new Set([refused, ...dependants].flatMap(keysOf))) {
      if (this.entriesOf(key).length > 0) continue;
      const base = this.base(key), side = this.side(key);
      const image = this.rules.undoneTo(base, side, refused);
      if (image !== null && image === side) continue;
      if (image !== null && image !== base) this.step.putBase(key, image);
      if (side !== null) this.step.sides.set(key, null);
    }
  }

  /** An entry as the step leaves it, if it is still there and about a record. */
  protected asNow(entry: QueueEntry, keysOfIt: (entry: QueueEntry) => Key[], key: Key): QueueEntry[] {
    const now = this.step.entries.get(entry.seq) === undefined ? entry : this.step.entries.get(entry.seq)!;
    return now !== null && keysOfIt(now).includes(key) ? [now] : [];
  }
}
