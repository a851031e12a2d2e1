// Budgets, gzip. The facade counts with every chunk it loads at once; lazy rungs of the worker ladder do not.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param {string} file
 * @param {Set<string>} seen
 */
function staticClosure(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(file, 'utf8');
  // Minified output: `import{a as b}from"./x.js"`, `import"./x.js"`, `export*from"./x.js"`; never `import("./x.js")`.
  for (const [, specifier] of source.matchAll(/(?:from|import)"(\.[^"]+)"/g)) staticClosure(join(dirname(file), specifier), seen);
  return seen;
}

const WORKER = 'dist/worker/worker.js';

/** The files beside the worker that are handed what they share with it: their names end in the hash of the release. */
const parts = readdirSync('dist/worker').filter((file) => /-[0-9a-f]{8}\.js$/.test(file)).map((file) => `dist/worker/${file}`);

export default [
  { name: 'facade', path: [...staticClosure('dist/index.js')], limit: '10 KB', gzip: true },
  { name: 'core', path: 'dist/core.wasm', limit: '12 KB', gzip: true },
  { name: 'worker, all that a start loads', path: [...staticClosure(WORKER)], limit: '35 KB', gzip: true },
  { name: 'worker with all its parts', path: [...staticClosure(WORKER), ...parts], limit: '118 KB', gzip: true },
  { name: 'twin, where there is no WebAssembly', path: [...staticClosure('dist/worker/twin.js')], limit: '10 KB', gzip: true },
];
