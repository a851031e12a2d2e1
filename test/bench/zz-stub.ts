import { createServer } from 'node:http';
import { createSyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { ordersSchema as schema } from '../support/orders.ts';
const base = memory();
const store = { ...base, read: async (_t: string, work: any) => work({ readHeads: async (ds: any[]) => ds.map((d) => { const n = (d.user ?? d).replace(/\D+/, ''); return { feed: { feed: 'feed' + n, epoch: 1, head: Number(n) % 50, floor: 0 }, owner: 'user-' + n, hasFact: false }; }) }) };
const server = createSyncServer({ schema, store: store as any, authenticate: ({ headers }) => ({ tenant: 'bench', user: JSON.parse(Buffer.from(headers.authorization!.slice(7).split('.')[0]!, 'base64url').toString()).sub }), authCache: { forMs: 3_600_000 }, nextPollMs: 30_000 });
const listener = createServer(server.nodeListener).listen(0, '127.0.0.1', () => process.stdout.write(`${(listener.address() as { port: number }).port}\n`));
