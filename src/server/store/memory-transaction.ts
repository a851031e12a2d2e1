import { SyncFault } from '../../shared/fault.ts';
import type { Fact, FactQuery } from './fact.ts';
import type { MemoryFeed, MemoryTenant } from './memory-tables.ts';
import { compareKeys, type DeviceHead, type FeedState, type ReceiptKey, type RecordKey, type RecordOutline, type StoredRecord, type StoreTransaction } from './server-store.ts';

/** A transaction that can be ended: by its commit, its rollback, or a crash of the process that ran it. */
export interface MemoryTransaction {
  readonly transaction: StoreTransaction;
  /** Ends it; later calls fail. */
  end(how: 'commit' | 'rollback'): void;
}

const UNKNOWN: DeviceHead = { feed: null, owner: null, hasFact: false };

/** Opens a transaction on a tenant. It writes in place and remembers how to take each write back. */
export function openMemoryTransaction(tenant: MemoryTenant): MemoryTransaction {
  let isOpen = true;
  const undo: (() => void)[] = [];

  function step<A extends unknown[], T>(work: (...args: A) => T): (...args: A) => Promise<T> {
    return async (...args) => {
      if (!isOpen) throw new SyncFault('STORAGE_CLOSED', 'the transaction has ended');
      return work(...args);
    };
  }

  function setIn<K, V>(map: Map<K, V>, key: K, value: V): void {
    const had = map.has(key), old = map.get(key);
    undo.push(() => void (had ? map.set(key, old as V) : map.delete(key)));
    map.set(key, value);
  }

  function setFact(kind: string, key: string, fact: Fact | null): void {
    const old = tenant.facts.set(kind, key, fact);
    undo.push(() => void tenant.facts.set(kind, key, old));
  }

  const getRecords = (keys: readonly RecordKey[]) => keys.flatMap(({ object, id }) => tenant.table(object).records.get(id) ?? []);

  const transaction: StoreTransaction = {
    epoch: step(() => tenant.epoch),
    getRecords: step(getRecords),
    lockRecords: step(getRecords),
    scanRecords: step((object: string, afterId: string | null, limit: number) => tenant.table(object).scan(afterId, limit)),
    listChildren: step((object: string, parentId: string) => tenant.table(object).childrenOf(parentId)),
    outlines: step((keys: readonly RecordKey[]) => getRecords(keys).map(outlineOf)),
    childOutlines: step((object: string, parentIds: readonly string[]) => {
      const table = tenant.table(object);
      return [...new Set(parentIds)].flatMap((id) => table.childrenOf(id)).sort(compareKeys).map(outlineOf);
    }),
    findByRecordId: step((object: string, recordId: string) => tenant.table(object).findByRecordId(recordId)),
    getLayout: step((hash: string) => tenant.layouts.get(hash) ?? null),
    getFeed: step((user: string) => feedState(tenant, user)),
    readHeads: step((stores: readonly string[], kind: string) =>
      stores.map((store) => {
        const owner = tenant.owners.get(store);
        return owner === undefined ? UNKNOWN : { feed: feedState(tenant, owner), owner, hasFact: tenant.facts.get(kind, store) !== null };
      }),
    ),
    oldestFeedPosition: step((user: string, since: number) => oldestPosition(tenant.feeds.get(user), since)),
    listFeed: step((user: string, after: number, limit: number) => {
      const rows = tenant.feeds.get(user)?.rows ?? [];
      const start = Math.max(0, after - (rows[0]?.position ?? 0) + 1);
      return rows.slice(start, start + limit);
    }),
    storeOwner: step((store: string) => tenant.owners.get(store) ?? null),
    getReceipt: step((key: ReceiptKey) => tenant.receipts.get(receiptText(key)) ?? null),
    getFact: step((kind: string, key: string) => tenant.facts.get(kind, key)),
    getFacts: step((kind: string, keys: readonly string[]) => keys.flatMap((key) => tenant.facts.get(kind, key) ?? [])),
    listFacts: step((kind: string, query: FactQuery) => tenant.facts.list(kind, query)),

    putRecords: step((writes: Parameters<StoreTransaction['putRecords']>[0]) => {
      for (const { layout, ...write } of writes) {
        if (!tenant.layouts.has(layout.hash)) setIn(tenant.layouts, layout.hash, layout);
        const table = tenant.table(write.object), old = table.records.get(write.id);
        undo.push(() => table.set(write.id, old));
        table.set(write.id, { ...write, layout: layout.hash });
      }
    }),
    nextNumber: step((object: string, field: string) => {
      const key = `${object}\0${field}`, next = (tenant.counters.get(key) ?? 0) + 1;
      setIn(tenant.counters, key, next);
      return next;
    }),
    claimReceipt: step((key: ReceiptKey) => tenant.receipts.get(receiptText(key)) ?? null),
    putReceipt: step((key: ReceiptKey, receipt: Parameters<StoreTransaction['putReceipt']>[1]) => setIn(tenant.receipts, receiptText(key), receipt)),
    claimStore: step((store: string, user: string) => {
      const owner = tenant.owners.get(store);
      if (owner === undefined) setIn(tenant.owners, store, user);
      return owner ?? user;
    }),
    openFeed: step((user: string, feed: string) => {
      if (!tenant.feeds.has(user)) setIn(tenant.feeds, user, { feed, head: 0, floor: 0, rows: [] });
      return feedState(tenant, user)!;
    }),
    appendFeed: step((user: string, row: Parameters<StoreTransaction['appendFeed']>[1]) => {
      const feed = tenant.feeds.get(user);
      if (feed === undefined) throw new SyncFault('STORAGE_FAILED', 'the feed was not opened');
      const position = ++feed.head;
      feed.rows.push({ ...row, position });
      undo.push(() => {
        feed.head--;
        feed.rows.pop();
      });
      return position;
    }),
    prune: step(({ feedBefore, receiptsBefore }: Parameters<StoreTransaction['prune']>[0]) => {
      for (const [user, feed] of tenant.feeds) {
        const floor = (oldestPosition(feed, feedBefore) ?? feed.head + 1) - 1;
        if (floor > feed.floor) setIn(tenant.feeds, user, { ...feed, floor, rows: feed.rows.filter(({ position }) => position > floor) });
      }
      for (const [key, receipt] of tenant.receipts) {
        if (receipt.createdAt >= receiptsBefore) continue;
        undo.push(() => void tenant.receipts.set(key, receipt));
        tenant.receipts.delete(key);
      }
    }),
    putFact: step((fact: Fact) => setFact(fact.kind, fact.key, fact)),
    putFacts: step((facts: readonly Fact[]) => {
      for (const fact of facts) setFact(fact.kind, fact.key, fact);
    }),
    removeFact: step((kind: string, key: string) => setFact(kind, key, null)),
    pruneFacts: step((kind: string, before: number) => {
      for (const { key, createdAt } of tenant.facts.all(kind)) if (createdAt < before) setFact(kind, key, null);
    }),
    raiseEpoch: step(() => {
      const old = tenant.epoch;
      undo.push(() => void (tenant.epoch = old));
      return ++tenant.epoch;
    }),
  };

  return {
    transaction,
    end(how) {
      if (!isOpen) return;
      isOpen = false;
      if (how === 'rollback') for (const back of undo.reverse()) back();
    },
  };
}

function outlineOf({ object, id, version, isDeleted, parentId, row }: StoredRecord): RecordOutline {
  return { object, id, version, isDeleted, parentId, byteLength: row.length };
}

function feedState({ feeds, epoch }: MemoryTenant, user: string): FeedState | null {
  const feed = feeds.get(user);
  return feed === undefined ? null : { feed: feed.feed, epoch, head: feed.head, floor: feed.floor };
}

function oldestPosition(feed: MemoryFeed | undefined, since: number): number | null {
  return feed?.rows.find(({ position, createdAt }) => position > feed.floor && createdAt >= since)?.position ?? null;
}

function receiptText({ user, store, number }: ReceiptKey): string {
  return `${user}\0${store}\0${number}`;
}
