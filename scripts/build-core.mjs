// Compiles assembly/ into build/: all of it as scalar, SIMD and debug builds, the part for devices, and that for large batches; the
// last two are inlined for src/core.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { inlineCore } from './inline-core.mjs';

mkdirSync('build', { recursive: true });
const ENTRIES = { release: 'index', simd: 'index', debug: 'index', device: 'device', 'batch': 'batch', 'batch-simd': 'batch', 'batch-debug': 'batch' };
for (const [target, entry] of Object.entries(ENTRIES)) {
  const args = ['node_modules/assemblyscript/bin/asc.js', `assembly/${entry}.ts`, '--config', 'asconfig.json', '--target', target];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
inlineCore();
