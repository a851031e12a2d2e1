import { readFile } from 'node:fs/promises';
import { describeCores } from './describe-cores.ts';

describeCores({
  twin: async () => undefined,
  scalar: async () => undefined,
  simd: () => readFile('build/core.simd.wasm'),
  debug: () => readFile('build/core.debug.wasm'),
});
