import { assertEqual } from '../assert.ts';
import { noteKey, type StorePlace, type StoreSuite } from './context.ts';

export function describeFeeds({ runner, test }: StoreSuite): void {
  runner.describe('feeds', () => {
    test('are opened once and keep their first name', async ({ run }) => {
      assertEqual(await run((transaction) => transaction.getFeed('ann')), null, 'before');
      assertEqual(await run((transaction) => transaction.openFeed('ann', 'f1')), { feed: 'f1', epoch: 1, head: 0, floor: 0 }, 'opened');
      assertEqual(await run((transaction) => transaction.openFeed('ann', 'f2')), { feed: 'f1', epoch: 1, head: 0, floor: 0 }, 'opened again');
    });

    test('carry the epoch of their tenant', async ({ run }) => {
      await run((transaction) => transaction.openFeed('ann', 'f1'));
      await run((transaction) => transaction.raiseEpoch());
      assertEqual((await run((transaction) => transaction.getFeed('ann')))?.epoch, 2, 'the epoch');
    });

    test('are looked up for many devices at once', async (place) => {
      await append(place, 'ann', 10, 20);
      await append(place, 'bob', 30);
      await place.run(async (transaction) => {
        await transaction.claimStore('ann-tablet', 'ann');
        await transaction.claimStore('bob-tablet', 'bob');
        await transaction.putFact({ kind: 'marked', key: 'bob-tablet', user: 'bob', createdAt: 1, body: new Uint8Array() });
        await transaction.putFact({ kind: 'other', key: 'ann-tablet', user: 'ann', createdAt: 1, body: new Uint8Array() });
      });
      await place.run((transaction) => transaction.claimStore('cas-tablet', 'cas'));
      const heads = await place.run((transaction) => transaction.readHeads(['bob-tablet', 'ann-tablet', 'new', 'cas-tablet', 'ann-tablet'], 'marked'));
      assertEqual(heads.map(({ feed, owner, hasFact }) => [feed?.feed ?? null, feed?.head ?? null, owner, hasFact]), [
        ['feed-of-bob', 1, 'bob', true],
        ['feed-of-ann', 2, 'ann', false],
        [null, null, null, false],
        [null, null, 'cas', false],
        ['feed-of-ann', 2, 'ann', false],
      ], 'in the order asked for');
      assertEqual(heads[1]!.feed, await place.run((transaction) => transaction.getFeed('ann')), 'as getFeed has it');
    });

    test('give dense positions to each user', async (place) => {
      await append(place, 'ann', 1, 2);
      await append(place, 'bob', 3);
      await place.run(async (transaction) => {
        await transaction.appendFeed('ann', { createdAt: 9, store: 's', number: 9, records: [] });
        throw new Error('no');
      }).catch(() => {});
      await append(place, 'ann', 4);
      assertEqual(await positions(place, 'ann'), [1, 2, 3], 'a rollback leaves no hole');
      assertEqual(await positions(place, 'bob'), [1], 'of another user');
      const heads = [await place.run((transaction) => transaction.getFeed('ann')), await place.run((transaction) => transaction.getFeed('bob'))];
      assertEqual(heads.map((feed) => feed?.head), [3, 1], 'the heads');
    });

    test('give every one of many saves at once a position of its own', async (place) => {
      await append(place, 'ann');
      const save = () => place.run((transaction) => transaction.appendFeed('ann', { createdAt: 1, store: 's', number: 1, records: [] }));
      const given = await Promise.all(Array.from({ length: 12 }, save));
      assertEqual([...given].sort((left, right) => left - right), Array.from({ length: 12 }, (_, index) => index + 1), 'positions');
      assertEqual(await positions(place, 'ann'), Array.from({ length: 12 }, (_, index) => index + 1), 'rows');
    });

    test('give rows back in order, after a position, at most so many', async (place) => {
      await append(place, 'ann', 10, 20, 30);
      const rows = await place.run((transaction) => transaction.listFeed('ann', 1, 1));
      const columns = rows.map(({ position, createdAt, store, number, records }) => [position, createdAt, store, number, records]);
      assertEqual(columns, [[2, 20, 's', 20, [noteKey('r"20'), { object: 'other', id: '\u{1F600}' }]]], 'the second row');
      assertEqual(await place.run((transaction) => transaction.listFeed('ann', 3, 9)), [], 'nothing after the last');
    });

    test('order positions as numbers', async (place) => {
      await append(place, 'ann', ...Array.from({ length: 11 }, (_, index) => index));
      assertEqual(await positions(place, 'ann'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 'ten comes after nine');
    });

    test('name the oldest row of an age', async (place) => {
      await append(place, 'ann', 10, 20, 15, 30);
      const oldest = (since: number) => place.run((transaction) => transaction.oldestFeedPosition('ann', since));
      assertEqual([await oldest(0), await oldest(11), await oldest(21), await oldest(31)], [1, 2, 4, null], 'by age, then by position');
      assertEqual(await place.run((transaction) => transaction.oldestFeedPosition('nobody', 0)), null, 'of nobody');
    });

    test('move their floor up when they are pruned, and never down', async (place) => {
      await append(place, 'ann', 10, 20, 15, 30);
      await append(place, 'bob', 40);
      const prune = (feedBefore: number) => place.run((transaction) => transaction.prune({ feedBefore, receiptsBefore: 0 }));
      const floor = async () => (await place.run((transaction) => transaction.getFeed('ann')))?.floor;
      await prune(16);
      // Row 3 is younger by the clock than row 2, but comes after it: order counts, not the clock.
      assertEqual([await floor(), await positions(place, 'ann')], [1, [2, 3, 4]], 'after the first');
      await prune(5);
      assertEqual(await floor(), 1, 'an earlier limit changes nothing');
      await prune(31);
      assertEqual([await floor(), await positions(place, 'ann'), await positions(place, 'bob')], [4, [], [1]], 'all of one feed is old');
      await append(place, 'ann', 50);
      assertEqual(await positions(place, 'ann'), [5], 'positions go on');
    });
  });
}

async function append({ run }: StorePlace, user: string, ...times: readonly number[]): Promise<void> {
  await run(async (transaction) => {
    await transaction.openFeed(user, `feed-of-${user}`);
    for (const time of times) {
      await transaction.appendFeed(user, { createdAt: time, store: 's', number: time, records: [noteKey(`r"${time}`), { object: 'other', id: '\u{1F600}' }] });
    }
  });
}

async function positions({ run }: StorePlace, user: string): Promise<number[]> {
  return (await run((transaction) => transaction.listFeed(user, 0, 99))).map(({ position }) => position);
}
