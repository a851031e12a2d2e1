// Makes a fuzzer of a Wasm module: C by wasm2c, the harness of test/fuzz/native around it, sanitizers in both.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HARNESS = 'test/fuzz/native';
/** Files of the harness that every module needs; the others begin with the name of theirs. */
const COMMON = ['fuzz.c', 'regions.c', 'runtime.c'];

// Bounds of memory are checked one by one, not by a page that faults: what is poisoned lies within the memory.
const FLAGS = ['-O1', '-g', '-fno-omit-frame-pointer', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=undefined', '-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0'];

/**
 * @param {{ module: string, wasm: string, folder: string, runtime: string }} options - the module's name chooses its part of the harness.
 * @returns {string} the program
 */
export function buildFuzzer({ module, wasm, folder, runtime }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const generated = join(folder, 'core.c'), object = join(folder, 'core.o'), program = join(folder, 'fuzz');
  run('wasm2c', [wasm, '-n', 'core', '-o', generated]);
  writeFileSync(join(folder, 'layout.h'), layoutHeader());
  writeFileSync(join(folder, 'module.h'), moduleHeader(readFileSync(join(folder, 'core.h'), 'utf8')));
  const includes = [`-I${folder}`, `-I${HARNESS}`, `-I${runtime}`];
  const sources = readdirSync(HARNESS).filter((name) => name.endsWith('.c') && (COMMON.includes(name) || name.startsWith(`${module}-`)));
  // wasm2c takes the sign off a NaN with a shift that C does not define.
  run('clang', [...FLAGS, '-fno-sanitize=shift', ...includes, '-w', '-c', generated, '-o', object]);
  run('clang', [...FLAGS, ...includes, '-Wall', '-Wextra', '-Werror', object, ...sources.map((name) => join(HARNESS, name)), '-o', program]);
  return program;
}

/** The numbers of assembly/layout.ts. */
function layoutHeader() {
  const numbers = readFileSync('assembly/layout.ts', 'utf8').matchAll(/^export const (\w+) = (-?\w+);/gm);
  return ['#pragma once', ...Array.from(numbers, ([, name, value]) => `#define ${name} ${value}`), ''].join('\n');
}

/**
 * What the harness calls the module's own names.
 * @param {string} header
 */
function moduleHeader(header) {
  const names = Array.from(header.matchAll(/export: '(\w+)' \*\/\s.*?\b(Z_coreZ_\w+)\(/g), ([, name, symbol]) => `#define call_${name} ${symbol}`);
  return `#pragma once
#include "core.h"
typedef Z_core_instance_t Instance;
${names.join('\n')}
static inline void open_module(Instance *instance) { Z_core_init_module(); Z_core_instantiate(instance); }
static inline wasm_rt_memory_t *memory_of(Instance *instance) { return Z_coreZ_memory(instance); }
static inline uint32_t regions_begin(Instance *instance) { return *Z_coreZ_regionsBegin(instance); }
`;
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} failed: see its message above`);
}
