import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { memory } from '../../src/server/store/memory.ts';
import { pglite, type PGliteStore } from '../../src/server/store/pglite.ts';
import { postgres, type PostgresStore } from '../../src/server/store/postgres.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';
import type { Schema } from '../../src/schema.ts';
import { createWorld, type schema, type TestWorldOptions } from './harness.ts';

export type NewWorld = <S extends Schema = typeof schema>(options?: TestWorldOptions<S>) => ReturnType<typeof createWorld>;

/** Registers tests once for each store: memory, and both kinds of SQL store. A database is opened once, and each world is a tenant of it. */
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
  });  describeOnPostgres(`${name}, on PostgreSQL`, { timeout: 60_000 }, () => {
    let worlds = 0;
    let server: TestPostgres | undefined;
    let store: PostgresStore | undefined;
    beforeAll(async () => {
      server = await startPostgres();
      store = postgres({ url: await server.createDatabase() });
      await store.ready;
    }, 60_000);
    afterAll(async () => {
      await store?.close();
      await server?.stop();
    });
    define((options) => createWorld({ store: store!, tenant: `tenant-${++worlds}`, ...options }));
  });
}
