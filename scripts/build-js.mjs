// Bundles dist/: the public entry points with shared chunks, and the worker with its parts beside it.
// Everything but the worker lies flat, so a URL relative to import.meta.url means the same in every chunk.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { comlinkWithoutExtras, forEsbuild, idbWithoutExtras, retargetUrls } from './bundle-edits.mjs';
import { bundleWorker, CORE_URLS, FOR_BUNDLERS, squeeze, WORKER_ENTRY } from './bundle-worker.mjs';
import { minify } from 'terser';
import { writeNotices } from './third-party-notices.mjs';

const BLOB_SOURCE = 'src/worker/blob-source.generated.ts';

/** File of dist/ → source; the same doors as `exports` in package.json. Those of one row share chunks: the more of them, the more chunks a page loads. */
const DOORS = [
  {
    'index': 'bindings/web/index.ts',
    'schema': 'src/schema.ts',
    'storage-memory': 'src/storage/memory.ts',
    'storage-indexeddb': 'src/storage/indexeddb.ts',
    'worker/blob-source': BLOB_SOURCE,
  },
  {
    'node': 'bindings/node/index.ts',
    'server': 'src/server/index.ts',
    'server-node': 'src/server/http/node.ts',
    'server-memory': 'src/server/store/memory.ts',
    'server-pglite': 'src/server/store/pglite.ts',
    'server-postgres': 'src/server/store/postgres.ts',
    'server-hints-nats': 'src/server/hints/nats-hint-bus.ts',
    'server-hints-postgres': 'src/server/hints/postgres-hint-bus.ts',
    'testing': 'src/testing/index.ts',
  },
];

/** @type {import('esbuild').BuildOptions & { metafile: true }} */
const COMMON = {
  bundle: true,
  target: 'es2022',
  platform: 'browser',
  conditions: ['browser'], // msgpackr without its optional native part, in Node too
  external: ['node:*', '@electric-sql/pglite', '@electric-sql/pglite/*', 'pg'],
  minifySyntax: true,
  minifyIdentifiers: true,
  sourcemap: true,
  sourcesContent: true,
  metafile: true,
  logLevel: 'warning',
};

/**
 * The worker as text for a Blob, with all its parts inside: a classic script without a URL of its own, so that it can load no file.
 * import.meta is empty there, by design.
 */
async function bundleBlobWorker() {
  const script = await build({
    ...COMMON,
    entryPoints: [WORKER_ENTRY],
    plugins: [forEsbuild(retargetUrls(CORE_URLS)), forEsbuild(idbWithoutExtras), forEsbuild(comlinkWithoutExtras)],
    format: 'iife',
    sourcemap: false,
    write: false,
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const { code } = await squeeze(script.outputFiles?.[0]?.text ?? '', { isModule: false });
  writeFileSync(
    BLOB_SOURCE,
    `// Written by scripts/build-js.mjs from ${WORKER_ENTRY}; not in git.\nexport const WORKER_SOURCE: string = ${JSON.stringify(code)};\n`,
  );
  return script.metafile;
}

/** @param {Record<string, string>} entryPoints */
async function bundleDoors(entryPoints) {
  const urls = {
    'worker-entry.ts': './worker/worker.js',
    'core.simd.wasm': './core.simd.wasm',
    'core.wasm': './core.wasm',
  };
  const result = await build({
    ...COMMON,
    entryPoints,
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    plugins: [forEsbuild(retargetUrls(urls)), forEsbuild(comlinkWithoutExtras)],
  });
  for (const file of Object.keys(result.metafile.outputs)) if (file.endsWith('.js')) await dropSpace(file);
  return result.metafile;
}

/** esbuild can do this too, but drops the comments in `import(…)` with which a host's bundler is told what to leave alone. @param {string} file */
async function dropSpace(file) {
  const [code, map] = ['', '.map'].map((suffix) => readFileSync(`${file}${suffix}`, 'utf8'));
  const sourceMap = { content: map ?? '', url: `${basename(file)}.map` };
  const short = await minify(code ?? '', { module: true, compress: false, mangle: false, format: { comments: FOR_BUNDLERS }, sourceMap });
  writeFileSync(file, short.code ?? '');
  writeFileSync(`${file}.map`, String(short.map));
}

function copyCores() {
  for (const name of ['core.wasm', 'core.simd.wasm']) {
    copyFileSync(`build/${name}`, `dist/${name}`);
  }
}

mkdirSync('dist', { recursive: true });
for (const name of readdirSync('dist')) {
  if (name !== 'types') rmSync(`dist/${name}`, { recursive: true });
}
await bundleWorker();
const metafiles = [await bundleBlobWorker()];
for (const doors of DOORS) metafiles.push(await bundleDoors(doors));
copyCores();
writeNotices(metafiles, 'dist/THIRD-PARTY-NOTICES.txt');
for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js')).sort()) {
  const bytes = readFileSync(`dist/${name}`);
  console.log(`build:js: ${name.padEnd(28)} ${bytes.length} bytes, ${gzipSync(bytes).length} gzip`);
}
