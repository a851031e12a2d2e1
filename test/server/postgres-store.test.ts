import { afterAll, beforeAll, describe, test } from 'vitest';
import { postgres } from '../../src/server/store/postgres.ts';
import { describeServerStore } from '../../src/testing/describe-server-store.ts';
import { describeOnPostgres } from '../support/postgres.ts';
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts';

describeOnPostgres('the suite of stores', { timeout: 60_000 }, () => {
  let server: TestPostgres;
  let url = '';
  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
  });
  afterAll(() => server.stop());

  const open = () => postgres({ url });
  describeServerStore({ name: 'postgres', describe, test, open, reopen: open });
});
