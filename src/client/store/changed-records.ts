import { countOf, idAt } from '../../core/row-block-layout.ts';
import type { PackedRows } from '../../core/row-block.ts';
import { keyOf, type Key } from './record-key.ts';

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

  /** Notes a commit. @param packed - what it wrote besides @param isUntold - more follows that belongs to it */
  note(changed: ReadonlySet<Key>, packed: readonly PackedRows[], isUntold: boolean): void {
    const count = packed.reduce((sum, { block }) => sum + countOf(block), changed.size);
    if (isUntold && (this.#keys?.size ?? 0) + count > MOST_NAMED) this.#keys = null;
    if (this.#keys !== null) {
      for (const key of changed) this.#keys.add(key);
      for (const { object, block } of packed) for (let row = 0; row < countOf(block); row++) this.#keys.add(keyOf(object, idAt(block, row)));
    }
    if (isUntold) return;
    const keys = this.#keys;
    this.#keys = new Set();
    this.#tell(keys);
  }
}
