import { ATTENTION } from '../../src/core/core.ts';
import type { FieldValue } from '../../src/protocol/field.ts';
import { decodeRow, encodeRow } from '../../src/protocol/row.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { CRM_LAYOUT, makeRecord } from './crm-rows.ts';

/** How much is merged into how much. */
export interface FeedScale {
  readonly entries: number;
  readonly rows: number;
}

export type RecordValues = Readonly<Record<string, FieldValue>>;

/** A record as it is held, or as the feed has it: the version is the number within the epoch, which is 1 everywhere. */
export interface FeedRecord {
  readonly id: string;
  readonly version: number;
  readonly values: RecordValues;
}

/** Records that are merged all at once or not at all: entries of the batch by index, and what else must be held. */
export interface FeedGroup {
  readonly members: readonly number[];
  readonly others: readonly { readonly id: string; readonly version: number }[];
}

const HELD_VERSION = 10;
const POOL = 5_000;
const GROUP_SIZE = 4;

/**
 * A feed batch and what it is merged into, the same at every run. Of the entries 30 % are older images of records that a later entry is
 * about; of the records 5 % are new (more where there are not as many rows), 10 % in groups of four of which one in twenty is
 * incomplete, 5 % wait for upload, 2 % are in use, and of 2 % what comes is not newer than what is held. A newer version differs in two
 * or three of 20 fields. Nothing is kept: a million records are made again whenever they are asked for.
 */
export class FeedData {
  readonly scale: FeedScale;
  /** Entries that are the newest of their record. */
  readonly #newest: number;
  /** Of these, the ones whose record is held. */
  readonly #known: number;
  readonly #pool: readonly RecordValues[];

  constructor(scale: FeedScale) {
    this.scale = scale;
    this.#newest = scale.entries - repeatsBefore(scale.entries);
    this.#known = Math.min(Math.floor(this.#newest * 0.95), Math.floor(scale.rows * 0.9));
    const random = createSeededRandom(3);
    // Through a row and back: values as the SDK would hand them out.
    this.#pool = Array.from({ length: POOL }, () => decodeRow(CRM_LAYOUT, encodeRow(CRM_LAYOUT, makeRecord(random))));
  }

  /** What is held before the merge. */
  *rows(): Generator<FeedRecord> {
    for (let record = 0; record < this.scale.rows; record++) yield this.#recordAt(record, HELD_VERSION);
  }

  /** The batch, in the order of the feed. */
  *entries(): Generator<FeedRecord> {
    for (let entry = 0; entry < this.scale.entries; entry++) {
      const next = entry - repeatsBefore(entry);
      if (!isRepeat(entry)) yield this.#recordAt(this.#recordOf(next), this.#isStale(next) ? HELD_VERSION : HELD_VERSION + 2);
      else {
        const later = Math.min(this.#newest - 1, next + (mix(entry) % 2_000));
        yield this.#recordAt(this.#recordOf(later), this.#isStale(later) ? HELD_VERSION - 1 : HELD_VERSION + 1);
      }
    }
  }

  groups(): FeedGroup[] {
    const groups: FeedGroup[] = [];
    for (let group = 3; (group + 1) * GROUP_SIZE <= this.#newest; group += 10) {
      const members = Array.from({ length: GROUP_SIZE }, (_, member) => entryOf(group * GROUP_SIZE + member));
      const isIncomplete = group % 200 === 53;
      groups.push({ members, others: isIncomplete ? [{ id: idOf(this.scale.rows + this.scale.entries + group), version: HELD_VERSION + 2 }] : [] });
    }
    return groups;
  }

  /** Bits of `ATTENTION`, by id. */
  attention(): Map<string, number> {
    const flags = new Map<string, number>();
    for (let newest = 0; newest < this.#newest; newest++) {
      const bits = (newest % 20 === 7 ? ATTENTION.pending : 0) | (newest % 50 === 13 ? ATTENTION.inUse : 0);
      if (bits !== 0) flags.set(idOf(this.#recordOf(newest)), bits);
    }
    return flags;
  }

  #recordOf(newest: number): number {
    const before = Math.floor((newest * this.#known) / this.#newest), after = Math.floor(((newest + 1) * this.#known) / this.#newest);
    // Not in the order of the rows; the factor has no divisor in common with a power of ten.
    return after > before ? (before * 61_803_399 + 17) % this.scale.rows : this.scale.rows + newest - before;
  }

  #isStale(newest: number): boolean {
    return newest % 50 === 31 && this.#recordOf(newest) < this.scale.rows;
  }

  #recordAt(record: number, version: number): FeedRecord {
    const before = this.#pool[record % POOL]!;
    const values: Record<string, FieldValue> = { ...before, recordId: `order ${record}` };
    if (version !== HELD_VERSION) {
      values['amount'] = `${record % 10_000}.${version}`;
      values['modifiedAt'] = `2026-10-${String(version).padStart(2, '0')}T08:00:00.000Z`;
      if (record % 3 === 0) values['comment'] = `looked at again, ${version}`;
    }
    return { id: idOf(record), version, values };
  }
}

// Three of each ten entries.
function isRepeat(entry: number): boolean {
  return entry % 10 === 0 || entry % 10 === 3 || entry % 10 === 6;
}

function repeatsBefore(entry: number): number {
  const rest = entry % 10;
  return Math.floor(entry / 10) * 3 + (rest > 6 ? 3 : rest > 3 ? 2 : rest > 0 ? 1 : 0);
}

/** Where the newest entries lie among all: at 1, 2, 4, 5, 7, 8 and 9 of each ten. */
function entryOf(newest: number): number {
  return Math.floor(newest / 7) * 10 + [1, 2, 4, 5, 7, 8, 9][newest % 7]!;
}

function idOf(record: number): string {
  return `${mix(record).toString(16).padStart(8, '0')}-7a1c-4f00-8f00-${record.toString(16).padStart(12, '0')}`;
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
