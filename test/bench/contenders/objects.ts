import type { ChangeSink, FeedContender, FeedStore, HeldRecord, MergeCounts, MergeMode } from '../feed-contender.ts';
import type { FeedData, FeedRecord } from '../feed-data.ts';
import { decide } from '../feed-decisions.ts';
import { changedMask, changedValues, packMessage, popCount, sharedStructures, unpackMessage } from './by-hand.ts';

/** JavaScript by hand that keeps decoded objects in a Map and packs nothing: fast to merge into, and nothing that could be stored. */
export const objects: FeedContender = {
  name: 'by hand, objects',
  note: 'keeps decoded objects only: what it merged is in no form that could be stored; validates nothing',
  mostRecords: Infinity,
  modes: ['lazy', 'masks', 'values'],
  open: (data) => new ObjectStore(data),
};

class ObjectStore implements FeedStore {
  readonly #packr = sharedStructures();
  readonly #loaded: readonly (readonly [string, FeedRecord])[];
  readonly #message: Uint8Array;
  readonly #attention: ReadonlyMap<string, number>;
  #rows = new Map<string, FeedRecord>();

  constructor(data: FeedData) {
    this.#loaded = Array.from(data.rows(), (record) => [record.id, record] as const);
    this.#message = packMessage(this.#packr, data);
    this.#attention = data.attention();
  }

  load(): void {
    this.#rows = new Map(this.#loaded);
  }

  merge(mode: MergeMode, onChange: ChangeSink): MergeCounts {
    const { entries, groups } = unpackMessage(this.#packr, this.#message);
    const { merged, verdicts } = decide({ entries, groups, attention: this.#attention, heldVersion: (id) => this.#rows.get(id)?.version ?? 0 });
    let changedFields = mode === 'masks' ? 0 : -1;
    for (const entry of merged) {
      const record = entries[entry]!;
      const before = this.#rows.get(record.id)?.values;
      if (mode === 'masks') changedFields += popCount(changedMask(before, record.values));
      if (mode === 'values') onChange(record.id, changedValues(before, record.values));
      this.#rows.set(record.id, record);
    }
    return { verdicts, changedFields };
  }

  *records(): Generator<HeldRecord> {
    yield* this.#rows.values();
  }
}
