import { readFile } from 'node:fs/promises';
import type { Core } from '../../src/core/core.ts';
import { loadCore } from '../../src/core/load-core.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { platformRandom } from '../../src/shared/platform.ts';

/** The cores that benchmarks hold side by side. */
export async function loadCores(): Promise<{ readonly twin: Core; readonly scalar: Core; readonly simd: Core }> {
  return {
    twin: await loadCore(WHOLE_EDITION, { build: 'twin', random: platformRandom }),
    scalar: await loadCore(WHOLE_EDITION, { bytes: await readFile('build/core.wasm'), build: 'scalar', random: platformRandom }),
    simd: await loadCore(WHOLE_EDITION, { bytes: await readFile('build/core.simd.wasm'), random: platformRandom }),
  };
}
