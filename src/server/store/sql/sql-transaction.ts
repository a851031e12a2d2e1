import type { Layout } from '../../../protocol/layout.ts';
import type { WireLayout } from '../../../protocol/messages.ts';
import { parseLayouts, wireLayout } from '../../../protocol/wire-layout.ts';
import { keyText, type FeedRow, type RecordKey, type StoreTransaction } from '../server-store.ts';
import { createFactStatements } from './fact-rows.ts';
import { EPOCH_KEY, readFeed, readHeads } from './feed-heads.ts';
import { createRecords, OUTLINE_COLUMNS, putRecords, readOutline, readRecord, RECORD_COLUMNS } from './record-rows.ts';
import type { FeedRetention, Sql, SqlRow } from './sql.ts';

const BY_KEY = `from unnest($2::text[], $3::text[]) as k (object, id)
  join fieldtide_record r on r.tenant = $1 and r.object = k.object and r.id = k.id
  where r.tenant = $1 order by r.object, r.id`;
const GET_RECORDS = `select ${RECORD_COLUMNS} ${BY_KEY}`;
const GET_OUTLINES = `select ${OUTLINE_COLUMNS} ${BY_KEY}`;

/** Layouts that are known to be stored, by tenant and hash. What a transaction adds counts once it has committed. */
export interface KnownLayouts {
  has(tenant: string, hash: string): boolean;
  add(tenant: string, hash: string): void;
}

