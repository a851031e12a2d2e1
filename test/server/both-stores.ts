import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { memory } from '../../src/server/store/memory.ts';
import { pglite, type PGliteStore } from '../../src/server/store/pglite.ts';
import { createWorld, type TestWorldOptions } from './harness.ts';

export type NewWorld = (options?: TestWorldOptions) => ReturnType<typeof createWorld>;

/** Registers tests once for each store. PGlite is opened once, and each world is a tenant of it. */
export function describeOnBothStores(name: string, define: (newWorld: NewWorld) => void): void {
  describe(`${name}, in memory`, () => define((options) => createWorld({ store: memory(), ...options })));
  describe(`${name}, on PGlite`, { timeout: 60_000 }, () => {
    let folder = '', worlds = 0;
    let store: PGliteStore | undefined;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'fieldtide-both-'));
      store = pglite({ folder, seedFolder: join(tmpdir(), 'fieldtide-test-seed') });
      await store.ready;
    }, 60_000);
    afterAll(async () => {
      await store?.close();
      rmSync(folder, { recursive: true, force: true });
    });
    define((options) => createWorld({ store: store!, tenant: `tenant-${++worlds}`, ...options }));
  });
}
