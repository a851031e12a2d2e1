// Writes dist/types: declarations as a consumer's compiler wants them, and nothing that a consumer would have to install.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';

const ROOT = 'dist/types';
const RELATIVE_SPECIFIER = /((?:from|import)\s*\(?\s*['"])(\.[^'"]+)\.ts(['"])/g;
const ANY_SPECIFIER = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
/** What a declaration may name besides its neighbours: everything else is bundled, so it is not there to be resolved. */
const INSTALLED_BY_HOSTS = /^(node:|@electric-sql\/pglite$)/;

rmSync(ROOT, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

// tsc keeps './row.ts' in declarations; the file beside them is row.d.ts, which every compiler finds under './row.js'.
for (const name of readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))) {
  const path = `${ROOT}/${name}`;
  writeFileSync(path, readFileSync(path, 'utf8').replace(RELATIVE_SPECIFIER, '$1$2.js$3'));
}

const problems = entryDeclarations().flatMap((entry) => foreignPackages(entry));
for (const problem of new Set(problems)) console.error(`build:types: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

function entryDeclarations() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const types = Object.values(exports).flatMap((/** @type {{ types?: string } | string} */ door) => (typeof door === 'string' ? [] : (door.types ?? [])));
  return types.map((path) => posix.normalize(path)).filter((path) => existsSync(path));
}

/**
 * @param {string} path
 * @param {Set<string>} seen
 * @returns {string[]}
 */
function foreignPackages(path, seen = new Set()) {
  if (seen.has(path) || !existsSync(path)) return [];
  seen.add(path);
  // Examples in comments may import what they like.
  const code = readFileSync(path, 'utf8').replace(/\/\*[^]*?\*\//g, '');
  const specifiers = [...code.matchAll(ANY_SPECIFIER)].map(([, specifier]) => String(specifier));
  return specifiers.flatMap((specifier) => {
    if (specifier.startsWith('.')) return foreignPackages(posix.join(posix.dirname(path), specifier.replace(/\.js$/, '.d.ts')), seen);
    if (INSTALLED_BY_HOSTS.test(specifier)) return [];
    return [`${path} names ${specifier}, which hosts do not install: describe the type in our own words`];
  });
}
