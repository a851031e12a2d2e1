import type { Layout } from '../../protocol/layout.ts';
import { MemoryFacts } from './memory-facts.ts';
import { compareIds, type FeedRow, type Receipt, type StoredRecord } from './server-store.ts';

/** One object's records, with the look-ups that a database would have indexes for. */
export class MemoryTable {
  readonly records: Map<string, StoredRecord> = new Map();
  readonly #children = new Map<string, Set<string>>();
  readonly #byRecordId = new Map<string, string>();
  #sortedIds: string[] | null = null;

  /** Puts a record, or takes it away again when a transaction rolls back. */
  set(id: string, record: StoredRecord | undefined): void {
    const old = this.records.get(id);
    if (old !== undefined) this.#forget(old);
    if ((old === undefined) !== (record === undefined)) this.#sortedIds = null;
    if (record === undefined) return void this.records.delete(id);
    this.records.set(id, record);
    if (record.recordId !== null) this.#byRecordId.set(record.recordId, id);
    if (record.parentId === null) return;
    const siblings = this.#children.get(record.parentId) ?? new Set();
    this.#children.set(record.parentId, siblings.add(id));
  }

  #forget({ id, parentId, recordId }: StoredRecord): void {
    if (parentId !== null) this.#children.get(parentId)?.delete(id);
    if (recordId !== null) this.#byRecordId.delete(recordId);
  }

  /** Live records after an id. */
  scan(afterId: string | null, limit: number): StoredRecord[] {
    const ids = (this.#sortedIds ??= [...this.records.keys()].sort(compareIds));
    const found: StoredRecord[] = [];
    for (let at = afterId === null ? 0 : firstAfter(ids, afterId); at < ids.length && found.length < limit; at++) {
      const record = this.records.get(ids[at]!)!;
      if (!record.isDeleted) found.push(record);
    }
    return found;
  }

  childrenOf(parentId: string): StoredRecord[] {
    const ids = [...(this.#children.get(parentId) ?? [])].sort(compareIds);
    return ids.map((id) => this.records.get(id)!).filter(({ isDeleted }) => !isDeleted);
  }

  findByRecordId(recordId: string): StoredRecord | null {
    const id = this.#byRecordId.get(recordId);
    return id === undefined ? null : this.records.get(id)!;
  }
}

function firstAfter(ids: readonly string[], id: string): number {
  let low = 0, high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds(ids[middle]!, id) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface MemoryFeed {
  readonly feed: string;
  head: number;
  floor: number;
  rows: FeedRow[];
}

/** All that one tenant has. */
export class MemoryTenant {
  epoch = 1;
  readonly objects: Map<string, MemoryTable> = new Map();
  readonly layouts: Map<string, Layout> = new Map();
  readonly counters: Map<string, number> = new Map();
  readonly receipts: Map<string, Receipt> = new Map();
  readonly owners: Map<string, string> = new Map();
  readonly feeds: Map<string, MemoryFeed> = new Map();
  facts: MemoryFacts = new MemoryFacts();

  table(object: string): MemoryTable {
    const table = this.objects.get(object) ?? new MemoryTable();
    this.objects.set(object, table);
    return table;
  }

  /** A copy that later saves do not change. Rows and layouts are never changed in place, so they are shared. */
  copy(): MemoryTenant {
    const copy = new MemoryTenant();
    copy.epoch = this.epoch;
    for (const [object, table] of this.objects) for (const [id, record] of table.records) copy.table(object).set(id, record);
    for (const [hash, layout] of this.layouts) copy.layouts.set(hash, layout);
    for (const [key, count] of this.counters) copy.counters.set(key, count);
    for (const [key, receipt] of this.receipts) copy.receipts.set(key, receipt);
    for (const [store, user] of this.owners) copy.owners.set(store, user);
    for (const [user, feed] of this.feeds) copy.feeds.set(user, { ...feed, rows: [...feed.rows] });
    copy.facts = this.facts.copy();
    return copy;
  }
}
