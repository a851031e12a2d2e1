// Part of npm run bench: installs what test/bench/package.json names, there and nowhere else, when it is not there yet.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Brings the packages of a folder to what its lock asks for. Where that fails the contenders that need them say so, and the others run.
 * @param {string} folder
 */
export function installContenders(folder) {
  const wanted = versionsIn(`${folder}/package-lock.json`), installed = versionsIn(`${folder}/node_modules/.package-lock.json`);
  const missing = Object.keys(wanted).find((path) => path !== '' && wanted[path] !== installed[path]);
  if (missing !== undefined) {
    console.log(`bench: ${missing} is not there yet, installing the packages of ${folder}`);
    // No scripts: the only one that is needed compiles SQLite, below.
    const isInstalled = npm(folder, ['ci', '--ignore-scripts']) || npm(folder, ['install', '--ignore-scripts']);
    if (!isInstalled) return console.log('bench: npm could not install them, contenders from packages are skipped');
  }
  compileSqlite(folder);
}

/** @param {string} folder */
function compileSqlite(folder) {
  if (existsSync(join(folder, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'))) return;
  const prefix = dirname(dirname(process.execPath));
  if (!existsSync(join(prefix, 'include/node/node.h'))) return console.log('bench: Node has no headers beside it, so better-sqlite3 is not compiled');
  console.log('bench: compiling better-sqlite3 against the headers of this Node, which takes a minute or two');
  // The compiler's own output helps nobody who has no compiler: one line says what that means.
  const isCompiled = npm(folder, ['rebuild', 'better-sqlite3'], { npm_config_build_from_source: 'true', npm_config_nodedir: prefix });
  if (!isCompiled) console.log('bench: better-sqlite3 could not be compiled, it is skipped');
}

/**
 * @param {string} folder
 * @param {string[]} args
 * @param {Record<string, string>} [environment]
 */
function npm(folder, args, environment = {}) {
  const { status } = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, ...environment },
  });
  return status === 0;
}

/**
 * @param {string} file
 * @returns {Record<string, string>}
 */
function versionsIn(file) {
  if (!existsSync(file)) return {};
  /** @type {Record<string, { version?: string, optional?: boolean }>} */
  const packages = JSON.parse(readFileSync(file, 'utf8')).packages;
  return Object.fromEntries(Object.entries(packages).flatMap(([path, { version, optional }]) => (optional === true || version === undefined ? [] : [[path, version]])));
}
