import type { DeviceHead, DeviceKey, FeedState } from '../server-store.ts';
import type { Sql, SqlRow } from './sql.ts';

/** The setting that counts restores. */
export const EPOCH_KEY = 'epoch';

// Three look-ups by primary key that need nothing of each other, in one statement: joined to the list that was asked for they would be an
// outer join to it, which engines that distribute tables by tenant refuse. The lists are unfolded so that the planner does not see how long
// they are: from about a hundred on it would read a whole table of some thousand rows instead.
const READ_HEADS = `
  select 0 as part, f.user_id as key, f.feed, f.head, f.floor, s.value as epoch from fieldtide_feed f
  left join fieldtide_setting s on s.tenant = $1 and s.key = $2
  where f.tenant = $1 and f.user_id = any(array(select unnest($3::text[])))
  union all select 1, d.store, d.user_id, null, null, null from fieldtide_device d
  where d.tenant = $1 and d.store = any(array(select unnest($4::text[])))
  union all select 2, x.key, null, null, null, null from fieldtide_fact x
  where x.tenant = $1 and x.kind = $5 and x.key = any(array(select unnest($4::text[])))`;

/** What polls with nothing new are answered from, for many devices in one statement. */
export async function readHeads(sql: Sql, tenant: string, devices: readonly DeviceKey[], kind: string): Promise<readonly DeviceHead[]> {
  const users = [...new Set(devices.map(({ user }) => user))];
  const rows = await sql.query(READ_HEADS, [tenant, EPOCH_KEY, users, devices.map(({ store }) => store), kind]);
  const feeds = new Map<string, FeedState>(), owners = new Map<string, string>(), marked = new Set<string>();
  for (const row of rows) {
    const key = row.key as string;
    if (row.part === 0) feeds.set(key, readFeed(row)!);
    else if (row.part === 1) owners.set(key, row.feed as string);
    else marked.add(key);
  }
  return devices.map(({ user, store }) => ({ feed: feeds.get(user) ?? null, owner: owners.get(store) ?? null, hasFact: marked.has(store) }));
}

/** Reads the row of a feed, with the epoch of its tenant. */
export function readFeed(row: SqlRow | null): FeedState | null {
  return row === null ? null : { feed: row.feed as string, epoch: (row.epoch as number | null) ?? 1, head: row.head as number, floor: row.floor as number };
}
