// npm run bench [-- word… options]: runs test/bench/*.bench.ts, each in a process of its own; words choose files by name.
//
//   --only a,b     contenders by part of their name; the baseline and a copy of the same bytes always run
//   --size small   leaves out what takes minutes
//   --scale a,b    scales of W3 alone, such as 10k/1M: entries into rows
//   --json file    writes all results to a file
//   --write        draws the tables and charts of docs/BENCHMARKS.md anew from this run; --write a.json b.json: from earlier ones, of one thing the last
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { installContenders } from './bench-packages.mjs';
import { prepare, prepareSteps } from './prepare.mjs';

const FOLDER = 'test/bench';
/** Programs lie where the packages of test/bench are found before those of the repository. */
const PROGRAMS = `${FOLDER}/node_modules/.run`;
// Runs at the same time do not write into each other's.
const RECORD = `build/bench-${process.pid}.jsonl`;
const PASSED_ON = ['--only', '--size', '--scale'];
const WITH_VALUE = [...PASSED_ON, '--json'];

prepare({ steps: [prepareSteps.dependencies, prepareSteps.core] });
const { bundleProgram } = await import('./run-ts.mjs');
const { words, values, isWriting, sources } = readArguments(process.argv.slice(2));
const failed = sources.length === 0 ? await runAll() : false;
if (sources.length > 0) {
  /** @type {unknown[]} */
  const reports = sources.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(RECORD, reports.map((report) => `${JSON.stringify(report)}\n`).join(''));
}
if (values['--json'] !== undefined) {
  const lines = readFileSync(RECORD, 'utf8').split('\n').filter((line) => line !== '');
  writeFileSync(values['--json'], `[\n${lines.join(',\n')}\n]\n`);
}
const isSummedUp = run(await bundleProgram(`${FOLDER}/summary.ts`, PROGRAMS), [RECORD, ...(isWriting ? ['--write'] : [])]);
rmSync(RECORD, { force: true });
process.exit(failed || !isSummedUp ? 1 : 0);

async function runAll() {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.bench.ts'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (files.length === 0) console.log(`bench: nothing in ${FOLDER} to run`);
  if (files.some((name) => readFileSync(`${FOLDER}/${name}`, 'utf8').includes("'./contenders/"))) installContenders(FOLDER);
  mkdirSync('build', { recursive: true });
  writeFileSync(RECORD, '');
  const options = ['--record', RECORD, ...PASSED_ON.flatMap((name) => (values[name] === undefined ? [] : [name, values[name]]))];
  let hasFailed = false;
  for (const name of files) {
    console.log(`\n== ${name}`);
    hasFailed = !run(await bundleProgram(`${FOLDER}/${name}`, PROGRAMS), options) || hasFailed;
  }
  return hasFailed;
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function run(program, args) {
  // --expose-gc: garbage is collected before each call that is timed, so that none pays for another's.
  return spawnSync(process.execPath, ['--expose-gc', '--enable-source-maps', program, ...args], { stdio: 'inherit' }).status === 0;
}

/** @param {string[]} args */
function readArguments(args) {
  /** @type {string[]} */
  const words = [];
  /** @type {Record<string, string>} */
  const values = {};
  let isWriting = false;
  /** @type {string[]} */
  const sources = [];
  for (let place = 0; place < args.length; place++) {
    const arg = args[place] ?? '';
    if (WITH_VALUE.includes(arg)) values[arg] = args[++place] ?? '';
    else if (arg === '--write') {
      isWriting = true;
      while (existsSync(args[place + 1] ?? '')) sources.push(args[++place] ?? '');
    } else if (arg.startsWith('--')) throw new Error(`bench: ${arg} is no option; there are ${WITH_VALUE.join(', ')} and --write`);
    else words.push(arg);
  }
  return { words, values, isWriting, sources };
}
