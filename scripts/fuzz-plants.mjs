// Bugs that are planted into a copy of the core: a fuzzer that does not find them is broken itself.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the builds of the modules begin. */
const ENTRIES = { core: 'index.ts', batch: 'batch.ts' };

/**
 * A bug is a text of a file, and what stands there instead.
 * @typedef {{ name: string, module: keyof typeof ENTRIES, file: string, from: string, to: string }} Plant
 */

/** @type {readonly Plant[]} */
export const PLANTS = [
  { module: 'core', name: 'a value that is read behind its end', file: 'msgpack/skip.ts', from: 'size != 0 && size <= <u32>(end - at)', to: 'size != 0' },
  { module: 'core', name: 'regions that overlap', file: 'regions.ts', from: '<u64>region < previousEnd || ', to: '' },
  { module: 'core', name: 'an index without an end', file: 'items.ts', from: 'if (<u64>(count + 1) * IMAGE_WORDS * 4 > indexBytes)', to: 'if (false)' },
  {
    module: 'core',
    name: 'an id that lies outside of the items',
    file: 'plan.ts',
    from: 'if (<u64>wordOf(entry, IMAGE_ID_AT) + wordOf(entry, IMAGE_ID_BYTES) > plan.itemsBytes) return false;',
    to: '',
  },
  { module: 'core', name: 'a scan that remembers the one before', file: 'msgpack/scan.ts', from: 'setWord(left, members)', to: 'setWord(left, wordAt(left) + members)' },
  {
    module: 'batch',
    name: 'a row of a block that ends outside of it',
    file: 'batch/merge.ts',
    from: 'if (keyEnd < end || valueEnd < keyEnd || valueEnd > dataBytes) return refuse(STATUS_TRUNCATED, block);',
    to: '',
  },
  { module: 'batch', name: 'records in the order of their bytes', file: 'batch/ids.ts', from: 'byte == 0xee || byte == 0xef ? byte + 0x10 : byte', to: 'byte' },
];

/**
 * Compiles the core with one bug.
 * @param {Plant} plant
 * @param {string} folder
 * @returns {string} the module
 */
export function buildPlanted({ name, module, file, from, to }, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sources = join(folder, 'assembly'), path = join(sources, file), wasm = join(folder, 'core.wasm');
  cpSync('assembly', sources, { recursive: true });
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${name}: ${file} does not say once what the bug stands for`);
  writeFileSync(path, text.replace(from, () => to));
  const args = ['node_modules/assemblyscript/bin/asc.js', join(sources, ENTRIES[module]), '--runtime', 'stub', '-O1', '--noAssert', '--outFile', wasm];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${name}: the core with this bug does not compile`);
  return wasm;
}
