// Bundles the worker: one file with everything that a start needs, and beside it a file for each part that it imports dynamically.
//
// A part imports nothing from the worker: it is a function that is handed what the two share. Were it to import the worker's file, then
// wherever that has a query behind its address (development servers add one) a second worker would start inside the first.
import { build, transform } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { rolldown } from 'rolldown';
import { minify } from 'terser';
import { comlinkWithoutExtras, forRolldown, idbWithoutExtras, retargetUrls } from './bundle-edits.mjs';

export const WORKER_ENTRY = 'src/worker/worker-entry.ts';
const FOLDER = 'dist/worker';
const WORKER = 'worker.js';

/** The comments that stay: what they say is for the bundlers of hosts. Licences are in THIRD-PARTY-NOTICES.txt. */
export const FOR_BUNDLERS = /^ (@vite-ignore|webpackIgnore: true) $/;

/** Where the worker, or whatever contains it, finds the cores. */
export const CORE_URLS = { 'core.simd.wasm': '../core.simd.wasm', 'core.wasm': '../core.wasm' };

/** What nearly no worker needs, and needs nothing of it: the twin, for where there is no WebAssembly, and the loader of debug builds. */
const BESIDE = { twin: 'src/core/twin.ts', loader: 'node_modules/@assemblyscript/loader/index.js' };

/** What a chunk shares with others. */
const EXPORTS = /^export \{ (.*) \};$/m;

/** @type {import('rolldown').Plugin} */
const besideWorker = {
  name: 'beside-worker',
  resolveId(source, _importer, { kind }) {
    if (kind !== 'dynamic-import') return null;
    if (source.endsWith('/twin.ts')) return { id: './twin.js', external: 'relative' };
    return source === '@assemblyscript/loader' ? { id: './loader.js', external: 'relative' } : null;
  },
};

/** Writes worker and parts, each with its source map. */
export async function bundleWorker() {
  const atStart = watchStart();
  const bundle = await rolldown({
    input: { worker: WORKER_ENTRY },
    platform: 'browser',
    preserveEntrySignatures: 'allow-extension',
    transform: { target: 'es2022' },
    plugins: [besideWorker, atStart.plugin, forRolldown(retargetUrls(CORE_URLS)), forRolldown(idbWithoutExtras), forRolldown(comlinkWithoutExtras)],
  });
  const { output } = await bundle.generate({
    dir: FOLDER,
    format: 'es',
    sourcemap: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'worker', test: atStart.has }] },
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  const names = nameFiles(chunks);
  const [, list = ''] = EXPORTS.exec(chunks.find(({ fileName }) => fileName === WORKER)?.code ?? '') ?? [];
  const shared = list.split(', ').map((name) => name.replace(/^.* as /, ''));
  mkdirSync(FOLDER, { recursive: true });
  for (const { code, map, fileName } of chunks) {
    const linked = fileName === WORKER ? linkWorker(code, names) : linkPart(code, names, shared);
    await writeSqueezed(names.get(fileName) ?? fileName, linked, String(map));
  }
  await bundleBeside();
}

