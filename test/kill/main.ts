/**
 * Kills the demo's kind of server (PGlite in a folder) and a Node client (a file of its own) with SIGKILL at random moments, and accounts
 * for every save. Each is killed as often as `--rounds` says; a seed repeats who is killed when and what is saved, though not how far
 * each process has come by then.
 *
 *     node scripts/run-ts.mjs test/kill/main.ts [--rounds 50] [--seed N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as RunTs from '../../scripts/run-ts.mjs';
import { createSeededRandom } from '../support/seeded-random.ts';
import type { ClientMessage } from './client-messages.ts';
import { judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { startVictim, type Victim } from './victim.ts';

// Not bundled into this program: it looks for the repository from where it lies.
const { bundleProgram } = (await import(new URL('../../scripts/run-ts.mjs', import.meta.url).href)) as typeof RunTs;
const PATIENCE_MS = 120_000;
const rounds = Number(readOption('rounds') ?? 50);
const seed = Number(readOption('seed') ?? Math.floor(Math.random() * 1_000_000));
const random = createSeededRandom(seed);
const between = (least: number, most: number): number => least + Math.floor(random.next() * (most - least + 1));

const folder = mkdtempSync(join(tmpdir(), 'fieldtide-kill-'));
const [serverFolder, clientFolder, seedFolder] = [join(folder, 'server'), join(folder, 'client'), join(folder, 'seed')];
const [serverProgram, clientProgram] = [await bundleProgram('test/kill/server-process.ts'), await bundleProgram('test/kill/client-process.ts')];
const port = await findFreePort();
const startedAt = performance.now();

const ledger = new Ledger();
const problems: string[] = [];
let drained: Extract<ClientMessage, { kind: 'drained' }> | null = null;
const kills = { server: 0, client: 0 };
let starts = 0;
/** Entries that the server answered. */
let settled = 0;

console.log(`kill: each of server and client ${rounds} times, seed ${seed}`);
let server = startServer();
await server.ready;
let client = startClient();
await client.ready;

while (kills.server < rounds || kills.client < rounds) {
  const victim = kills.client >= rounds || (kills.server < rounds && random.next() < 0.5) ? 'server' : 'client';
  // Mostly while both are at work; sometimes while the victim of the last round still starts.
  if (random.next() < 0.25) await pause(between(0, 900));
  else await letWork(between(1, 20), between(0, 60));
  kills[victim]++;
  if (victim === 'server') {
    await server.kill();
    server = startServer();
    void server.ready.then(() => client.tell('wake'));
  } else {
    await client.kill();
    client = startClient();
  }
  if ((kills.server + kills.client) % 10 === 0) console.log(`kill: ${kills.server} servers, ${kills.client} clients, ${ledger.acknowledged.length} saves acknowledged`);
}

await Promise.all([server.ready, client.ready]);
client.tell('drain');
await until(() => drained !== null, 'the client settles everything');
client.tell('end');
await client.end(null);
await server.end('SIGTERM');

const { failed, passed, summary } = await judge({ ledger, drained: drained!, restartProblems: problems, serverFolder, seedFolder });
console.log(summary);
console.log(`kill: ${kills.server} servers and ${kills.client} clients killed, ${ledger.acknowledged.length} saves acknowledged, ${ledger.cutOff} cut off before that, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
if (failed > 0) console.log(`kill: everything is kept in ${folder}; run it again with --rounds ${rounds} --seed ${seed}`);
else rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

function startServer(): Victim {
  return startVictim(serverProgram, [serverFolder, seedFolder, String(port)], () => {});
}

function startClient(): Victim {
  const url = `http://localhost:${port}`;
  return startVictim(clientProgram, [clientFolder, url, String(seed * 1_000 + starts++)], (message) => hearClient(message as ClientMessage));
}

function hearClient(message: ClientMessage): void {
  if (message.kind === 'ready') problems.push(...ledger.checkRestart(message.records));
  else if (message.kind === 'trying') ledger.try(message.attempt);
  else if (message.kind === 'acknowledged') ledger.acknowledge(message.token);
  else if (message.kind === 'settled') settled++;
  else if (message.kind === 'drained') drained = message;
  else problems.push(`the client failed: ${message.message}`);
}

/** Waits until the server has answered some more entries, and a moment. */
async function letWork(entries: number, ms: number): Promise<void> {
  await Promise.all([server.ready, client.ready]);
  const enough = settled + entries;
  const deadline = performance.now() + PATIENCE_MS;
  while (settled < enough && performance.now() < deadline) await pause(2);
  await pause(ms);
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}; seed ${seed}`);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, 'localhost', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function readOption(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}
