// Finds the programs of a PostgreSQL server, and installs them when asked to. Depends on node builtins only.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders of versions, and the programs below each. */
const USUAL_PLACES = [
  ['/usr/lib/postgresql', 'bin'], // Debian
  ['/usr/pgsql', 'bin'],
  ['/opt/homebrew/opt', 'bin'],
  ['/usr/local/opt', 'bin'],
  ['/Applications/Postgres.app/Contents/Versions', 'bin'],
];

/**
 * Returns the folder that holds `initdb` and `postgres`, or undefined. On Windows it looks for none: tests run it on a Unix socket.
 * @returns {string | undefined}
 */
export function findPostgres() {
  if (process.platform === 'win32') return undefined;
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const usual = USUAL_PLACES.flatMap(([parent = '', below = '']) => newestFirst(parent).map((name) => join(parent, name, below)));
  return [...onPath, ...usual].find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/**
 * Returns the folder of the programs, installing them first where that can be done; undefined means that tests on PostgreSQL are skipped.
 * @returns {string | undefined}
 */
export function ensurePostgres() {
  const found = findPostgres() ?? installFromDebian();
  if (found === undefined) console.log('no PostgreSQL found: the tests that need one are skipped');
  return found;
}

/** @param {string} parent */
function newestFirst(parent) {
  if (!existsSync(parent)) return [];
  const order = new Intl.Collator('en', { numeric: true });
  return readdirSync(parent).sort((left, right) => order.compare(right, left));
}

/** @returns {string | undefined} */
function installFromDebian() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const isDebian = /^ID=debian$/m.test(release);
  if (!isDebian || process.getuid?.() !== 0) return undefined;
  console.log('no PostgreSQL found: installing the postgresql package of Debian');
  const ok = run('apt-get', ['update']) && run('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql']);
  return ok ? findPostgres() : undefined;
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  // In runlevel 1 the package does not start the server that it makes: tests make their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}
