import { startPostgres } from '../support/postgres-server.ts';
import { postgres } from '../../src/server/store/postgres.ts';
import { readHeads } from '../../src/server/store/sql/feed-heads.ts';
import { FEED_ROWS } from './polls-input.ts';
import { readFileSync } from 'node:fs';
import pg from 'pg';
pg.types.setTypeParser(20, Number);
const JOINED = `
  select d.store, d.user_id, f.feed, f.head, f.floor, x.key is not null as marked, (select value from fieldtide_setting s where s.tenant = $1 and s.key = $2) as epoch
  from fieldtide_device d left join fieldtide_feed f on f.tenant = d.tenant and f.user_id = d.user_id
  left join fieldtide_fact x on x.tenant = d.tenant and x.kind = $4 and x.key = d.store
  where d.tenant = $1 and d.store = any(array(select unnest($3::text[])))`;
const AGG = `select json_agg(json_build_array(store, user_id, feed, head, floor, marked)) as rows, (select value from fieldtide_setting s where s.tenant = $1 and s.key = $2) as epoch from (
  select d.store, d.user_id, f.feed, f.head, f.floor, x.key is not null as marked
  from fieldtide_device d left join fieldtide_feed f on f.tenant = d.tenant and f.user_id = d.user_id
  left join fieldtide_fact x on x.tenant = d.tenant and x.kind = $4 and x.key = d.store
  where d.tenant = $1 and d.store = any(array(select unnest($3::text[])))) q`;
const ARR = `select array_agg(store) as a, array_agg(user_id) as b, array_agg(feed) as c, array_agg(head) as d, array_agg(floor) as e, array_agg(marked) as f, (select value from fieldtide_setting s where s.tenant = $1 and s.key = $2) as epoch from (
  select d.store, d.user_id, f.feed, f.head, f.floor, x.key is not null as marked
  from fieldtide_device d left join fieldtide_feed f on f.tenant = d.tenant and f.user_id = d.user_id
  left join fieldtide_fact x on x.tenant = d.tenant and x.kind = $4 and x.key = d.store
  where d.tenant = $1 and d.store = any(array(select unnest($3::text[])))) q`;
const database = await startPostgres({ shared_buffers: '128MB' });
const url = await database.createDatabase();
const store = postgres({ url }); await store.ready; await store.close();
for (const s of FEED_ROWS) await database.query(url, s);
const client = new pg.Client({ connectionString: url }); await client.connect();
const pid = (await client.query('select pg_backend_pid() as pid')).rows[0].pid;
const be = () => { const f = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' '); return Number(f[0]) / 1000; };
const sql = { query: async (text: string, values: any) => (await client.query(text, [...values])).rows };
const types = { getTypeParser: (t: number) => (t === 20 || t === 23 ? Number : t === 16 ? (x: string) => x === 't' : (x: string) => x) } as any;
const sqlT = { query: async (text: string, values: any) => (await client.query({ text, values: [...values], types })).rows };
let at = 0;
const batch = (n: number) => Array.from({ length: n }, () => { at = (at + 7919) % 20000; return { user: `user-${at}`, store: `store-${at}` }; });
const ways: Record<string, (b: any[]) => Promise<unknown>> = {
  now: (b) => readHeads(sqlT, 'bench', b, 'revoked'),
  nowTx: async (b) => { await client.query("begin isolation level repeatable read read only; set local statement_timeout = 30000; set local idle_in_transaction_session_timeout = 60000; set local bytea_output = 'hex'"); await readHeads(sqlT, 'bench', b, 'revoked'); await client.query('commit'); },
  joined: async (b) => { const r = await sqlT.query(JOINED, ['bench', 'epoch', b.map((x) => x.store), 'revoked']); if (r.length !== b.length) throw new Error('x'); return r; },
  joinedArrayMode: async (b) => { const r = (await client.query({ text: JOINED, values: ['bench', 'epoch', b.map((x) => x.store), 'revoked'], types, rowMode: 'array' })).rows; if (r.length !== b.length) throw new Error('x'); return r; },
  joinedNamed: async (b) => (await client.query({ name: 'q', text: JOINED, values: ['bench', 'epoch', b.map((x) => x.store), 'revoked'], types })).rows,
  agg: async (b) => { const r = await sqlT.query(AGG, ['bench', 'epoch', b.map((x) => x.store), 'revoked']); const rows = JSON.parse(r[0].rows); if (rows.length !== b.length) throw new Error('x'); },
  arr: async (b) => { await sqlT.query(ARR, ['bench', 'epoch', b.map((x) => x.store), 'revoked']); },
};
if (process.argv[2] === 'explain') { console.log((await client.query('explain (analyze, buffers) ' + JOINED.replaceAll('$1', "'bench'").replaceAll('$2', "'epoch'").replaceAll('$3', `array[${batch(128).map((x) => `'${x.store}'`).join()}]`).replaceAll('$4', "'revoked'"))).rows.map((r) => r['QUERY PLAN']).join('\n')); }
for (const size of [16, 128]) {
  const table: any = {};
  for (let round = 0; round < 4; round++) for (const [name, way] of Object.entries(ways)) {
    const times = Math.floor(8000 / size);
    const c0 = process.cpuUsage(), b0 = be();
    for (let i = 0; i < times; i++) await way(batch(size));
    const c = process.cpuUsage(c0), b1 = be();
    const t = (table[name] ??= { node: 1e9, db: 1e9 });
    t.node = Math.min(t.node, (c.user + c.system) / times / size); t.db = Math.min(t.db, (b1 - b0) / times / size);
  }
  console.log(size); console.table(Object.fromEntries(Object.entries(table).map(([k, v]: any) => [k, { node: v.node.toFixed(2), db: v.db.toFixed(2), sum: (v.node + v.db).toFixed(2) }])));
}
await client.end(); await database.stop();
