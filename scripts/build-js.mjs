// Bundles dist/: the public entry points with shared chunks, and the worker as one self-contained file.
// Everything but the worker lies flat, so a URL relative to import.meta.url means the same in every chunk.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';
import { writeNotices } from './third-party-notices.mjs';

const WORKER_ENTRY = 'src/worker/worker-entry.ts';
const BLOB_SOURCE = 'src/worker/blob-source.generated.ts';

/** File of dist/ → source; the same doors as `exports` in package.json. */
const ENTRIES = {
  'index': 'bindings/web/index.ts',
  'node': 'bindings/node/index.ts',
  'schema': 'src/schema.ts',
  'storage-memory': 'src/storage/memory.ts',
  'storage-indexeddb': 'src/storage/indexeddb.ts',
  'server': 'src/server/index.ts',
  'server-node': 'src/server/http/node.ts',
  'server-memory': 'src/server/store/memory.ts',
  'server-pglite': 'src/server/store/pglite.ts',
  'server-postgres': 'src/server/store/postgres.ts',
  'testing': 'src/testing/index.ts',
  'worker/twin': 'src/core/twin.ts',
  'worker/loader': 'node_modules/@assemblyscript/loader/index.js',
};

/** @type {import('esbuild').BuildOptions & { metafile: true }} */
const COMMON = {
  bundle: true,
  target: 'es2022',
  platform: 'browser',
  conditions: ['browser'], // msgpackr without its optional native part, in Node too
  external: ['node:*', '@electric-sql/pglite', '@electric-sql/pglite/*', 'pg'],
  minify: true,
  sourcemap: true,
  sourcesContent: true,
  metafile: true,
  logLevel: 'warning',
};

/**
 * Points `new URL(…, import.meta.url)` at the files of dist/: the sources name their neighbours in the repository.
 * @param {Record<string, string>} targets
 * @returns {import('esbuild').Plugin}
 */
function retargetUrls(targets) {
  const pattern = /new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g;
  return {
    name: 'retarget-urls',
    setup(setup) {
      setup.onLoad({ filter: /[/\\](src|bindings)[/\\].*\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8').replace(pattern, (whole, /** @type {string} */ url) => {
          const target = targets[url.slice(url.lastIndexOf('/') + 1)];
          return target === undefined ? whole : `new URL('${target}', import.meta.url)`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}

/**
 * Squeezes a bundle further: terser inlines and folds what esbuild leaves, 4 % of the worker.
 * @param {string} code
 * @param {{ isModule: boolean, map?: string }} options
 */
async function squeeze(code, { isModule, map }) {
  return minify(code, {
    module: isModule,
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: true, inline: 1, lhs_constants: false },
    format: { comments: false }, // licences are in THIRD-PARTY-NOTICES.txt
    ...(map === undefined ? {} : { sourceMap: { content: map, url: 'worker.js.map' } }),
  });
}

/**
 * What nearly no worker needs lies in files beside it: the twin, for where there is no WebAssembly, and the loader of debug builds.
 * @type {import('esbuild').Plugin}
 */
const besideWorker = {
  name: 'beside-worker',
  setup(setup) {
    setup.onResolve({ filter: /\/twin\.ts$|^@assemblyscript\/loader$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: path.endsWith('twin.ts') ? './twin.js' : './loader.js', external: true } : null,
    );
  },
};

/** idb adds shortcuts and cursor iterators by calls that a bundler has to keep; nothing here uses them. @type {import('esbuild').Plugin} */
const idbWithoutExtras = {
  name: 'idb-without-extras',
  setup(setup) {
    setup.onLoad({ filter: /[/\\]idb[/\\]build[/\\]index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(/^replaceTraps\(/gm, '/* @__PURE__ */ $&'),
    }));
  },
};

async function bundleWorker() {
  const urls = { 'core.simd.wasm': '../core.simd.wasm', 'core.wasm': '../core.wasm' };
  const options = { ...COMMON, entryPoints: [WORKER_ENTRY], plugins: [retargetUrls(urls), idbWithoutExtras] };
  const file = await build({ ...options, plugins: [...options.plugins, besideWorker], format: 'esm', sourcemap: 'external', outfile: 'dist/worker/worker.js' });
  const [code, map] = ['', '.map'].map((suffix) => readFileSync(`dist/worker/worker.js${suffix}`, 'utf8'));
  const squeezed = await squeeze(code ?? '', { isModule: true, map: map ?? '' });
  writeFileSync('dist/worker/worker.js', squeezed.code ?? '');
  writeFileSync('dist/worker/worker.js.map', String(squeezed.map));
  // A Blob worker is a classic script without a URL of its own: import.meta is empty there, by design.
  const script = await build({
    ...options,
    format: 'iife',
    sourcemap: false,
    write: false,
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const { code: text } = await squeeze(script.outputFiles?.[0]?.text ?? '', { isModule: false });
  const source = JSON.stringify(text);
  writeFileSync(
    BLOB_SOURCE,
    `// Written by scripts/build-js.mjs from ${WORKER_ENTRY}; not in git.\nexport const WORKER_SOURCE: string = ${source};\n`,
  );
  return file.metafile;
}

async function bundleEntries() {
  const urls = {
    'worker-entry.ts': './worker/worker.js',
    'core.simd.wasm': './core.simd.wasm',
    'core.wasm': './core.wasm',
  };
  /** @type {Record<string, string>} */
  const entryPoints = { ...ENTRIES, 'worker/blob-source': BLOB_SOURCE };
  const result = await build({
    ...COMMON,
    entryPoints,
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    plugins: [retargetUrls(urls)],
  });
  return result.metafile;
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
const metafiles = [await bundleWorker(), await bundleEntries()];
copyCores();
writeNotices(metafiles, 'dist/THIRD-PARTY-NOTICES.txt');
for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js')).sort()) {
  const bytes = readFileSync(`dist/${name}`);
  console.log(`build:js: ${name.padEnd(28)} ${bytes.length} bytes, ${gzipSync(bytes).length} gzip`);
}
