// One server of the poll benchmark, as a process of its own: its CPU time is the server's alone.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { createSyncServer } from '../../src/server/index.ts';
import { postgres } from '../../src/server/store/postgres.ts';
import type { ServerStore } from '../../src/server/store/server-store.ts';
import { readHeads } from '../../src/server/store/sql/feed-heads.ts';
import type { Sql } from '../../src/server/store/sql/sql.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { TENANT, TOKEN_SECRET } from './polls-input.ts';

/** Starts a server and says on standard output where it listens. */
export async function servePolls(url: string, isCoalesced: boolean): Promise<void> {
  const store = postgres({ url });
  await store.ready;
  const server = createSyncServer({
    schema,
    store: isCoalesced ? store : withoutCoalescing(store, url),
    authenticate: ({ headers }) => verify(headers.authorization ?? ''),
    authCache: { forMs: 3_600_000 },
    nextPollMs: 30_000,
  });
  const listener = createServer(server.nodeListener).listen(0, '127.0.0.1', () => process.stdout.write(`${(listener.address() as { port: number }).port}\n`));
}

function verify(header: string): { readonly tenant: string; readonly user: string } | null {
  const [payload = '', signature = ''] = header.slice('Bearer '.length).split('.');
  const expected = createHmac('sha256', TOKEN_SECRET).update(payload).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  return { tenant: TENANT, user: (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub };
}

/** The way without it: one statement for each poll, on whichever of ten connections is free; not even a transaction around it. */
function withoutCoalescing(store: ServerStore, url: string): ServerStore {
  pg.types.setTypeParser(20, Number);
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  const sql: Sql = { query: async (text, values) => (await pool.query<Record<string, unknown>>(text, [...values])).rows };
  return {
    ...store,
    read: (tenant, work) =>
      store.read(tenant, (view) =>
        work({ ...view, readHeads: async (devices, kind) => (await Promise.all(devices.map((device) => readHeads(sql, tenant, [device], kind)))).flat() }),
      ),
  };
}