async function bundleBeside() {
  const { outputFiles } = await build({
    entryPoints: BESIDE,
    outdir: FOLDER,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'external',
    write: false,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles.filter(({ path: name }) => name.endsWith('.js'))) {
    await writeSqueezed(basename(path), text, outputFiles.find(({ path: other }) => other === `${path}.map`)?.text ?? '');
  }
}

/** Notes what the worker imports statically: left alone, the bundler would lay some of it in files that a start has to wait for. */
function watchStart() {
  /** @type {Map<string, readonly string[]>} */
  const imports = new Map();
  /** @type {Set<string>} */
  const found = new Set();
  let entry = '';

  /** @param {string} id */
  function find(id) {
    if (found.has(id)) return;
    found.add(id);
    for (const imported of imports.get(id) ?? []) find(imported);
  }

  return {
    /** @type {import('rolldown').Plugin} */
    plugin: {
      name: 'watch-start',
      moduleParsed({ id, isEntry, importedIds }) {
        imports.set(id, importedIds);
        if (isEntry) entry = id;
      },
    },
    /** @param {string} id */
    has(id) {
      if (found.size === 0) find(entry);
      return found.has(id);
    },
  };
}

/**
 * A part goes with one worker only, since what they share has names of one letter: the names of parts change with any change of the
 * code, and a worker that is still open after the next deployment finds no part rather than another release's.
 * @param {readonly { code: string, fileName: string }[]} chunks
 */
function nameFiles(chunks) {
  const hash = createHash('sha256');
  for (const { code } of chunks) hash.update(code);
  const release = hash.digest('hex').slice(0, 8);
  return new Map(chunks.map(({ fileName }) => [fileName, fileName === WORKER ? WORKER : fileName.replace('.js', `-${release}.js`)]));
}

/**
 * Lets the worker hand each part what it exports for them: in a list, since names would weigh more than what they name.
 * @param {string} code
 * @param {Map<string, string>} names
 */
function linkWorker(code, names) {
  if (/^import\b/m.test(code)) throw new Error('the worker does not start from one file');
  return code
    .replaceAll(/\bimport\("\.\/([\w-]+\.js)"\)/g, (whole, /** @type {string} */ file) => (names.has(file) ? `import("./${names.get(file)}").then(__open)` : whole))
    .replaceAll(/\bimport\(((?:\s*\/\*.*?\*\/)+\s*\w+)\s*\)/g, 'import($1).then(__open)')
    .replace(EXPORTS, (_, /** @type {string} */ list) => `function __open(part) { return part.default([${list.replaceAll(/ as [\w$]+/g, '')}]); }`);
}

/**
 * Makes a function of a part. All of it stays on its line, for the source map.
 * @param {string} code
 * @param {Map<string, string>} names
 * @param {readonly string[]} shared the worker's exports, in their order
 */
function linkPart(code, names, shared) {
  /** @type {string[]} */
  const others = [];
  const body = code
    .replaceAll(/^import \{ (.*) \} from "\.\/([\w-]+\.js)";$/gm, (_, /** @type {string} */ list, /** @type {string} */ file) => {
      if (file === WORKER) return `const { ${list.replaceAll(/([\w$]+)(?: as ([\w$]+))?/g, (__, /** @type {string} */ name, local = name) => `${placeOf(shared, name)}: ${local}`)} } = __shared;`;
      const bindings = list.replaceAll(' as ', ': ');
      others.push(`import __other${others.length} from "./${names.get(file)}";`);
      return `const { ${bindings} } = __other${others.length - 1}(__shared);`;
    })
    .replace(EXPORTS, (_, /** @type {string} */ list) => `return { ${renamed(list)} }; })();`);
  if (/^(import|export)\b/m.test(body) || [...names.keys()].some((file) => body.includes(`import("./${file}")`))) throw new Error(`a part of the worker cannot be linked:\n${body}`);
  return `${others.join(' ')} let __made; export default (__shared) => __made ??= (() => { ${body}`;
}

/**
 * @param {readonly string[]} shared
 * @param {string} name
 */
function placeOf(shared, name) {
  const place = shared.indexOf(name);
  if (place < 0) throw new Error(`the worker does not share ${name}`);
  return place;
}

/** `local as exported` of an export list as members of an object literal. @param {string} list */
function renamed(list) {
  return list.replaceAll(/([\w$]+) as ([\w$]+)/g, '$2: $1');
}

/**
 * @param {string} name
 * @param {string} code
 * @param {string} map
 */
async function writeSqueezed(name, code, map) {
  const inline = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`;
  const short = await transform(code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '') + inline, { minifySyntax: true, minifyIdentifiers: true, sourcemap: 'external', target: 'es2022' });
  const squeezed = await squeeze(short.code, { isModule: true, map: { content: short.map, url: `${name}.map` } });
  writeFileSync(`${FOLDER}/${name}`, squeezed.code ?? '');
  writeFileSync(`${FOLDER}/${name}.map`, String(squeezed.map));
}

/**
 * Squeezes a bundle further: terser inlines and folds what esbuild leaves, 4 % of the worker.
 * @param {string} code
 * @param {{ isModule: boolean, map?: { content: string, url: string } }} options
 */
export async function squeeze(code, { isModule, map }) {
  return minify(code, {
    module: isModule,
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: true, inline: 1, lhs_constants: false },
    format: { comments: FOR_BUNDLERS },
    ...(map === undefined ? {} : { sourceMap: map }),
  });
}
