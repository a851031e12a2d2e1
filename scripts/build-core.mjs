// Compiles assembly/ three times (scalar, SIMD, debug) into build/ and inlines the scalar build for src/core.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { inlineCore } from './inline-core.mjs';

mkdirSync('build', { recursive: true });
for (const target of ['release', 'simd', 'debug']) {
  const args = ['node_modules/assemblyscript/bin/asc.js', '--config', 'asconfig.json', '--target', target];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
inlineCore();
