import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { bundleProgram } from '../../scripts/run-ts.mjs';
import { openDatabase } from '../../src/server/store/pglite-database.ts';
import { pglite, type PGliteStore } from '../../src/server/store/pglite.ts';
import { note } from '../../src/testing/server-store-suite/context.ts';
import { createFakeClock } from './harness.ts';

const root = mkdtempSync(join(tmpdir(), 'fieldtide-pglite-'));
const seedFolder = join(root, 'seed');
const opened: PGliteStore[] = [];
let folders = 0;

const newFolder = (): string => join(root, `store-${++folders}`);
// Making a database is what takes time: tests that do not care whether theirs is new share one.
const folder = newFolder();

function open(folder: string, options: Partial<Parameters<typeof pglite>[0]> = {}): PGliteStore {
  const store = pglite({ folder, seedFolder, ...options });
  opened.push(store);
  return store;
}

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close().catch(() => {});
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('PGlite store', { timeout: 60_000 }, () => {
  test('flushes each commit to disk and says so', async () => {
    const store = open(folder);
    expect(await store.durability()).toBe('power-loss');
  });

  test('refuses a folder that this process has open, and gives it back when it closes', async () => {
    const first = open(folder);
    await first.ready;
    const second = open(folder);
    await expect(second.ready).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await expect(second.read('t', (view) => view.epoch())).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
    await first.close();
    await open(folder).ready;
  });

  test('keeps what was acknowledged when its process is killed, and takes over the lock', async () => {
    const program = await bundleProgram('test/server/pglite-child.ts');
    const acknowledged: string[] = [];
    for (const [run, saves] of [['first', 5], ['second', 20]] as const) acknowledged.push(...(await runAndKill(program, [folder, seedFolder, run], saves)));
    const store = open(folder);
    const [ids, feed, rows] = await store.read('t', async (view) => [
      new Set((await view.scanRecords('note', null, 9_999)).map(({ id }) => id)),
      await view.getFeed('ann'),
      await view.listFeed('ann', 0, 9_999),
    ]);
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    expect(rows.map(({ position }) => position)).toEqual(rows.map((_, index) => index + 1));
    expect([rows.length, feed?.head]).toEqual([ids.size, ids.size]);
  });

  test('another living process keeps the folder', async () => {
    const program = await bundleProgram('test/server/pglite-child.ts');
    const child = spawn(process.execPath, [program, folder, seedFolder, 'held'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(open(folder).ready).rejects.toMatchObject({ code: 'STORAGE_LOCKED', details: { pid: child.pid } });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    await open(folder).ready;
  });

  test('takes over a lock whose pid now belongs to another process, and one that is half written', async () => {
    for (const left of [JSON.stringify({ pid: process.pid, startedAt: 'long ago' }), '{"pid":', JSON.stringify({ pid: 2 ** 30, startedAt: '' })]) {
      writeFileSync(join(folder, 'lock'), left);
      const store = open(folder);
      await store.ready;
      expect(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
      expect(readdirSync(folder).sort()).toEqual(['data', 'lock']);
      await store.close();
      expect(readdirSync(folder)).toEqual(['data']);
    }
  });

  test('makes a database aside first: what a crash left half made is thrown away', async () => {
    const fresh = newFolder();
    mkdirSync(join(fresh, 'data.new', 'base'), { recursive: true });
    writeFileSync(join(fresh, 'data.new', 'PG_VERSION'), '18\n');
    await open(fresh).ready;
    expect(readdirSync(fresh).sort()).toEqual(['data', 'lock']);
  });

  test('does without a seed that cannot be used, and replaces it', async () => {
    const spoiled = join(root, 'spoiled');
    mkdirSync(spoiled);
    writeFileSync(join(spoiled, 'fieldtide-pglite-seed.tar.gz'), 'not an archive');
    const store = open(newFolder(), { seedFolder: spoiled });
    expect(await store.run('t', (transaction) => transaction.nextNumber('note', 'number'))).toBe(1);
    expect(readFileSync(join(spoiled, 'fieldtide-pglite-seed.tar.gz')).length).toBeGreaterThan(100_000);
  });

  test('opens a folder from before there were facts, keeps what is in it, and can keep facts from then on', async () => {
    const aged = newFolder();
    const before = open(aged);
    await before.run('t', (transaction) => transaction.putRecords([note('a', 'old')]));
    await before.close();
    const { database } = await openDatabase({ folder: aged, seedFolder });
    await database.exec('drop table fieldtide_fact');
    await database.close();
    const after = open(aged);
    await after.run('t', (transaction) => transaction.putFact({ kind: 'audit', key: 'k', user: 'ann', createdAt: 1, body: Uint8Array.of(7) }));
    const kept = await after.read('t', async (view) => [await view.getFact('audit', 'k'), (await view.scanRecords('note', null, 9)).map(({ id }) => id)]);
    expect(kept).toMatchObject([{ user: 'ann', body: Uint8Array.of(7) }, ['a']]);
  });

  test('vacuums by the clock it was given, and stops with the store', async () => {
    const clock = createFakeClock();
    const said: string[] = [];
    const store = open(folder, { clock, vacuumIntervalMs: 1_000, log: (message) => said.push(message) });
    await store.run('t', (transaction) => transaction.putRecords([note('a', 'x')]));
    await clock.advance(1_000);
    await store.run('t', (transaction) => transaction.epoch());
    await store.close();
    await clock.advance(10_000);
    expect(said).toEqual([]);
  });
});

/** Runs a program until it has acknowledged so many saves, kills it, and returns all that it acknowledged. */
async function runAndKill(program: string, args: readonly string[], saves: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const lines = (): string[] => text.split('\n').slice(1, -1);
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (lines().length >= saves) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return lines();
}
