// Changes of sources on their way into a bundle, as plugins for either bundler.
import { readFileSync } from 'node:fs';

/** @typedef {{ name: string, filter: RegExp, edit: (contents: string) => string }} SourceEdit */

/**
 * Points `new URL(…, import.meta.url)` at the files of dist/: the sources name their neighbours in the repository.
 * @param {Readonly<Record<string, string>>} targets
 * @returns {SourceEdit}
 */
export function retargetUrls(targets) {
  const pattern = /new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g;
  return {
    name: 'retarget-urls',
    filter: /[/\\](src|bindings)[/\\].*\.ts$/,
    edit: (contents) =>
      contents.replace(pattern, (whole, /** @type {string} */ url) => {
        const target = targets[url.slice(url.lastIndexOf('/') + 1)];
        return target === undefined ? whole : `new URL('${target}', import.meta.url)`;
      }),
  };
}

/** idb adds shortcuts and cursor iterators by calls that a bundler has to keep; nothing here uses them. @type {SourceEdit} */
export const idbWithoutExtras = {
  name: 'idb-without-extras',
  filter: /[/\\]idb[/\\]build[/\\]index\.js$/,
  edit: (contents) => contents.replaceAll(/^replaceTraps\(/gm, '/* @__PURE__ */ $&'),
};

/**
 * comlink can also get, set, construct and clone what is on the other side; here it calls functions, and takes nothing else. Nothing of
 * another origin reaches a worker or a port, and what was thrown crosses by src/worker/fault-transfer.ts.
 * @type {SourceEdit}
 */
export const comlinkWithoutExtras = {
  name: 'comlink-without-extras',
  filter: /[/\\]comlink[/\\]dist[/\\]esm[/\\]comlink\.mjs$/,
  edit: (contents) =>
    contents
      .replaceAll(/^ *case "(?:GET|SET|CONSTRUCT|ENDPOINT)"[^]*?^ *break;\n/gm, '')
      .replaceAll(/^ *if \(last === createEndpoint\)[^]*?^            \}\n/gm, '')
      .replaceAll(/^ *if \(last === "bind"\)[^]*?^            \}\n/gm, '')
      .replaceAll(/^ *if \(path\.length === 0\)[^]*?return r\.then\.bind\(r\);\n/gm, 'return undefined;\n')
      .replaceAll(/^ *if \(!isAllowedOrigin\([^]*?^        \}\n/gm, '')
      .replaceAll(/^const throwTransferHandler = [^]*?^\};\n/gm, 'const throwTransferHandler = { canHandle: (value) => isObject(value) && throwMarker in value };\n')
      .replaceAll(/^        (?:set|construct)\(_target[^]*?^        \},\n/gm, ''),
};

/** @param {SourceEdit} edit @returns {import('esbuild').Plugin} */
export function forEsbuild({ name, filter, edit }) {
  return {
    name,
    setup: (setup) => setup.onLoad({ filter }, ({ path }) => ({ contents: edit(readFileSync(path, 'utf8')), loader: path.endsWith('.ts') ? 'ts' : 'js' })),
  };
}

/** @param {SourceEdit} edit @returns {import('rolldown').Plugin} */
export function forRolldown({ name, filter, edit }) {
  return { name, load: (id) => (filter.test(id) ? edit(readFileSync(id, 'utf8')) : null) };
}
