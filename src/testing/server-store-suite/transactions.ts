import type { StoreTransaction } from '../../server/store/server-store.ts';
import { assertEqual, assertFault, assertThat } from '../assert.ts';
import { note, noteKey, type StorePlace, type StoreSuite } from './context.ts';

export function describeTransactions({ runner, test }: StoreSuite): void {
  runner.describe('transactions', () => {
    test('write nothing when the work throws, and let through what it throws', async (place) => {
      await writeSomething(place);
      const before = await contents(place);
      const mine = new Error('mine');
      let thrown: unknown;
      try {
        await place.run(async (transaction) => {
          await writeEverything(transaction);
          throw mine;
        });
      } catch (caught) {
        thrown = caught;
      }
      assertThat(thrown === mine, 'the very error of the work');
      assertEqual(await contents(place), before, 'nothing changed');
    });

    test('see their own writes', async ({ run }) => {
      await run(async (transaction) => {
        await transaction.putRecords([note('a', 'one', 1, { parentId: 'p', recordId: 'R' })]);
        assertEqual((await transaction.getRecords([noteKey('a')])).length, 1, 'by key');
        assertEqual((await transaction.scanRecords('note', null, 9)).length, 1, 'in a scan');
        assertEqual((await transaction.listChildren('note', 'p')).length, 1, 'as a child');
        assertEqual((await transaction.findByRecordId('note', 'R'))?.id, 'a', 'by Record ID');
      });
    });

    test('do not lose each other\'s changes of one record', async ({ run }) => {
      await run((transaction) => transaction.putRecords([note('a', 'start', 1)]));
      const increment = () =>
        run(async (transaction) => {
          const [record] = await transaction.lockRecords([noteKey('a')]);
          await transaction.putRecords([note('a', 'more', record!.version[1] + 1)]);
        });
      await Promise.all(Array.from({ length: 20 }, increment));
      assertEqual((await run((transaction) => transaction.getRecords([noteKey('a')])))[0]?.version, [1, 21], 'all twenty');
    });

    test('go on after one that failed', async ({ run }) => {
      const failing = run(async () => Promise.reject(new Error('no'))).catch(() => 'failed');
      assertEqual([await failing, await run((transaction) => transaction.epoch())], ['failed', 1], 'both answers');
    });

    test('refuse calls after their end', async ({ run }) => {
      const kept = await run(async (transaction) => transaction);
      await assertFault(kept.getRecords([noteKey('a')]), 'STORAGE_CLOSED', 'a read after the end');
      await assertFault(kept.putRecords([note('a', 'late')]), 'STORAGE_CLOSED', 'a write after the end');
      assertEqual(await run((transaction) => transaction.getRecords([noteKey('a')])), [], 'nothing was written late');
    });
  });
}

async function writeSomething({ run }: StorePlace): Promise<void> {
  await run(async (transaction) => {
    await transaction.putRecords([note('a', 'one', 1, { parentId: 'p', recordId: 'R' })]);
    await transaction.openFeed('ann', 'feed-of-ann');
    await transaction.appendFeed('ann', { createdAt: 1, store: 's', number: 1, records: [noteKey('a')] });
    await transaction.nextNumber('note', 'number');
  });
}

async function writeEverything(transaction: StoreTransaction): Promise<void> {
  await transaction.putRecords([note('a', 'two', 2, { parentId: 'q', recordId: 'S' }), note('b', 'new')]);
  await transaction.nextNumber('note', 'number');
  await transaction.claimReceipt({ user: 'ann', store: 's', number: 9 });
  await transaction.putReceipt({ user: 'ann', store: 's', number: 9 }, { hash: 'h', createdAt: 1, result: Uint8Array.of(1) });
  await transaction.claimStore('t', 'bob');
  await transaction.openFeed('bob', 'feed-of-bob');
  await transaction.appendFeed('ann', { createdAt: 2, store: 's', number: 9, records: [] });
  await transaction.prune({ feedBefore: 2, receiptsBefore: 0 });
  await transaction.raiseEpoch();
}

async function contents({ store, tenant }: StorePlace): Promise<unknown> {
  return store.read(tenant, async (view) => [
    await view.epoch(),
    await view.scanRecords('note', null, 99),
    await view.listChildren('note', 'p'),
    await view.outlines([noteKey('a')]),
    await view.childOutlines('note', ['p', 'q']),
    await view.findByRecordId('note', 'S'),
    await view.getFeed('ann'),
    await view.listFeed('ann', 0, 99),
    await view.getFeed('bob'),
    await view.storeOwner('t'),
  ]);
}
