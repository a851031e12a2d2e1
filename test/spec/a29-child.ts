// A server process with its share of the writers and with pollers: says that it is ready, waits for the word, says when its writers are
// done, and after the next word prints what was saved and what was seen.
import { once } from 'node:events';
import pg from 'pg';
import { postgres } from '../../src/server/store/postgres.ts';
import { platformClock } from '../../src/shared/platform.ts';
import { createSeededRandom, createWorld } from '../server/harness.ts';
import { poll, TENANT, troubled, withSequence, write, type Saved, type Seen } from './a29-feed-race.ts';

const [url = '', variant = '', users = '', saves = '', ...writers] = process.argv.slice(2);
const random = createSeededRandom(Number(writers[0]) + 1);
const pool = new pg.Pool({ connectionString: url, max: 20, connectionTimeoutMillis: 30_000 });
pool.on('error', () => {}); // The server may be stopped first.
const trouble = variant === 'sequence' ? { slowestMs: 200, rewrite: withSequence } : { slowestMs: 40, rewrite: (statement: string) => statement };
const store = postgres({ pool: troubled(pool, { random, ...trouble }) });
for (let attempt = 1; attempt < 20 && !(await store.ready.then(() => true, () => store.durability().then(() => true, () => false))); attempt++);
const world = createWorld({ store, tenant: TENANT, clock: platformClock });
const names = Array.from({ length: Number(users) }, (_, index) => `user-${index}`);
const userOf = (writer: string): string => names[Number(writer) % names.length]!;

process.stdout.write('ready\n');
await once(process.stdin, 'data');
let isStopping = false;
const polling = Promise.all(names.map((user) => poll(world.device(user, `${user}-poller-${writers[0]}`), user, random, () => isStopping)));
const saved: Saved[] = (await Promise.all(writers.map((writer) => write(world.device(userOf(writer), `writer-${writer}`), userOf(writer), Number(saves))))).flat();
process.stdout.write('written\n');
await once(process.stdin, 'data');
isStopping = true;
const seen: readonly Seen[] = await polling;
process.stdout.write(`${JSON.stringify({ saved, seen })}\n`);
await world.server.close();
await store.close();
await pool.end();
process.stdin.destroy();
