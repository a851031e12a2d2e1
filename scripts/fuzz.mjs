// npm run fuzz [-- --minutes 10]: libFuzzer on the Wasm core. What it finds stays in build/fuzz/findings, what it learns in
// build/fuzz/corpus. `--runs N` makes so many runs from the seeds alone, and then looks for the planted bugs, as npm test does;
// `--module batch` fuzzes one module alone, and `--module batch --input file` runs one of its inputs again.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildFuzzer } from './fuzz-build.mjs';
import { buildPlanted, PLANTS } from './fuzz-plants.mjs';
import { ensureFuzzTools } from './fuzz-tools.mjs';
import { prepare, prepareSteps } from './prepare.mjs';

const FOLDER = 'build/fuzz';
const FINDINGS = join(FOLDER, 'findings');

/** @typedef {{ module: string, wasm: string, share: number }} Target - of the runs that are asked for it makes a share. */

/** The modules that have a part of the harness. @type {readonly Target[]} */
const TARGETS = [
  { module: 'core', wasm: 'build/core.wasm', share: 1 },
  { module: 'batch', wasm: 'build/core.batch.wasm', share: 0.4 },
];

/** Runs in which every planted bug is found many times over. */
const PLANTED_RUNS = 60_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, runs: { type: 'string' }, input: { type: 'string' }, module: { type: 'string' } } });
process.chdir(resolve(import.meta.dirname, '..'));
const chosen = TARGETS.filter(({ module }) => values.module === undefined || module === values.module);
const totals = { passed: 0, failed: 0, skipped: 0 };

const tools = ensureFuzzTools();
if (typeof tools === 'string') {
  console.log(`fuzz: skipped, ${tools}`);
  totals.skipped++;
} else {
  prepare({ steps: [prepareSteps.dependencies, prepareSteps.core] });
  mkdirSync(FINDINGS, { recursive: true });
  writeSeeds();
  for (const target of chosen) fuzzTarget(target, tools.runtime);
  if (values.runs !== undefined) for (const plant of PLANTS.filter(({ module }) => chosen.some((target) => target.module === module))) findPlanted(plant, tools.runtime);
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/**
 * @param {Target} target
 * @param {string} runtime
 */
function fuzzTarget({ module, wasm, share }, runtime) {
  const program = buildFuzzer({ module, wasm, folder: join(FOLDER, module), runtime });
  if (values.input !== undefined) return count(module, runFuzzer(program, [values.input]).status === 0);
  if (values.runs !== undefined) return count(module, fuzzOnce(program, module, Math.ceil(Number(values.runs) * share)).status === 0);
  const corpus = join(FOLDER, 'corpus', module);
  mkdirSync(corpus, { recursive: true });
  const seconds = Math.ceil((Number(values.minutes) * 60) / chosen.length);
  count(module, runFuzzer(program, [corpus, seedsOf(module), ...optionsOf(module), `-max_total_time=${seconds}`]).status === 0);
}

/**
 * @param {import('./fuzz-plants.mjs').Plant} plant
 * @param {string} runtime
 */
function findPlanted(plant, runtime) {
  const folder = join(FOLDER, 'planted');
  const program = buildFuzzer({ module: plant.module, wasm: buildPlanted(plant, join(FOLDER, 'planted-core')), folder, runtime });
  const { status, text } = fuzzOnce(program, plant.module, PLANTED_RUNS, join(folder, 'findings'));
  count(`planted: ${plant.name}`, status !== 0 && text.includes('SUMMARY: '));
}

/**
 * So many runs, the same each time: from the seeds alone, with a fixed choice of what is tried.
 * @param {string} program
 * @param {string} module
 * @param {number} runs
 * @param {string} [findings]
 */
function fuzzOnce(program, module, runs, findings = FINDINGS) {
  const learned = join(FOLDER, 'learned');
  rmSync(learned, { recursive: true, force: true });
  mkdirSync(learned, { recursive: true });
  mkdirSync(findings, { recursive: true });
  return runFuzzer(program, [learned, seedsOf(module), ...optionsOf(module), `-runs=${runs}`, '-seed=1', '-reload=0'], findings);
}

/** @param {string} module */
function optionsOf(module) {
  return [`-dict=test/fuzz/native/${module}.dict`, '-max_len=4096', '-timeout=20', '-print_final_stats=1'];
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} [findings]
 */
function runFuzzer(program, args, findings = FINDINGS) {
  const { status, stderr } = spawnSync(program, [...args, '-detect_leaks=0', `-artifact_prefix=${findings}/`], {
    encoding: 'utf8',
    stdio: ['ignore', 'inherit', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (findings === FINDINGS) console.log(status === 0 ? summaryOf(stderr) : stderr.slice(-6_000));
  return { status, text: stderr };
}

/** What libFuzzer says last of coverage, and how fast it was. @param {string} text */
function summaryOf(text) {
  return text.split('\n').filter((line) => /\bDONE\b|^stat::(number_of_executed_units|average_exec_per_sec)/.test(line)).join('\n');
}

/** @param {string} module */
function seedsOf(module) {
  return join(FOLDER, 'seeds', module);
}

function writeSeeds() {
  rmSync(join(FOLDER, 'seeds'), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, ['scripts/run-ts.mjs', 'test/fuzz/seeds.ts', join(FOLDER, 'seeds')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the seeds could not be written: see the message above');
}

/**
 * @param {string} name
 * @param {boolean} isPassed
 */
function count(name, isPassed) {
  console.log(`fuzz: ${isPassed ? 'ok' : 'FAILED'}: ${name}`);
  if (isPassed) totals.passed++;
  else totals.failed++;
}
