import { describe, expect, test } from 'vitest';
import { checkLayers } from '../../scripts/layers/check-layers.mjs';

function check(files: Record<string, string>): string[] {
  return checkLayers(new Map(Object.entries(files))).map(({ path, line, message }) => `${path}:${line} ${message}`);
}

describe('layer check: imports', () => {
  test('reports a server file that imports the client', () => {
    const found = check({ 'src/server/limits.ts': `\nimport { plan } from '../client/plan.ts';\n` });
    expect(found).toEqual([expect.stringMatching(/^src\/server\/limits\.ts:2 .*may not import src\/client\/plan\.ts/)]);
  });

  test('reports a type import across layers too', () => {
    expect(check({ 'src/shared/ids.ts': `import type { Row } from '../protocol/row.ts';` })).toHaveLength(1);
    expect(check({ 'src/shared/ids.ts': `export type { Row } from '../protocol/row.ts';` })).toHaveLength(1);
    expect(check({ 'src/shared/ids.ts': `type Row = import('../protocol/row.ts').Row;` })).toHaveLength(1);
  });

  test('lets the client see the interface of a storage adapter and no adapter', () => {
    expect(check({ 'src/client/queue.ts': `import type { S } from '../storage/storage-adapter.ts';` })).toEqual([]);
    expect(check({ 'src/client/queue.ts': `import { memory } from '../storage/memory.ts';` })).toHaveLength(1);
  });

  test('lets a part of the server see the interface of the store and no store', () => {
    expect(check({ 'src/server/feed/read.ts': `import type { S } from '../store/server-store.ts';` })).toEqual([]);
    expect(check({ 'src/server/feed/read.ts': `import { memory } from '../store/memory.ts';` })).toHaveLength(1);
    expect(check({ 'src/server/store/memory.ts': `import { read } from '../feed/read.ts';` })).toHaveLength(1);
  });

  test('reports an import of the test kit', () => {
    expect(check({ 'src/client/queue.ts': `import { fake } from '../testing/fake.ts';` })).toHaveLength(1);
  });

  test('reports a missing extension, a foreign package and a known package in the wrong place', () => {
    expect(check({ 'src/client/queue.ts': `import { a } from './a.js';` })[0]).toContain(`'./a.ts'`);
    expect(check({ 'src/client/queue.ts': `import _ from 'lodash';` })[0]).toContain('package lodash');
    expect(check({ 'src/client/queue.ts': `import { wrap } from 'comlink';` })[0]).toContain('belongs in src/worker/');
    expect(check({ 'src/client/queue.ts': `import { open } from 'node:fs/promises';` })).toHaveLength(1);
  });

  test('reports a cycle of imports that run, and lets types point both ways', () => {
    const cycle = { 'src/shared/a.ts': `import { b } from './b.ts';`, 'src/shared/b.ts': `import { a } from './a.ts';` };
    expect(check(cycle)).toEqual([expect.stringContaining('import cycle: src/shared/a.ts → src/shared/b.ts → src/shared/a.ts')]);
    expect(check({ ...cycle, 'src/shared/b.ts': `import type { A } from './a.ts';` })).toEqual([]);
  });
});

describe('layer check: globals', () => {
  const uses = [
    'const now = Date.now();',
    'const now = new Date();',
    'const stamp = Date();',
    'const r = Math.random();',
    `const r = Math['random']();`,
    'setTimeout(() => {}, 5);',
    'const ports = { fetch };',
    'const run = fetch;',
    'const t = performance.now();',
    'if (typeof navigator !== "undefined") run();',
    'const name = `${process.pid}`;',
    'globalThis.setTimeout(() => {}, 5);',
    'const signal = AbortSignal.timeout(5);',
    'const bytes = crypto.getRandomValues(new Uint8Array(4));',
    'class Mine extends Worker {}',
  ];
  test.each(uses)('reports %s', (text) => {
    expect(check({ 'src/client/use.ts': text })[0]).toMatch(/^src\/client\/use\.ts:1 .* is a global: /);
  });

  const innocent = [
    '// Date.now() and setTimeout',
    `const text = 'Date.now()';`,
    'const day = new Date(0); const ms = Date.UTC(2024, 1);',
    'export function poll({ fetch }: Ports) { return fetch(url); }',
    'clock.setTimeout(run, 5); const o = { performance: 1, fetch() {} };',
    'const max = Math.max(1, 2);',
    'let worker: Worker; type Fetch = typeof fetch;',
    'interface Mine extends Worker { process: number }',
    'import { performance } from "./clock.ts"; performance.now();',
  ];
  test.each(innocent)('accepts %s', (text) => {
    expect(check({ 'src/client/use.ts': text })).toEqual([]);
  });

  test('lets the platform hand them out', () => {
    expect(check({ 'src/shared/platform.ts': 'export const now = () => Date.now();' })).toEqual([]);
  });
});
