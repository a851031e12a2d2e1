import { assertEqual } from '../assert.ts';
import { note, noteKey, NOTE, type StoreSuite } from './context.ts';

export function describeTenants({ runner, test }: StoreSuite): void {
  runner.describe('tenants', () => {
    test('see nothing of each other, under the same names', async ({ store, tenant, run }) => {
      const key = { user: 'ann', store: 's', number: 1 };
      await run(async (transaction) => {
        await transaction.putRecords([note('a', 'one', 1, { parentId: 'p', recordId: 'R' })]);
        await transaction.nextNumber('note', 'number');
        await transaction.putReceipt(key, { hash: 'h', createdAt: 1, result: Uint8Array.of(1) });
        await transaction.claimStore('s', 'ann');
        await transaction.putFact({ kind: 'audit', key: 'k', user: 'ann', createdAt: 1, body: Uint8Array.of(1) });
        await transaction.openFeed('ann', 'f');
        await transaction.appendFeed('ann', { createdAt: 1, store: 's', number: 1, records: [noteKey('a')] });
        await transaction.raiseEpoch();
      });
      const other = `${tenant}-other`;
      const seen = await store.run(other, async (transaction) => [
        await transaction.getRecords([noteKey('a')]),
        await transaction.lockRecords([noteKey('a')]),
        await transaction.scanRecords('note', null, 9),
        await transaction.listChildren('note', 'p'),
        await transaction.outlines([noteKey('a')]),
        await transaction.childOutlines('note', ['p']),
        await transaction.findByRecordId('note', 'R'),
        await transaction.getLayout(NOTE.hash),
        await transaction.getFeed('ann'),
        await transaction.oldestFeedPosition('ann', 0),
        await transaction.listFeed('ann', 0, 9),
        await transaction.storeOwner('s'),
        await transaction.getReceipt(key),
        await transaction.getFact('audit', 'k'),
        await transaction.listFacts('audit', { limit: 9 }),
        await transaction.epoch(),
        await transaction.claimReceipt(key),
        await transaction.nextNumber('note', 'number'),
      ]);
      assertEqual(seen, [[], [], [], [], [], [], null, null, null, null, [], null, null, null, [], 1, null, 1], 'what the other tenant sees');
      await store.run(other, async (transaction) => {
        await transaction.prune({ feedBefore: 99, receiptsBefore: 99 });
        await transaction.pruneFacts('audit', 99);
        await transaction.removeFact('audit', 'k');
      });
      assertEqual((await run((transaction) => transaction.listFacts('audit', { limit: 9 }))).length, 1, 'its pruning leaves other facts alone');
      assertEqual((await run((transaction) => transaction.listFeed('ann', 0, 9))).length, 1, 'its pruning leaves others alone');
      assertEqual(await run((transaction) => transaction.epoch()), 2, 'the epoch of the first');
    });
  });
}
