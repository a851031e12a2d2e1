// Budgets, gzip. The facade counts with every chunk it loads at once; lazy rungs of the worker ladder do not.
import { readFileSync } from 'node:fs';
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

export default [
  { name: 'facade', path: [...staticClosure('dist/index.js')], limit: '10 KB', gzip: true },
  { name: 'core', path: 'dist/core.wasm', limit: '12 KB', gzip: true },
  { name: 'worker', path: 'dist/worker/worker.js', limit: '35 KB', gzip: true },
];