/** The store's reads and writes of one tenant, as statements. Each is one statement per table, however many rows it concerns. */
export function createSqlTransaction(sql: Sql, tenant: string, known: KnownLayouts, retention: FeedRetention = 'delete'): StoreTransaction {
  /** Where rows are deleted one by one: days go with their partitions. */
  const deletable = retention === 'partition' ? 'fieldtide_feed_row_rest' : 'fieldtide_feed_row';
  const one = async (text: string, ...values: Parameters<Sql['query']>[1]): Promise<SqlRow | null> => (await sql.query(text, [tenant, ...values]))[0] ?? null;
  const all = (text: string, ...values: Parameters<Sql['query']>[1]): Promise<readonly SqlRow[]> => sql.query(text, [tenant, ...values]);

  async function getRecords(keys: readonly RecordKey[], suffix = '') {
    if (keys.length === 0) return [];
    return (await all(GET_RECORDS + suffix, keys.map(({ object }) => object), keys.map(({ id }) => id))).map(readRecord);
  }

  /** The keys that were to be locked and have no row. */
  const missing = new Set<string>();

  async function lockRecords(keys: readonly RecordKey[]) {
    const found = await getRecords(keys, ' for update of r');
    for (const key of keys) missing.add(keyText(key));
    for (const record of found) missing.delete(keyText(record));
    return found;
  }

  async function keepLayouts(layouts: readonly Layout[]): Promise<void> {
    const distinct = [...new Map(layouts.map((layout) => [layout.hash, layout])).values()].filter(({ hash }) => !known.has(tenant, hash));
    if (distinct.length === 0) return;
    await all(
      `insert into fieldtide_layout (tenant, hash, content) select $1, l.hash, l.content::jsonb from unnest($2::text[], $3::text[]) as l (hash, content)
       on conflict (tenant, hash) do nothing`,
      distinct.map(({ hash }) => hash),
      distinct.map((layout) => JSON.stringify(wireLayout(layout))),
    );
    for (const { hash } of distinct) known.add(tenant, hash);
  }

  const transaction: StoreTransaction = {
    ...createFactStatements(sql, tenant),
    async epoch() {
      return ((await one('select value from fieldtide_setting where tenant = $1 and key = $2', EPOCH_KEY))?.value as number | undefined) ?? 1;
    },
    getRecords: (keys) => getRecords(keys),
    lockRecords,
    async scanRecords(object, afterId, limit) {
      const rows = await all(
        `select ${RECORD_COLUMNS} from fieldtide_record r
         where r.tenant = $1 and r.object = $2 and r.id > $3 and not r.is_deleted order by r.id limit $4`,
        object, afterId ?? '', limit,
      );
      return rows.map(readRecord);
    },
    async listChildren(object, parentId) {
      const rows = await all(
        `select ${RECORD_COLUMNS} from fieldtide_record r
         where r.tenant = $1 and r.object = $2 and r.parent_id = $3 and not r.is_deleted order by r.id`,
        object, parentId,
      );
      return rows.map(readRecord);
    },
    async outlines(keys) {
      if (keys.length === 0) return [];
      return (await all(GET_OUTLINES, keys.map(({ object }) => object), keys.map(({ id }) => id))).map(readOutline);
    },
    async childOutlines(object, parentIds) {
      if (parentIds.length === 0) return [];
      const rows = await all(
        `select ${OUTLINE_COLUMNS} from fieldtide_record r
         where r.tenant = $1 and r.object = $2 and r.parent_id = any($3::text[]) and not r.is_deleted order by r.id`,
        object, parentIds,
      );
      return rows.map(readOutline);
    },
    async findByRecordId(object, recordId) {
      const row = await one(`select ${RECORD_COLUMNS} from fieldtide_record r where r.tenant = $1 and r.object = $2 and r.record_id = $3 order by r.id limit 1`, object, recordId);
      return row === null ? null : readRecord(row);
    },
    async getLayout(hash) {
      const row = await one('select content from fieldtide_layout where tenant = $1 and hash = $2', hash);
      return row === null ? null : parseLayouts([row.content as WireLayout])[0]!;
    },
    async getFeed(user) {
      return readFeed(await one(
        `select f.feed, f.head, f.floor, s.value as epoch from fieldtide_feed f
         left join fieldtide_setting s on s.tenant = $1 and s.key = $3
         where f.tenant = $1 and f.user_id = $2`,
        user, EPOCH_KEY,
      ));
    },
    readHeads: (stores, kind) => readHeads(sql, tenant, stores, kind),
    async oldestFeedPosition(user, since) {
      const row = await one(
        `select r.position from fieldtide_feed_row r join fieldtide_feed f on f.tenant = $1 and f.user_id = $2
         where r.tenant = $1 and r.user_id = $2 and r.position > f.floor and r.created_at >= $3 order by r.position limit 1`,
        user, since,
      );
      return row === null ? null : (row.position as number);
    },
    async listFeed(user, after, limit) {
      const rows = await all(
        `select r.position, r.created_at, r.store, r.number, r.records from fieldtide_feed_row r
         where r.tenant = $1 and r.user_id = $2 and r.position > $3 order by r.position limit $4`,
        user, after, limit,
      );
      return rows.map(readFeedRow);
    },
    async getReceipt({ user, store, number }) {
      const row = await one('select hash, created_at, result from fieldtide_receipt where tenant = $1 and user_id = $2 and store = $3 and number = $4', user, store, number);
      return row === null ? null : { hash: row.hash as string, createdAt: row.created_at as number, result: row.result as Uint8Array };
    },
    async storeOwner(store) {
      return ((await one('select user_id from fieldtide_device where tenant = $1 and store = $2', store))?.user_id as string | undefined) ?? null;
    },

    async putRecords(writes) {
      if (writes.length === 0) return;
      await keepLayouts(writes.map(({ layout }) => layout));
      const created = writes.filter((write) => missing.has(keyText(write))), others = writes.filter((write) => !missing.has(keyText(write)));
      if (created.length > 0) await createRecords(sql, tenant, created);
      if (others.length > 0) await putRecords(sql, tenant, others);
      for (const write of created) missing.delete(keyText(write));
    },
    async nextNumber(object, field) {
      const row = await one(
        `insert into fieldtide_counter as c (tenant, object, field, value) values ($1, $2, $3, 1)
         on conflict (tenant, object, field) do update set value = c.value + 1 returning value`,
        object, field,
      );
      return row!.value as number;
    },
    async claimReceipt({ user, store, number }) {
      const claimed = await one(
        `insert into fieldtide_receipt (tenant, user_id, store, number, hash, created_at, result) values ($1, $2, $3, $4, '', 0, '')
         on conflict (tenant, user_id, store, number) do nothing returning number`,
        user, store, number,
      );
      return claimed === null ? transaction.getReceipt({ user, store, number }) : null;
    },
    async putReceipt({ user, store, number }, { hash, createdAt, result }) {
      await all(
        `insert into fieldtide_receipt (tenant, user_id, store, number, hash, created_at, result) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant, user_id, store, number) do update set hash = excluded.hash, created_at = excluded.created_at, result = excluded.result`,
        user, store, number, hash, createdAt, result,
      );
    },
    async claimStore(store, user) {
      await all('insert into fieldtide_device (tenant, store, user_id) values ($1, $2, $3) on conflict (tenant, store) do nothing', store, user);
      return (await transaction.storeOwner(store))!;
    },
    async openFeed(user, feed) {
      await all('insert into fieldtide_feed (tenant, user_id, feed, head, floor) values ($1, $2, $3, 0, 0) on conflict (tenant, user_id) do nothing', user, feed);
      return (await transaction.getFeed(user))!;
    },
    async appendFeed(user, { createdAt, store, number, records }) {
      // The head's row is locked from here to the commit: positions are dense and in the order of commits.
      const head = await one('update fieldtide_feed set head = head + 1 where tenant = $1 and user_id = $2 returning head', user);
      const position = head!.head as number;
      await all(
        'insert into fieldtide_feed_row (tenant, user_id, position, created_at, store, number, records) values ($1, $2, $3, $4, $5, $6, $7::jsonb)',
        user, position, createdAt, store, number, JSON.stringify(records.map(({ object, id }) => [object, id])),
      );
      return position;
    },
    async prune({ feedBefore, receiptsBefore }) {
      await all('delete from fieldtide_receipt where tenant = $1 and created_at < $2', receiptsBefore);
      for (const { user_id } of await all(`select distinct user_id from ${deletable} where tenant = $1 and created_at < $2 order by user_id`, feedBefore)) {
        await pruneFeed(user_id as string, feedBefore);
      }
    },
    async raiseEpoch() {
      const row = await one(
        'insert into fieldtide_setting as s (tenant, key, value) values ($1, $2, 2) on conflict (tenant, key) do update set value = s.value + 1 returning value',
        EPOCH_KEY,
      );
      return row!.value as number;
    },
  };

  async function pruneFeed(user: string, before: number): Promise<void> {
    const feed = (await transaction.getFeed(user))!;
    const oldest = await transaction.oldestFeedPosition(user, before);
    const floor = oldest === null ? feed.head : oldest - 1;
    await all('update fieldtide_feed set floor = $3 where tenant = $1 and user_id = $2 and floor < $3', user, floor);
    await all(`delete from ${deletable} where tenant = $1 and user_id = $2 and position <= $3`, user, floor);
  }

  return transaction;
}

function readFeedRow(row: SqlRow): FeedRow {
  return {
    position: row.position as number,
    createdAt: row.created_at as number,
    store: row.store as string,
    number: row.number as number,
    records: (row.records as readonly [string, string][]).map(([object, id]) => ({ object, id })),
  };
}
