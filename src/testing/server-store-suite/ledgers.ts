import { assertEqual } from '../assert.ts';
import type { StoreSuite } from './context.ts';

const KEY = { user: 'ann', store: 's1', number: 1 };
const RECEIPT = { hash: 'hash', createdAt: 1_700_000_000_000, result: Uint8Array.of(0, 1, 254, 255) };

/** Receipts, numbers, owners of stores: what must be counted or decided once. */
export function describeLedgers({ runner, test }: StoreSuite): void {
  runner.describe('receipts', () => {
    test('are claimed once and then found', async ({ run }) => {
      assertEqual(await run((transaction) => transaction.claimReceipt(KEY).then((found) => transaction.putReceipt(KEY, RECEIPT).then(() => found))), null, 'the first claim');
      assertEqual(await run((transaction) => transaction.claimReceipt(KEY)), RECEIPT, 'the second');
      assertEqual(await run((transaction) => transaction.getReceipt(KEY)), RECEIPT, 'a look without a claim');
      for (const other of [{ ...KEY, user: 'bob' }, { ...KEY, store: 's2' }, { ...KEY, number: 2 }]) {
        assertEqual(await run((transaction) => transaction.getReceipt(other)), null, 'a look at another user, store or number');
        assertEqual(await run((transaction) => transaction.claimReceipt(other)), null, 'another user, store or number');
      }
    });

    test('are given to one of many claims at once', async ({ run }) => {
      const claim = () =>
        run(async (transaction) => {
          const found = await transaction.claimReceipt(KEY);
          if (found === null) await transaction.putReceipt(KEY, RECEIPT);
          return found === null;
        });
      const won = await Promise.all(Array.from({ length: 10 }, claim));
      assertEqual(won.filter(Boolean).length, 1, 'one claim saves, the others read');
    });

    test('are free again when their transaction failed', async ({ run }) => {
      await run(async (transaction) => {
        await transaction.claimReceipt(KEY);
        throw new Error('no');
      }).catch(() => {});
      assertEqual(await run((transaction) => transaction.claimReceipt(KEY)), null, 'a new claim');
    });

    test('are removed when they are too old', async ({ run }) => {
      for (const number of [1, 2, 3]) await run((transaction) => transaction.putReceipt({ ...KEY, number }, { ...RECEIPT, createdAt: number * 10 }));
      await run((transaction) => transaction.prune({ feedBefore: 0, receiptsBefore: 20 }));
      const left = [];
      for (const number of [1, 2, 3]) left.push((await run((transaction) => transaction.claimReceipt({ ...KEY, number }))) !== null);
      assertEqual(left, [false, true, true], 'what is as old as the limit stays');
    });
  });

  runner.describe('numbers and owners', () => {
    test('numbers count up from 1, each object and field by itself, without gaps by rollbacks', async ({ run }) => {
      const next = (object: string, field: string) => run((transaction) => transaction.nextNumber(object, field));
      await run(async (transaction) => {
        await transaction.nextNumber('order', 'number');
        throw new Error('no');
      }).catch(() => {});
      assertEqual([await next('order', 'number'), await next('order', 'number'), await next('order', 'other'), await next('call', 'number')], [1, 2, 1, 1], 'the numbers');
      const many = await Promise.all(Array.from({ length: 10 }, () => next('order', 'number')));
      assertEqual([...many].sort((left, right) => left - right), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 'ten at once');
    });

    test('a store belongs to the first user who claims it', async ({ run }) => {
      assertEqual(await run((transaction) => transaction.storeOwner('s')), null, 'before');
      assertEqual(await run((transaction) => transaction.claimStore('s', 'ann')), 'ann', 'the first claim');
      assertEqual(await run((transaction) => transaction.claimStore('s', 'bob')), 'ann', 'the second');
      assertEqual(await run((transaction) => transaction.storeOwner('s')), 'ann', 'after');
    });
  });
}
