import type { BatchCore } from './batch.ts';
import type { CoreOptions } from './open-wasm-core.ts';

/** Loads the core for large batches: the Wasm build that this engine takes, or its twin in plain TypeScript. */
export async function loadBatchCore(_options: CoreOptions): Promise<BatchCore> {
  const { createTwinBatchCore } = await import('./twin.ts');
  return createTwinBatchCore();
}
