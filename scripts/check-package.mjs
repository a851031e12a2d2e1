// npm run check: packs the package as npm would publish it, and looks at the tarball with publint and attw.
// The tarball stays in build/pack/ for tests that install it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';

const FOLDER = 'build/pack';

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
run('npm', ['pack', '--silent', '--pack-destination', FOLDER]);
const tarball = `${FOLDER}/${readdirSync(FOLDER)[0]}`;
run(process.execPath, ['node_modules/publint/src/cli.js', tarball, '--strict']);
run(process.execPath, [
  'node_modules/@arethetypeswrong/cli/dist/index.js',
  tarball,
  '--profile=esm-only',
  '--exclude-entrypoints=core.wasm',
  '--format=table-flipped',
  '--no-summary',
  '--no-emoji',
  '--no-color',
]);

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
}
