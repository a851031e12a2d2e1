import type { DeviceHead, FeedState } from '../server-store.ts';
import type { Sql, SqlRow } from './sql.ts';

/** The setting that counts restores. */
export const EPOCH_KEY = 'epoch';

// A row for each device, found by primary keys. To the list that was asked for it is not joined: that would be an outer join to it, which
// engines that distribute tables by tenant refuse. The list is unfolded so that the planner does not see how long it is: from about a
// hundred on it would read whole tables of some thousand rows instead.
const READ_HEADS = `
  select d.store, d.user_id, f.feed, f.head, f.floor, x.key is not null as marked,
    (select s.value from fieldtide_setting s where s.tenant = $1 and s.key = $2) as epoch
  from fieldtide_device d
  left join fieldtide_feed f on f.tenant = d.tenant and f.user_id = d.user_id
  left join fieldtide_fact x on x.tenant = d.tenant and x.kind = $4 and x.key = d.store
  where d.tenant = $1 and d.store = any(array(select unnest($3::text[])))`;

const UNKNOWN: DeviceHead = { feed: null, owner: null, hasFact: false };

/** What polls with nothing new are answered from, for many devices in one statement. */
export async function readHeads(sql: Sql, tenant: string, stores: readonly string[], kind: string): Promise<readonly DeviceHead[]> {
  const found = new Map<string, DeviceHead>();
  for (const row of await sql.query(READ_HEADS, [tenant, EPOCH_KEY, stores, kind])) {
    found.set(row.store as string, { feed: row.feed === null ? null : readFeed(row), owner: row.user_id as string, hasFact: row.marked as boolean });
  }
  return stores.map((store) => found.get(store) ?? UNKNOWN);
}

/** Reads the row of a feed, with the epoch of its tenant. */
export function readFeed(row: SqlRow | null): FeedState | null {
  return row === null ? null : { feed: row.feed as string, epoch: (row.epoch as number | null) ?? 1, head: row.head as number, floor: row.floor as number };
}
