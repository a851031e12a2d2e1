import type { Key } from './record-key.ts';

/** The records that commits changed; `null`: too many to name, any record may be among them. */
export type ChangedRecords = ReadonlySet<Key> | null;

/** So many changed records are named; a large download must not have the keys of all of them in memory. */
const MOST_NAMED = 10_000;

/** Collects which records commits change that nobody is told of yet, and tells of all of them at once. */
export class ChangedSince {
  readonly #tell: (keys: ChangedRecords) => void;
  #keys: Set<Key> | null = new Set();

  constructor(tell: (keys: ChangedRecords) => void) {
    this.#tell = tell;
  }

  /** Notes a commit. @param isUntold - more follows that belongs to it */
  note(changed: ReadonlySet<Key>, isUntold: boolean): void {
    if (isUntold && (this.#keys?.size ?? MOST_NAMED) + changed.size > MOST_NAMED) this.#keys = null;
    for (const key of changed) this.#keys?.add(key);
    if (isUntold) return;
    const keys = this.#keys;
    this.#keys = new Set();
    this.#tell(keys);
  }
}
