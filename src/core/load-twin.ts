import type { Core } from './core.ts';

/** The twin is 4 KB that nearly nobody needs: a file of its own. */
export async function loadTwin(): Promise<Core> {
  const { createTwinCore } = await import('./twin.ts');
  return createTwinCore();
}
