// W7: how many polls with nothing new does a second of processor time answer, the database included and the token check cached? At least
// 20,000; and at least 2.5 times as many as with a query for each. Server, database and the devices are processes of their own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { startPostgres } from '../support/postgres-server.ts';
import { postgres } from '../../src/server/store/postgres.ts';
import { DEVICES, FEED_ROWS, pollRequest } from './polls-input.ts';

const sidesPids = new Map<number, string>(); const CONNECTIONS = 128;
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const ROUND_MS = Number(process.env.ROUND_MS ?? 2_000);
/** What `/proc` counts in, on every Linux of today. */
const TICK_MS = 10;

interface Side {
  readonly name: string;
  readonly process: ChildProcess;
  readonly port: number;
  readonly samples: { readonly polls: number; readonly nodeMs: number; readonly databaseMs: number }[];
}

const ANSWER = /^HTTP\/1\.1 (\d+)/;

/** Devices that poll one after another over a connection that stays open, until told to stop. */
function pollOver(port: number, requests: readonly Buffer[], first: number): { stop(): Promise<number>; readonly failed: () => string | null } {
  const socket: Socket = connect(port, '127.0.0.1');
  let polls = 0, device = first, isStopping = false, failure: string | null = null;
  let ended: () => void;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const next = (): void => {
    if (isStopping) return void socket.end(() => ended());
    device = (device + 7_919) % requests.length;
    socket.write(requests[device]!);
  };
  socket.setNoDelay();
  socket.on('connect', next);
  socket.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    if (!text.endsWith('\r\n\r\n')) return; // An answer without body ends with its headers.
    if (ANSWER.exec(text)?.[1] !== '204') failure ??= text.slice(0, 200);
    polls++;
    next();
  });
  return {
    async stop() {
      isStopping = true;
      await end;
      return polls;
    },
    failed: () => failure,
  };
}

async function load(port: number, requests: readonly Buffer[], forMs: number): Promise<number> {
  const lines = Array.from({ length: CONNECTIONS }, (_, index) => pollOver(port, requests, index * 157));
  await new Promise((resolve) => setTimeout(resolve, forMs));
  const counts = await Promise.all(lines.map((line) => line.stop()));
  const failure = lines.map((line) => line.failed()).find((text) => text !== null);
  if (failure !== undefined) throw new Error(`a poll was not answered 204: ${failure}`);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** User and system time of some processes so far, by process; one that has ended has none. */
function cpuMs(pids: readonly number[]): ReadonlyMap<number, number> {
  return new Map(
    pids.flatMap((pid): [number, number][] => {
      if (!existsSync(`/proc/${pid}/stat`)) return [];
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
      if (process.env.SPLIT && sidesPids.has(pid)) console.log(sidesPids.get(pid), "user", fields[11], "sys", fields[12]); return [[pid, (Number(fields[11]) + Number(fields[12])) * TICK_MS]];
    }),
  );
}

/** Processes that began meanwhile count whole; those that ended meanwhile had nothing to do. */
function spentMs(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return [...after].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
}

async function startSide(name: string, url: string, mode: string, program: string): Promise<Side> {
  const child = spawn(process.execPath, ['--max-semi-space-size=32', program, mode, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  sidesPids.set(child.pid!, name); return { name, process: child, port: Number(port.toString()), samples: [] };
}

async function main(): Promise<void> {
  const database = await startPostgres({ shared_buffers: '128MB' });
  const url = await database.createDatabase();
  const store = postgres({ url });
  await store.ready;
  await store.close();
  for (const statement of FEED_ROWS) await database.query(url, statement);
  const requests = Array.from({ length: DEVICES }, (_, device) => pollRequest(device));
  const sides = []; for (const spec of process.env.SIDES!.split(',')) { const [name, mode, program] = spec.split('='); sides.push(await startSide(name!, url, mode!, program!)); }
  const backends = async (): Promise<number[]> => (await database.query(url, 'select pid from pg_stat_activity where pid <> pg_backend_pid()')).map(({ pid }) => pid as number);
  try {
    for (const { port } of sides) await load(port, requests, Number(process.env.WARM ?? 6_000)); if (process.env.PROF) for (const side of sides) side.process.kill('SIGUSR2'); // Warm-up: code, caches, and each token checked once.
    for (let round = 0; round < ROUNDS; round++) {
      for (const side of sides) {
        const node = cpuMs([side.process.pid!]), others = cpuMs(await backends());
        const polls = await load(side.port, requests, ROUND_MS);
        side.samples.push({ polls, nodeMs: spentMs(node, cpuMs([side.process.pid!])), databaseMs: spentMs(others, cpuMs(await backends())) });
      }
    }
  } finally {
    for (const side of sides) { side.process.kill(); } await new Promise((r) => setTimeout(r, 1500));
    await database.stop();
  }
  report(sides);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(sides: readonly Side[]): void {
  const rates = sides.map(({ samples }) => samples.map(({ polls, nodeMs, databaseMs }) => (polls / (nodeMs + databaseMs)) * 1_000));
  console.log(`\nW7: polls with nothing new, ${DEVICES} devices over ${CONNECTIONS} connections (${ROUNDS} rounds of ${ROUND_MS / 1_000} s, median)`);
  console.table(
    sides.map(({ name, samples }, index) => ({
      'look-ups': name,
      'polls a second': median(samples.map(({ polls }) => (polls / ROUND_MS) * 1_000)).toFixed(0),
      'server, µs a poll': median(samples.map(({ polls, nodeMs }) => (nodeMs / polls) * 1_000)).toFixed(1),
      'min server': Math.min(...samples.map(({ polls, nodeMs }) => (nodeMs / polls) * 1_000)).toFixed(1), 'min db': Math.min(...samples.map(({ polls, databaseMs }) => (databaseMs / polls) * 1_000)).toFixed(1), 'database, µs a poll': median(samples.map(({ polls, databaseMs }) => (databaseMs / polls) * 1_000)).toFixed(1),
      'polls a CPU-second': median(rates[index]!).toFixed(0),
      'ratio': index === 0 ? '1' : `${median(rates[index]!.map((rate, round) => rate / rates[0]![round]!)).toFixed(2)} x`,
    })),
  );
}

const mine0 = process.cpuUsage(); const w0 = performance.now(); await main(); const mine = process.cpuUsage(mine0); console.log('load generator cpu share', ((mine.user + mine.system) / 1000 / (performance.now() - w0)).toFixed(2));
