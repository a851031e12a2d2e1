// Runs a TypeScript program: node scripts/run-ts.mjs <entry.ts> [arguments…]. Node 20 reads no types by itself.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parse, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const REPOSITORY = resolve(import.meta.dirname, '..');

/**
 * Bundles one entry and returns the path of the program.
 * `import.meta.url` keeps naming the source file, so paths beside it still work.
 * @param {string} entry
 * @param {string} [folder] where the program is put: packages are looked for from there
 * @returns {Promise<string>}
 */
export async function bundleProgram(entry, folder = 'build/run') {
  const source = resolve(REPOSITORY, entry);
  const name = relative(REPOSITORY, source).replace(/[\\/]/g, '-');
  const outfile = resolve(REPOSITORY, folder, `${parse(name).name}.mjs`);
  await build({
    absWorkingDir: REPOSITORY,
    entryPoints: [source],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [keepImportMeta()],
  });
  return outfile;
}

/** @returns {import('esbuild').Plugin} */
function keepImportMeta() {
  return {
    name: 'keep-import-meta',
    setup(setup) {
      setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8');
        if (!contents.includes('import.meta.url') || path.includes('node_modules')) return undefined;
        const url = JSON.stringify(pathToFileURL(path).href);
        return { contents: contents.replaceAll('import.meta.url', url), loader: 'ts' };
      });
    },
  };
}

/**
 * @param {string} entry
 * @param {readonly string[]} args
 */
export async function runProgram(entry, args) {
  const program = await bundleProgram(entry);
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [entry, ...args] = process.argv.slice(2);
  if (!entry) throw new Error('usage: node scripts/run-ts.mjs <entry.ts> [arguments…]');
  await runProgram(entry, args);
}
