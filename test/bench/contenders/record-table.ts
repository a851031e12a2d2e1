import type { FeedContender, FeedStore, HeldRecord, MergeCounts } from '../feed-contender.ts';
import type { FeedData, FeedRecord } from '../feed-data.ts';
import { decide } from '../feed-decisions.ts';
import { packMessage, sharedStructures, unpackMessage } from './by-hand.ts';

/** A library that keeps records: what of it a merge needs. */
export interface RecordTable {
  /** Makes the table hold these rows and nothing else. */
  load(rows: Iterable<FeedRecord>): unknown;
  /** The version that is held of each record; 0 for none. */
  versionsOf(ids: readonly string[]): readonly number[] | Promise<readonly number[]>;
  /** Writes whole records in place of what is held of them, all in one transaction where there are any. */
  put(records: readonly FeedRecord[]): unknown;
  records(): Iterable<HeldRecord> | AsyncIterable<HeldRecord>;
  close?(): unknown;
}

export interface TableContender {
  readonly name: string;
  readonly note?: string;
  /** @defaultValue 10_000 */
  readonly mostRecords?: number;
  open(): Promise<RecordTable>;
}

/**
 * A library as a contender: the message is decoded as JavaScript by hand does it, and the same plain JavaScript decides, with the versions
 * that the library holds; what is merged is written through the library.
 */
export function tableContender({ name, note, mostRecords = 10_000, open }: TableContender): FeedContender {
  return {
    name,
    ...(note === undefined ? {} : { note }),
    mostRecords,
    modes: ['lazy'],
    open: async (data) => new TableStore(await open(), data),
  };
}

class TableStore implements FeedStore {
  readonly #packr = sharedStructures();
  readonly #table: RecordTable;
  readonly #data: FeedData;
  readonly #message: Uint8Array;
  readonly #attention: ReadonlyMap<string, number>;

  constructor(table: RecordTable, data: FeedData) {
    this.#table = table;
    this.#data = data;
    this.#message = packMessage(this.#packr, data);
    this.#attention = data.attention();
  }

  async load(): Promise<void> {
    await this.#table.load(this.#data.rows());
  }

  async merge(): Promise<MergeCounts> {
    const { entries, groups } = unpackMessage(this.#packr, this.#message);
    const ids = [...new Set([...entries.map(({ id }) => id), ...groups.flatMap(({ others }) => others.map(({ id }) => id))])];
    const versions = await this.#table.versionsOf(ids);
    const held = new Map(ids.map((id, place) => [id, versions[place]!]));
    const { merged, verdicts } = decide({ entries, groups, attention: this.#attention, heldVersion: (id) => held.get(id)! });
    await this.#table.put(merged.map((entry) => entries[entry]!));
    return { verdicts, changedFields: -1 };
  }

  records(): Iterable<HeldRecord> | AsyncIterable<HeldRecord> {
    return this.#table.records();
  }

  async close(): Promise<void> {
    await this.#table.close?.();
  }
}
