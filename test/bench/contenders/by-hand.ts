import { Packr } from 'msgpackr';
import type { FieldValue } from '../../../src/protocol/field.ts';
import type { ChangeSink, FeedContender, FeedStore, HeldRecord, MergeCounts, MergeMode } from '../feed-contender.ts';
import type { FeedData, FeedGroup, FeedRecord, RecordValues } from '../feed-data.ts';
import { decide } from '../feed-decisions.ts';

/** The batch as a program by hand sends it: one msgpack value. */
export interface HandMessage {
  readonly entries: readonly FeedRecord[];
  readonly groups: readonly FeedGroup[];
}

interface HandRow {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** Shared structures: what msgpackr does best with many records of one shape. */
export const sharedStructures = (): Packr => new Packr({ structures: [], maxSharedStructures: 32 });

/** Plain maps: what any msgpack library reads. */
export const plainMaps = (): Packr => new Packr({ useRecords: false, variableMapSize: true });

/**
 * JavaScript by hand: a Map from id to version and packed row, so that a row can be stored as it is; the message is decoded, merged rows are
 * packed anew. Rows are decoded again only where somebody asks what changed.
 */
export function byHand(name: string, createPackr: () => Packr): FeedContender {
  return {
    name,
    note: 'validates nothing of what it reads',
    mostRecords: Infinity,
    modes: ['lazy', 'masks', 'values'],
    open: (data) => new HandStore(createPackr(), data),
  };
}

class HandStore implements FeedStore {
  readonly #packr: Packr;
  readonly #loaded: readonly (readonly [string, HandRow])[];
  readonly #message: Uint8Array;
  readonly #attention: ReadonlyMap<string, number>;
  #rows = new Map<string, HandRow>();

  constructor(packr: Packr, data: FeedData) {
    this.#packr = packr;
    // A copy of its own for each row: the packer hands out parts of a large buffer.
    this.#loaded = Array.from(data.rows(), ({ id, version, values }) => [id, { version, bytes: Uint8Array.from(packr.pack(values)) }] as const);
    this.#message = packMessage(packr, data);
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
      const { id, version, values } = entries[entry]!;
      if (mode !== 'lazy') {
        const held = this.#rows.get(id);
        const before = held === undefined ? undefined : (this.#packr.unpack(held.bytes) as RecordValues);
        if (mode === 'masks') changedFields += popCount(changedMask(before, values));
        else onChange(id, changedValues(before, values));
      }
      this.#rows.set(id, { version, bytes: Uint8Array.from(this.#packr.pack(values)) });
    }
    return { verdicts, changedFields };
  }

  *records(): Generator<HeldRecord> {
    for (const [id, { version, bytes }] of this.#rows) yield { id, version, values: this.#packr.unpack(bytes) as RecordValues };
  }
}

/** Packs a batch in slices: one value of a million records is more than a string of the engine may hold in some decoders. */
export function packMessage(packr: Packr, data: FeedData): Uint8Array {
  return Uint8Array.from(packr.pack({ entries: Array.from(data.entries()), groups: data.groups() }));
}

/** Reads what {@link packMessage} wrote. */
export function unpackMessage(packr: Packr, message: Uint8Array): HandMessage {
  return packr.unpack(message) as HandMessage;
}

/** Which fields differ, as bits in the order of the record's fields; all that have a value where nothing was held. */
export function changedMask(before: RecordValues | undefined, after: RecordValues): number {
  let mask = 0, bit = 1;
  for (const name in after) {
    if (!isEqual(before === undefined ? null : before[name]!, after[name]!)) mask |= bit;
    bit <<= 1;
  }
  return mask;
}

/** The fields that differ, with their new values. */
export function changedValues(before: RecordValues | undefined, after: RecordValues): RecordValues {
  const values: Record<string, FieldValue> = {};
  for (const name in after) if (!isEqual(before === undefined ? null : before[name]!, after[name]!)) values[name] = after[name]!;
  return values;
}

export function popCount(mask: number): number {
  let count = 0;
  for (let bits = mask; bits !== 0; bits &= bits - 1) count++;
  return count;
}

function isEqual(left: FieldValue, right: FieldValue): boolean {
  if (left === right) return true;
  return Array.isArray(left) && Array.isArray(right) && left.length === right.length && left.every((member, index) => member === right[index]);
}
