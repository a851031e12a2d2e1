import type { QueueEntry } from '../queue/queue-entry.ts';
import type { Key } from './record-key.ts';

/** Finds queue entries by the records that they name, in the order of saves. */
export class EntryIndex {
  readonly #entries = new Map<Key, readonly QueueEntry[]>();

  of(key: Key): readonly QueueEntry[] {
    return this.#entries.get(key) ?? [];
  }

  get keys(): Iterable<Key> {
    return this.#entries.keys();
  }

  /** Puts an entry, or takes it out; answers which records it names, `before` or `now`. */
  put(seq: number, entry: QueueEntry | null, before: readonly Key[], now: readonly Key[]): Iterable<Key> {
    // What takes an entry's place may be about other records.
    const keys = before.length === 0 ? now : new Set([...before, ...now]);
    for (const key of keys) {
      const held = this.of(key), last = held.at(-1);
      if (before.length === 0 && entry !== null && (last === undefined || last.seq < seq)) {
        this.#entries.set(key, [...held, entry]);
        continue;
      }
      const rest = held.filter((other) => other.seq !== seq);
      const place = rest.findIndex((other) => other.seq > seq);
      if (entry !== null && now.includes(key)) rest.splice(place < 0 ? rest.length : place, 0, entry);
      if (rest.length === 0) this.#entries.delete(key);
      else this.#entries.set(key, rest);
    }
    return keys;
  }
}
