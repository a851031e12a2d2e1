// npm run bench [-- word…]: runs test/bench/*.bench.ts, each in a process of its own; words choose files by name.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { prepare, prepareSteps } from './prepare.mjs';

const FOLDER = 'test/bench';

prepare({ steps: [prepareSteps.dependencies, prepareSteps.core] });
const { bundleProgram } = await import('./run-ts.mjs');
const words = process.argv.slice(2);
const files = (existsSync(FOLDER) ? readdirSync(FOLDER) : [])
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (files.length === 0) console.log(`bench: nothing in ${FOLDER} to run`);
let failed = false;
for (const name of files) {
  console.log(`\n== ${name}`);
  const program = await bundleProgram(`${FOLDER}/${name}`);
  // --expose-gc: compare() collects before each case, so that no case pays for the garbage of another.
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--enable-source-maps', program], { stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
