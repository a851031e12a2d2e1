// A PostgreSQL server of a test's own: made in a temporary folder, reached over a Unix socket, gone when the test's process is.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findPostgres } from '../../scripts/postgres.mjs';

export interface TestPostgres {
  /** Makes an empty database and returns its address. */
  createDatabase(options?: string): Promise<string>;
  /** Runs statements in a database, and returns the rows of the last. */
  query(url: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** What a test needs to know quickly: a deadlock after 50 ms, and no wait for the disk. */
const SETTINGS = { listen_addresses: '', fsync: 'off', full_page_writes: 'off', deadlock_timeout: '50ms', max_connections: '100', shared_buffers: '16MB' };

/**
 * Runs the server until its standard input ends, which it does with the test's process, however that ends; then stops it and removes
 * its folder. `$0` is the folder, the rest the command.
 */
const GUARD = '"$@" & server=$!; cat > /dev/null; kill -INT $server; wait $server; rm -rf "$0"';

const folder = findPostgres();

/** Starts a server with an empty cluster. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  if (folder === undefined) throw new Error('there is no PostgreSQL here: `describeOnPostgres` skips what needs one');
  const place = mkdtempSync(join(tmpdir(), 'fieldtide-pg-'));
  const account = otherAccount();
  if (account !== null) chownSync(place, account.uid, account.gid);
  chmodSync(place, 0o700);
  const options = { ...account, cwd: place, env: { ...process.env, LC_ALL: 'C' } };
  const made = spawnSync(join(folder, 'initdb'), ['-D', 'data', '-E', 'UTF8', '--locale=C', '-A', 'trust', '-U', 'fieldtide', '--no-sync'], { ...options, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
  const flags = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [join(folder, 'postgres'), '-D', join(place, 'data'), '-k', place, ...flags];
  const guard = spawn('/bin/sh', ['-c', GUARD, place, ...command], { ...options, detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
  await listening(guard);
  let databases = 0;
  const addressOf = (database: string): string => `postgresql://fieldtide@/${database}?host=${encodeURIComponent(place)}`;
  return {
    async createDatabase(options = '') {
      const name = `test_${++databases}`;
      await query(addressOf('postgres'), `create database ${name} ${options}`);
      return addressOf(name);
    },
    query,
    async stop() {
      guard.stdin.end();
      await ended;
      rmSync(place, { recursive: true, force: true });
    },
  };
}

async function query(url: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: readonly Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** Resolves when the server says that it listens. Its log is read on, so that it never waits for us. */
function listening(guard: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    guard.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
    guard.stderr!.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
      if (log.includes('ready to accept connections')) resolve();
    });
  });
}

/** PostgreSQL refuses to run as root: then it runs as its own user, or as nobody. */
function otherAccount(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = new Map(readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':')).map(([name, , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]));
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (account === undefined) throw new Error('PostgreSQL does not run as root, and there is no other user for it');
  return account;
}
