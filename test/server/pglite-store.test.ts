import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { pglite } from '../../src/server/store/pglite.ts';
import { describeServerStore } from '../../src/testing/describe-server-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'fieldtide-store-'));
const seedFolder = join(tmpdir(), 'fieldtide-test-seed');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = () => pglite({ folder, seedFolder });
describeServerStore({ name: 'pglite', describe, test: Object.assign((name: string, run: () => Promise<void>) => test(name, run, 60_000), { skip: test.skip }), open, reopen: open });
