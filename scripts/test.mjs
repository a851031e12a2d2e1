// npm test: prepares the clone, finds a browser and a PostgreSQL, runs every part, and ends with one line of totals.
// `npm test -- vitest lint` runs only the parts named.
import { ensureChromium } from './chromium.mjs';
import { ensurePostgres } from './postgres.mjs';
import { prepare, prepareSteps } from './prepare.mjs';
import { check, program, vitest } from './test-parts.mjs';

/** @typedef {import('./test-parts.mjs').Totals} Totals */

/**
 * Everything `npm test` runs, in this order. A test program of its own is a line such as
 * `program('kill', 'node', 'scripts/run-ts.mjs', 'test/kill/main.ts', '--rounds', '5')`, from scripts/test-parts.mjs.
 * @type {import('./test-parts.mjs').Part[]}
 */
const PARTS = [
  check('build', 'node', 'scripts/prepare.mjs'),
  check('lint', 'node', 'scripts/lint.mjs'),
  check('typecheck', 'npm', 'run', '--silent', 'typecheck'),
  vitest('vitest'),
  program('simulation', 'node', 'scripts/run-ts.mjs', 'test/simulation/main.ts', '--seeds', '600'),
  program('model', 'node', 'scripts/run-ts.mjs', 'test/simulation/main.ts', '--model', '--seeds', '150', '--other-seeds', '60'),
  program('planted-bugs', 'node', 'scripts/run-ts.mjs', 'test/simulation/main.ts', '--planted'),
  program('kill', 'node', 'scripts/run-ts.mjs', 'test/kill/main.ts', '--rounds', '5'),
  program('kill-demo', 'node', 'scripts/run-ts.mjs', 'test/kill/demo.ts', '--rounds', '3'),
  program('fuzz', 'node', 'scripts/fuzz.mjs', '--runs', '100000'),
  check('package', 'npm', 'run', '--silent', 'check'),
  check('docs', 'npm', 'run', '--silent', 'docs'),
  program('newcomer', 'node', 'scripts/run-ts.mjs', 'test/package/newcomer.ts'),
  check('size', 'npm', 'run', '--silent', 'size'),
];

const chosen = process.argv.slice(2);
const parts = chosen.length === 0 ? PARTS : PARTS.filter(({ name }) => chosen.includes(name));
const unknown = chosen.find((name) => !PARTS.some((part) => part.name === name));
if (unknown) throw new Error(`no part is called ${unknown}: choose from ${PARTS.map(({ name }) => name).join(', ')}`);

try {
  prepare({ steps: [prepareSteps.dependencies, prepareSteps.core] });
  process.env.CHROME_PATH = ensureChromium();
  ensurePostgres();
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
