import { encodeRow } from '../../src/protocol/row.ts';
import { CRM_LAYOUT } from './crm-rows.ts';
import type { FeedData, RecordValues } from './feed-data.ts';

/**
 * What is asked of a merge besides the merge. `lazy`: nothing, nobody looks at what changed. `masks`: which fields of each merged record
 * changed. `values`: their new values, handed out record by record.
 */
export type MergeMode = 'lazy' | 'masks' | 'values';

/** Hears of a merged record: with its changed fields. */
export type ChangeSink = (id: string, values: RecordValues) => void;

/** Something that merges a feed batch into the rows it holds: one file each in `contenders/`. */
export interface FeedContender {
  readonly name: string;
  /** What a reader must know of it: what it does not do, or does besides. */
  readonly note?: string;
  /** The largest batch, and the most rows, that it is asked for. */
  readonly mostRecords: number;
  /** Without `masks` and `values` for most: what they tell of changes is something else. */
  readonly modes: readonly MergeMode[];
  /** Makes a store, and the batch in the form in which this contender would get it over the network. */
  open(data: FeedData): FeedStore | Promise<FeedStore>;
}

export interface FeedStore {
  /** Makes the store hold the rows and nothing else; not counted. */
  load(): unknown;
  /** Takes the batch in. All of it is counted, from the bytes of the message on. */
  merge(mode: MergeMode, onChange: ChangeSink): MergeCounts | Promise<MergeCounts>;
  /** Ends a merge where there is something to do that is not counted. */
  settle?(): unknown;
  /** All that is held, in any order. */
  records(): Iterable<HeldRecord> | AsyncIterable<HeldRecord>;
  close?(): unknown;
}

/** What a merge came to: must be the same for all. */
export interface MergeCounts {
  /** Images by verdict, in the order of `VERDICTS`. */
  readonly verdicts: readonly number[];
  /** Changed fields of all merged records; −1 unless asked for with `masks`. */
  readonly changedFields: number;
}

/** A record that a contender holds: its canonical row, or its values. */
export type HeldRecord = { readonly id: string; readonly version: number } & ({ readonly row: Uint8Array } | { readonly values: RecordValues });

/** A digest of records in canonical form, in whatever order they come. */
export async function digestOf(records: Iterable<HeldRecord> | AsyncIterable<HeldRecord>): Promise<string> {
  let count = 0, low = 0, high = 0;
  for await (const record of records) {
    const row = 'row' in record ? record.row : encodeRow(CRM_LAYOUT, record.values);
    let left = hashText(record.id, 0x811c9dc5 ^ record.version), right = hashText(record.id, 0x2545f491);
    for (let at = 0; at < row.length; at++) {
      left = Math.imul(left ^ row[at]!, 0x01000193);
      right = Math.imul(right ^ row[at]!, 0x5bd1e995) ^ (right >>> 13);
    }
    low = (low + left) >>> 0;
    high = (high + right) >>> 0;
    count++;
  }
  return `${count}-${low.toString(16)}-${high.toString(16)}`;
}

function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
