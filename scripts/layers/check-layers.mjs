// The layer check itself: pure, so that a test can hand it a planted violation.
import { posix } from 'node:path';
import { readSources } from './read-sources.mjs';
import { FORBIDDEN_GLOBALS, GLOBALS_ALLOWED, IMPORT_RULES, PACKAGE_RULES } from './rules.mjs';

/** @typedef {{ path: string, line: number, message: string }} Violation */

/**
 * @param {ReadonlyMap<string, string>} files path from the repository's root → text
 * @returns {Violation[]}
 */
export function checkLayers(files) {
  const sources = readSources(files);
  /** @type {Violation[]} */
  const violations = [];
  for (const [path, { imports, globals }] of sources) {
    for (const found of imports) violations.push(...checkImport(path, found));
    if (path.startsWith('src/')) violations.push(...checkGlobals(path, globals));
  }
  return [...violations, ...checkCycles(sources)];
}

/**
 * @param {string} path
 * @param {import('./read-sources.mjs').Import} found
 * @returns {Violation[]}
 */
function checkImport(path, { specifier, line }) {
  const report = (/** @type {string} */ message) => [{ path, line, message }];
  if (!specifier.startsWith('.')) {
    const name = specifier.startsWith('node:') ? 'node:' : packageName(specifier);
    const places = PACKAGE_RULES[name];
    if (!places) return report(`package ${name} is not one that the build may bundle: see scripts/layers/rules.mjs`);
    return matches(path, places) ? [] : report(`package ${name} belongs in ${places.join(', ')}: pass what you need in from there`);
  }
  if (!specifier.endsWith('.ts')) return report(`write the real extension: '${specifier.replace(/\.js$/, '')}.ts'`);
  const rule = IMPORT_RULES.find(({ files }) => matches(path, [files]));
  if (!rule) return report('no layer has this folder: add it to scripts/layers/rules.mjs');
  const target = resolveImport(path, specifier);
  return matches(target, rule.mayImport) ? [] : report(`${rule.files} may not import ${target}: allowed are ${rule.mayImport.join(', ') || 'none'}`);
}

/**
 * @param {string} path
 * @param {readonly import('./read-sources.mjs').GlobalUse[]} uses
 * @returns {Violation[]}
 */
function checkGlobals(path, uses) {
  const allowed = new Set(GLOBALS_ALLOWED.filter(({ files }) => matches(path, [files])).flatMap(({ globals }) => globals));
  return uses.flatMap(({ name, line }) => {
    const advice = Object.hasOwn(FORBIDDEN_GLOBALS, name) ? FORBIDDEN_GLOBALS[name] : undefined;
    return advice === undefined || allowed.has(name) ? [] : [{ path, line, message: `${name} is a global: ${advice}` }];
  });
}

/**
 * Types alone may point both ways; code that runs may not.
 * @param {ReadonlyMap<string, import('./read-sources.mjs').Source>} sources
 * @returns {Violation[]}
 */
function checkCycles(sources) {
  /** @type {Violation[]} */
  const violations = [];
  /** @type {Set<string>} */
  const done = new Set();
  const walk = (/** @type {string} */ path, /** @type {string[]} */ trail) => {
    if (done.has(path)) return;
    for (const { specifier, line, isTypeOnly } of sources.get(path)?.imports ?? []) {
      if (isTypeOnly || !specifier.startsWith('.')) continue;
      const target = resolveImport(path, specifier);
      const start = [...trail, path].indexOf(target);
      if (start >= 0) violations.push({ path, line, message: `import cycle: ${[...trail, path, target].slice(start).join(' → ')}` });
      else walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) walk(path, []);
  return violations;
}

/**
 * @param {string} path
 * @param {string} specifier
 */
function resolveImport(path, specifier) {
  return posix.join(posix.dirname(path), specifier);
}

/** @param {string} specifier */
function packageName(specifier) {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/**
 * Later patterns win over earlier ones, as in .gitignore.
 * @param {string} path
 * @param {readonly string[]} patterns
 */
export function matches(path, patterns) {
  let isMatch = false;
  for (const pattern of patterns) {
    const isException = pattern.startsWith('!');
    if (toRegExp(isException ? pattern.slice(1) : pattern).test(path)) isMatch = !isException;
  }
  return isMatch;
}

/** @param {string} pattern */
function toRegExp(pattern) {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${source}${pattern.endsWith('/') ? '' : '$'}`);
}
