// Brings a clone to the state in which programs run: dependencies installed, core compiled, bundles written.
// Each step runs only when its output is missing or stale, and says so. Depends on node builtins only.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const STAMPS = 'build/stamps.json';
const CORE_OUTPUTS = [
  ...['core', 'core.device', 'core.simd', 'core.debug', 'core.batch', 'core.batch.simd', 'core.batch.debug'].map((name) => `build/${name}.wasm`),
  ...['core-bytes', 'batch-bytes'].map((name) => `src/core/${name}.generated.ts`),
];

/** @typedef {{ name: string, staleBecause: () => string | undefined, run: () => void }} Step */

/** @type {Step} */
const dependencies = {
  name: 'dependencies',
  staleBecause: whyDependenciesAreStale,
  run() {
    // npm ci refuses a lock that leaves out binaries of other platforms; npm install does not mind.
    if (!npm('ci') && !npm('install')) throw new Error('npm could not install the dependencies: see its message above');
  },
};

/** @type {Step} */
const core = buildStep({
  name: 'core',
  sources: ['assembly', 'asconfig.json', 'package-lock.json', 'scripts/build-core.mjs', 'scripts/inline-core.mjs'],
  outputs: CORE_OUTPUTS,
  script: 'scripts/build-core.mjs',
});

/** @type {Step} */
const bundles = buildStep({
  name: 'bundles',
  sources: ['src', 'bindings', 'assembly', 'asconfig.json', 'package-lock.json', 'scripts/build-js.mjs', 'scripts/bundle-worker.mjs', 'scripts/bundle-edits.mjs'],
  outputs: ['dist/index.js', 'dist/worker/worker.js', 'src/worker/blob-source.generated.ts'],
  script: 'scripts/build-js.mjs',
});

export function prepare({ steps = [dependencies, core, bundles] } = {}) {
  for (const step of steps) {
    const reason = step.staleBecause();
    if (reason === undefined) continue;
    console.log(`prepare: ${step.name}: ${reason}`);
    step.run();
  }
}

export const prepareSteps = { dependencies, core, bundles };

/**
 * @param {{ name: string, sources: string[], outputs: string[], script: string }} options
 * @returns {Step}
 */
function buildStep({ name, sources, outputs, script }) {
  return {
    name,
    staleBecause() {
      const missing = outputs.find((output) => !existsSync(output));
      if (missing) return `${missing} is missing, building it`;
      return readStamps()[name] === hashOf(sources) ? undefined : 'the sources have changed, building again';
    },
    run() {
      const stamp = hashOf(sources);
      const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit'] });
      if (status !== 0) throw new Error(`${script} failed: see its message above`);
      mkdirSync('build', { recursive: true });
      writeFileSync(STAMPS, JSON.stringify({ ...readStamps(), [name]: stamp }));
    },
  };
}

/** npm notes in node_modules what it installed there: that is compared with what package-lock.json asks for. */
function whyDependenciesAreStale() {
  const installed = readPackages('node_modules/.package-lock.json');
  if (!installed) return 'not installed yet, running npm ci';
  const wanted = readPackages('package-lock.json') ?? {};
  const other = Object.entries(wanted).find(
    ([path, { version, optional }]) => path !== '' && !optional && installed[path]?.version !== version,
  );
  return other ? `${other[0]} is not at ${other[1].version}, running npm ci` : undefined;
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

/** @returns {Record<string, string>} */
function readStamps() {
  return existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, 'utf8')) : {};
}

/** @param {string[]} sources */
function hashOf(sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesUnder)) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  if (!existsSync(path) || path.includes('.generated.')) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => filesUnder(join(path, name)));
}

/** @param {string} command */
function npm(command) {
  const { status } = spawnSync('npm', [command, '--no-audit', '--no-fund'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  return status === 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) prepare();
