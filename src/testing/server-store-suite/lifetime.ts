import type { ServerStoreSuiteOptions } from '../describe-server-store.ts';
import { assertEqual, assertFault, assertThat } from '../assert.ts';
import { testWith } from '../suite-runner.ts';
import { note, noteKey, type StoreSuite } from './context.ts';

export function describeStoreLifetime({ runner, store }: StoreSuite, { reopen }: ServerStoreSuiteOptions): void {
  runner.describe('lifetime', () => {
    runner.test('says what an acknowledged commit survives', async () => {
      assertThat(['none', 'process-crash', 'power-loss'].includes(await (await store()).durability()), 'one of the three');
    });

    runner.test('answers nothing after it was closed', async () => {
      const opened = await store();
      await opened.run('kept', (transaction) => transaction.putRecords([note('a', 'kept', 7)]));
      await opened.close();
      await assertFault(opened.run('kept', (transaction) => transaction.epoch()), 'STORAGE_CLOSED', 'a transaction');
      await assertFault(opened.read('kept', (view) => view.epoch()), 'STORAGE_CLOSED', 'a read');
      await opened.close();
    });

    testWith(runner, 'keeps what was committed when it is opened again', ['reopen', reopen], async (openAgain) => {
      const opened = await openAgain();
      assertEqual((await opened.read('kept', (view) => view.getRecords([noteKey('a')]))).map(({ version }) => version), [[1, 7]], 'the record');
      await opened.close();
    });
  });
}
