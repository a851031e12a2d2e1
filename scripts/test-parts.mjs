// The kinds of parts that npm test is made of. Depends on node builtins only.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {{ name: string, run: () => Promise<Totals> }} Part */

/**
 * A command that either succeeds or fails: its exit code counts as one test.
 * @param {string} name
 * @param {string} command
 * @param {...string} args
 * @returns {Part}
 */
export function check(name, command, ...args) {
  return {
    name,
    async run() {
      const { code } = await execute(command, args);
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
    },
  };
}

/**
 * A test program, which ends its output with `N passed, N failed` (and `, N skipped`): its counts join the totals.
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

/**
 * Vitest over all its projects.
 * @param {string} name
 * @returns {Part}
 */
export function vitest(name) {
  return { name, run: runVitest };
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
