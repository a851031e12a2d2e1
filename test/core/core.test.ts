import { readFile } from 'node:fs/promises';
import { describeCores } from './describe-cores.ts';

describeCores({
  twin: async () => undefined,
  device: async () => undefined,
  scalar: () => readFile('build/core.wasm'),
  simd: () => readFile('build/core.simd.wasm'),
  debug: () => readFile('build/core.debug.wasm'),
});
