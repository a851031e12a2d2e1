import type { Key } from './record-key.ts';

/**
 * The records that somebody has open (rule A36). Nothing of it is durable: what is open dies with the page that has it open.
 */
export class InUse {
  /** Records that are out of use, and for which something may still wait that there was no room to merge. */
  readonly left: Set<Key> = new Set();
  /** Records of which something that is kept aside has changed, while there is somebody who takes them from here. */
  asideChanged: Set<Key> | null = null;
  readonly #marks = new Map<Key, number>();

  /** Marks records until the returned function is called, which counts once however often it is; they may be marked several times over. */
  mark(keys: Iterable<Key>): () => void {
    const marked = new Set(keys);
    for (const key of marked) this.#marks.set(key, (this.#marks.get(key) ?? 0) + 1);
    return () => {
      for (const key of marked) {
        const left = this.#marks.get(key)! - 1;
        if (left === 0) this.#marks.delete(key);
        else this.#marks.set(key, left);
      }
      marked.clear();
    };
  }

  has(key: Key): boolean {
    return this.#marks.has(key);
  }

  /** The records that are marked. */
  get keys(): Iterable<Key> {
    return this.#marks.keys();
  }
}
