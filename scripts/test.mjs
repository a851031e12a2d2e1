// npm test: prepares the clone, finds a browser, runs every part, and ends with one line of totals.
// `npm test -- vitest lint` runs only the parts named.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { ensureChromium } from './chromium.mjs';
import { prepare, prepareSteps } from './prepare.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {{ name: string, run: () => Promise<Totals> }} Part */

/**
 * Everything `npm test` runs, in this order. `check` counts an exit code as one test; `program` is a test program
 * that ends its own output with `N passed, N failed` (and `, N skipped`), which are added to the totals.
 * @type {Part[]}
 */
const PARTS = [
  check('build', 'node', 'scripts/prepare.mjs'),
  check('lint', 'node', 'scripts/lint.mjs'),
  check('typecheck', 'npm', 'run', '--silent', 'typecheck'),
  { name: 'vitest', run: runVitest },
  check('package', 'npm', 'run', '--silent', 'check'),
  check('size', 'npm', 'run', '--silent', 'size'),
];

const chosen = process.argv.slice(2);
const parts = chosen.length === 0 ? PARTS : PARTS.filter(({ name }) => chosen.includes(name));
const unknown = chosen.find((name) => !PARTS.some((part) => part.name === name));
if (unknown) throw new Error(`no part is called ${unknown}: choose from ${PARTS.map(({ name }) => name).join(', ')}`);

try {
  prepare({ steps: [prepareSteps.dependencies, prepareSteps.core] });
  process.env.CHROME_PATH = ensureChromium();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  finish({ passed: 0, failed: 1, skipped: 0 });
}
finish(await runAll());

async function runAll() {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, run } of parts) {
    console.log(`\n== ${name}`);
    const startedAt = performance.now();
    const counts = await run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`== ${name}: ${describe(counts)}, ${seconds} s`);
    totals.passed += counts.passed;
    totals.failed += counts.failed;
    totals.skipped += counts.skipped;
  }
  return totals;
}

/**
 * @param {string} name
 * @param {string} command
 * @param {...string} args
 * @returns {Part}
 */
function check(name, command, ...args) {
  return {
    name,
    async run() {
      const { code } = await execute(command, args);
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
    },
  };
}

/**
 * @param {string} name
 * @param {string} command
 * @param {...string} args
 * @returns {Part}
 */
export function program(name, command, ...args) {
  return {
    name,
    async run() {
      const { code, lastLine } = await execute(command, args);
      const match = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(lastLine);
      const counts = { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0), skipped: Number(match?.[3] ?? 0) };
      const failedSilently = counts.failed === 0 && (code !== 0 || !match);
      return failedSilently ? { ...counts, failed: 1 } : counts;
    },
  };
}

/** @returns {Promise<Totals>} */
async function runVitest() {
  const report = 'build/test/vitest.json';
  mkdirSync('build/test', { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await execute('node', ['node_modules/vitest/vitest.mjs', 'run', ...reporters]);
  const counts = existsSync(report) ? countVitest(JSON.parse(readFileSync(report, 'utf8'))) : { passed: 0, failed: 0, skipped: 0 };
  // Errors outside any test (an unhandled rejection, a browser that died) show in the exit code alone.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** @param {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} report */
function countVitest({ testResults }) {
  const tests = testResults.flatMap((file) => file.assertionResults);
  const brokenFiles = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'));
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length + brokenFiles.length,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').length,
  };
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ code: number, lastLine: string }>}
 */
function execute(command, args) {
  return new Promise((resolve) => {
    const file = command === 'node' ? process.execPath : command;
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], shell: command === 'npm' && process.platform === 'win32' });
    let tail = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => {
      process.stdout.write(chunk);
      tail = (tail + chunk.toString()).slice(-4096);
    });
    child.on('error', (error) => {
      console.error(error.message);
      resolve({ code: 1, lastLine: '' });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, lastLine: tail.trimEnd().split('\n').at(-1)?.trim() ?? '' }));
  });
}

/** @param {Totals} totals */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** @param {Totals} totals */
function finish(totals) {
  process.exitCode = totals.failed > 0 ? 1 : 0;
  console.log(`\n${describe(totals)}`);
  process.exit();
}
