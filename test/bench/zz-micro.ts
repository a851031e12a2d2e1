import { createSyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { pollRequest, DEVICES } from './polls-input.ts';
const base = memory();
const store = { ...base, read: async (_t: string, work: any) => work({ readHeads: async (ds: any[]) => ds.map((d) => { const n = (d.user ?? d).replace(/\D+/, ''); return { feed: { feed: 'feed' + n, epoch: 1, head: Number(n) % 50, floor: 0 }, owner: 'user-' + n, hasFact: false }; }) }) };
const server = createSyncServer({ schema, store: store as any, authenticate: ({ headers }) => ({ tenant: 'bench', user: JSON.parse(Buffer.from(headers.authorization!.slice(7).split('.')[0]!, 'base64url').toString()).sub }), authCache: { forMs: 3_600_000 }, nextPollMs: 30_000 });
const reqs = Array.from({ length: 2000 }, (_, d) => { const text = pollRequest(d).toString().split('\r\n'); return { method: 'GET', url: text[0]!.split(' ')[1]!, headers: Object.fromEntries(text.slice(1).filter(Boolean).map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 2)])), complete: true, on() {}, resume() {} }; });
let done = 0, n = 0, bad = 0;
const res = () => ({ on() {}, writeHead(s: number) { if (s !== 204) bad++; }, write() {}, end() { done++; } });
async function run(total: number) {
  let left = total; const t0 = process.cpuUsage();
  await new Promise<void>((resolve) => {
    let out = 0;
    const one = () => { if (left-- <= 0) { if (out === 0) resolve(); return; } out++; const r = res(); r.end = () => { out--; done++; setImmediate ? one() : 0; }; server.nodeListener(reqs[n++ % 2000]! as any, r as any); };
    for (let i = 0; i < 128; i++) one();
  });
  const c = process.cpuUsage(t0); return (c.user + c.system) / total;
}
await run(30000);
const s: number[] = []; for (let i = 0; i < 7; i++) s.push(await run(20000));
console.log(process.argv[2] ?? '', 'µs/poll', s.map((x) => x.toFixed(1)).join(' '), 'min', Math.min(...s).toFixed(1), 'bad', bad, server ? DEVICES : 0);
process.exit(0);
