// Finds what turns the Wasm core into a program that libFuzzer runs, and installs it when asked to. Depends on node builtins only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's names: the compiler, its libFuzzer and sanitizers, and wasm2c. */
const PACKAGES = ['clang', 'libclang-rt-dev', 'wabt'];

/** Where the header lies that the C of wasm2c includes. */
const RUNTIME_PLACES = ['/usr/src/wasm2c', '/usr/share/wabt/wasm2c', '/usr/include', '/usr/local/include', '/opt/homebrew/include'];

/** The version of wasm2c whose C the harness is written against; others name things in another way. */
const WASM2C_VERSION = '1.0.32';

/** @typedef {{ runtime: string }} FuzzTools */

/**
 * Returns what there is, installing it first where that can be done; a text says what is missing.
 * @returns {FuzzTools | string}
 */
export function ensureFuzzTools() {
  const found = findFuzzTools();
  if (typeof found !== 'string' || !installFromDebian(found)) return found;
  return findFuzzTools();
}

/** @returns {FuzzTools | string} */
export function findFuzzTools() {
  const version = outputOf('wasm2c', ['--version']);
  if (version === undefined) return 'wasm2c is not installed (wabt)';
  if (version !== WASM2C_VERSION) return `wasm2c is version ${version}, not ${WASM2C_VERSION}`;
  const runtime = RUNTIME_PLACES.find((folder) => existsSync(join(folder, 'wasm-rt.h')));
  if (runtime === undefined) return 'the header of wasm2c, wasm-rt.h, is not where it usually is';
  return canFuzz() ? { runtime } : 'clang with libFuzzer and AddressSanitizer is not installed';
}

/** A clang without its run-time libraries compiles, and does not link. */
function canFuzz() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldtide-fuzz-'));
  try {
    const source = join(folder, 'empty.c');
    writeFileSync(source, 'int LLVMFuzzerTestOneInput(const unsigned char *bytes, unsigned long length) { return bytes[length - 1] == 0; }\n');
    return spawnSync('clang', ['-fsanitize=fuzzer,address,undefined', source, '-o', join(folder, 'empty')], { stdio: 'ignore' }).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} missing
 * @returns {boolean} whether it was tried
 */
function installFromDebian(missing) {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const isDebian = /^ID=debian$/m.test(release);
  if (!isDebian || process.getuid?.() !== 0) return false;
  console.log(`${missing}: installing the packages ${PACKAGES.join(', ')} of Debian`);
  return run('apt-get', ['update']) && run('apt-get', ['install', '-y', '--no-install-recommends', ...PACKAGES]);
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {string | undefined}
 */
function outputOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
