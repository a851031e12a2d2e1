/**
 * Kills the demo's own server with SIGKILL at random moments while a device saves, and accounts for every save: none that was
 * acknowledged is lost, none is done twice.
 *
 *     node scripts/run-ts.mjs test/kill/demo.ts [--rounds 50] [--seed N]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSyncClient } from '../../bindings/node/index.ts';
import { schema } from '../../demo/schema.ts';
import type * as RunTs from '../../scripts/run-ts.mjs';
import { memory } from '../../src/storage/memory.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

// Not bundled into this program: it looks for the repository from where it lies.
const { bundleProgram } = (await import(new URL('../../scripts/run-ts.mjs', import.meta.url).href)) as typeof RunTs;
const rounds = Number(readOption('rounds') ?? 50);
const seed = Number(readOption('seed') ?? Math.floor(Math.random() * 1_000_000));
const random = createSeededRandom(seed);
const folder = mkdtempSync(join(tmpdir(), 'fieldtide-kill-demo-'));
const port = await findFreePort();
const program = await bundleProgram('demo/server.ts');
const startedAt = performance.now();
console.log(`kill demo: its server ${rounds} times, seed ${seed}`);

/** What was saved last in each account, and what of it the server has acknowledged. */
const ledger = new Map<string, { saved: number; acknowledged: number }>();
let server = startDemo();
await isUp();
const client = createSyncClient({
  schema,
  user: 'ann',
  storage: memory(),
  transport: { url: `http://localhost:${port}/sync/`, token: async () => 'demo:ann', timeoutMs: 5_000 },
});
let isSaving = true;
const saving = saveAllTheTime();
for (let round = 0; round < rounds; round++) {
  await pause(100 + random.next() * 900);
  server.kill('SIGKILL');
  await once(server, 'exit');
  server = startDemo();
  await isUp();
  await client.wake();
}
isSaving = false;
await saving;
while ((await client.exchange()).pending > 0) await pause(200);
const errors = await client.syncErrors.list();

const fresh = createSyncClient({ schema, user: 'ann', storage: memory(), transport: { url: `http://localhost:${port}/sync/`, token: async () => 'demo:ann' } });
await fresh.download();
const online = new Map((await fresh.objects.account.query({ where: { name: { startsWith: 'kill ' } } }).get()).map((account) => [account.id, account]));
const acknowledged = [...ledger.values()].reduce((sum, entry) => sum + entry.acknowledged, 0);
const lost = [...ledger].filter(([id, { saved }]) => online.get(id)?.staff !== saved);
const checks: readonly (readonly [string, boolean])[] = [
  ['every acknowledged save is online, the last of each account on top', lost.length === 0],
  ['no account is there twice, and none that was never saved', online.size === ledger.size],
  ['no save met itself as a conflict', errors.length === 0],
  ['something was acknowledged in every round', acknowledged >= rounds],
];
for (const [name, holds] of checks) console.log(`${holds ? 'ok  ' : 'FAIL'} ${name}`);
await Promise.all([client.close(), fresh.close()]);
server.kill('SIGTERM');
await once(server, 'exit');
rmSync(folder, { recursive: true, force: true });
console.log(`kill demo: ${rounds} servers killed, ${acknowledged} saves acknowledged, ${Math.round((performance.now() - startedAt) / 1000)} s`);
const failed = checks.filter(([, holds]) => !holds).length;
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Creates accounts and edits them, each save as soon as the one before is acknowledged or has waited a little. */
async function saveAllTheTime(): Promise<void> {
  for (let count = 1; isSaving; count++) {
    const ids = [...ledger.keys()];
    const isNew = ids.length < 5 || random.next() < 0.2;
    const saved = isNew
      ? await client.objects.account.create({ name: `kill ${count}`, staff: count })
      : await client.objects.account.update(ids[Math.floor(random.next() * ids.length)]!, { staff: count });
    const entry = ledger.get(saved.id) ?? { saved: 0, acknowledged: 0 };
    ledger.set(saved.id, entry);
    entry.saved = count;
    const acknowledgement = client.outcome(saved.entry).then(() => void entry.acknowledged++);
    await Promise.race([acknowledgement, pause(20 + random.next() * 60)]);
  }
}

function startDemo(): ChildProcess {
  const env = { ...process.env, FIELDTIDE_DEMO_FOLDER: folder, FIELDTIDE_DEMO_ACCOUNTS: '10', PORT: String(port) };
  return spawn(process.execPath, ['--enable-source-maps', program], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function isUp(): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://localhost:${port}/`).catch(() => null);
    await answer?.arrayBuffer().catch(() => null);
    if (answer?.ok) return;
    await pause(50);
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return free;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function readOption(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}
