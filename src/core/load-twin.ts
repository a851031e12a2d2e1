import type { BatchCore } from './batch.ts';
import type { Core } from './core.ts';

/** The twin is 4 KB that nearly nobody needs: a file of its own. */
export async function loadTwin(): Promise<Core> {
  const { createTwinCore } = await import('./twin.ts');
  return createTwinCore();
}

/** The twin for large batches, which lies in the same file. */
export async function loadBatchTwin(): Promise<BatchCore> {
  const { createTwinBatchCore } = await import('./twin.ts');
  return createTwinBatchCore();
}
