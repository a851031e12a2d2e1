import { readFile } from 'node:fs/promises';
import { describeCores } from './core-table.ts';

describeCores({
  simd: () => readFile('build/core.simd.wasm'),
  debug: () => readFile('build/core.debug.wasm'),
});
