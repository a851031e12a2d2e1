import type { Fact, FactQuery } from '../../server/store/fact.ts';
import { assertEqual } from '../assert.ts';
import type { StoreSuite } from './context.ts';

const fact = (key: string, createdAt: number, more: Partial<Fact> = {}): Fact => ({ kind: 'audit', key, user: 'ann', createdAt, body: Uint8Array.of(0, 1, 254, 255), ...more });

/** What the server remembers beside records. */
export function describeFacts({ runner, test }: StoreSuite): void {
  runner.describe('facts', () => {
    test('are found by kind and key, byte for byte, and a later one replaces an earlier one', async ({ run }) => {
      assertEqual(await run((transaction) => transaction.getFact('audit', 'k')), null, 'before');
      await run((transaction) => transaction.putFact(fact('k', 1_700_000_000_000)));
      await run((transaction) => transaction.putFact(fact('k', 5, { kind: 'other', body: new Uint8Array() })));
      assertEqual(await run((transaction) => transaction.getFact('audit', 'k')), fact('k', 1_700_000_000_000), 'the first kind');
      assertEqual(await run((transaction) => transaction.getFact('other', 'k')), fact('k', 5, { kind: 'other', body: new Uint8Array() }), 'the other kind');
      await run((transaction) => transaction.putFact(fact('k', 9, { user: 'bob', body: Uint8Array.of(7) })));
      assertEqual(await run((transaction) => transaction.getFact('audit', 'k')), fact('k', 9, { user: 'bob', body: Uint8Array.of(7) }), 'replaced');
      assertEqual(await run((transaction) => transaction.listFacts('audit', { user: 'ann', limit: 9 })), [], 'it is not the first user’s any more');
      await run((transaction) => transaction.removeFact('audit', 'k'));
      assertEqual(await run((transaction) => transaction.getFact('audit', 'k')), null, 'removed');
    });

    test('are found and put many at a time', async ({ run }) => {
      const body = Uint8Array.of(0, 1, 127, 128, 255);
      await run((transaction) => transaction.putFacts([]));
      await run((transaction) => transaction.putFact(fact('k2', 1)));
      await run((transaction) => transaction.putFacts([fact('k1', 1_700_000_000_000, { body }), fact('k2', 2, { user: 'bob', body: new Uint8Array() }), fact('k3', 3, { kind: 'other' })]));
      const found = await run((transaction) => transaction.getFacts('audit', ['k3', 'k2', 'nothing', 'k1']));
      const byKey = [...found].sort((left, right) => (left.key < right.key ? -1 : 1));
      assertEqual(byKey, [fact('k1', 1_700_000_000_000, { body }), fact('k2', 2, { user: 'bob', body: new Uint8Array() })], 'new and replaced ones');
      assertEqual(await run((transaction) => transaction.getFacts('audit', [])), [], 'of none');
    });

    test('are listed by time, then by key, in both directions and in pages', async ({ run }) => {
      const places: readonly (readonly [string, number])[] = [['b', 20], ['a', 20], ['é', 20], ['Z', 20], ['c', 10], ['d', 30]];
      await run(async (transaction) => {
        for (const [key, createdAt] of places) await transaction.putFact(fact(key, createdAt));
        await transaction.putFact(fact('x', 25, { user: 'bob' }));
        await transaction.putFact(fact('y', 25, { kind: 'other' }));
      });
      const list = async (query: FactQuery) => (await run((transaction) => transaction.listFacts('audit', query))).map(({ key }) => key);
      const oldest = ['c', 'Z', 'a', 'b', 'é', 'x', 'd'];
      assertEqual(await list({ limit: 99 }), oldest, 'oldest first');
      assertEqual(await list({ limit: 99, order: 'newest' }), oldest.toReversed(), 'newest first');
      assertEqual(await list({ limit: 99, user: 'bob' }), ['x'], 'one user’s');
      for (const order of ['oldest', 'newest'] as const) {
        const seen: string[] = [];
        for (let beyond: FactQuery['beyond']; ; ) {
          const query: FactQuery = { limit: 2, order, user: 'ann', ...(beyond === undefined ? {} : { beyond }) };
          const page = await run((transaction) => transaction.listFacts('audit', query));
          seen.push(...page.map(({ key }) => key));
          beyond = page.at(-1);
          if (page.length < 2) break;
        }
        const mine = oldest.filter((key) => key !== 'x');
        assertEqual(seen, order === 'oldest' ? mine : mine.toReversed(), `page by page, ${order} first`);
      }
    });

    test('are removed by kind when they are too old', async ({ run }) => {
      await run(async (transaction) => {
        for (const createdAt of [10, 20, 30]) {
          await transaction.putFact(fact(`k${createdAt}`, createdAt));
          await transaction.putFact(fact(`k${createdAt}`, createdAt, { kind: 'other' }));
        }
        await transaction.pruneFacts('audit', 20);
      });
      const count = async (kind: string) => (await run((transaction) => transaction.listFacts(kind, { limit: 9 }))).map(({ createdAt }) => createdAt);
      assertEqual([await count('audit'), await count('other')], [[20, 30], [10, 20, 30]], 'what is as old as the limit stays, and so do other kinds');
    });

    test('are written with their transaction or not at all', async ({ run }) => {
      await run((transaction) => transaction.putFact(fact('kept', 1)));
      await run(async (transaction) => {
        await transaction.putFact(fact('kept', 2));
        await transaction.putFact(fact('new', 2));
        await transaction.removeFact('audit', 'kept');
        await transaction.pruneFacts('audit', 9);
        throw new Error('no');
      }).catch(() => {});
      assertEqual(await run((transaction) => transaction.listFacts('audit', { limit: 9 })), [fact('kept', 1)], 'as before');
    });
  });
}
