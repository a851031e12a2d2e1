import { utf8 } from '../../shared/bytes.ts';
import type { Storage } from '../../storage/storage-adapter.ts';
import { assertEqual } from '../assert.ts';
import { commit, contentsOf, record, state, type Suite } from './context.ts';

/** Several tabs or workers with the same store open. */
export function describeConcurrency({ runner, test }: Suite): void {
  runner.describe('concurrent use', () => {
    test('shows what one open store committed to another that has it open', async ({ open }) => {
      const [left, right] = [await open(), await open()];
      await commit(left, { putRecords: [record('a', 'from left')] });
      assertEqual(await contentsOf(right), ['note/a=from left'], 'both look at one store');
    });

    test('lets exactly one of two commits with the same expectation win', async ({ open }) => {
      const [left, right] = [await open(), await open()];
      for (let round = 0; round < 20; round++) {
        const expect = [{ key: 'fence', bytes: round === 0 ? null : utf8(`${round - 1}`) }];
        const claim = (storage: Storage, name: string) =>
          commit(storage, { expect, putState: [state('fence', `${round}`)], putRecords: [record(`${round}-${name}`, name)] });
        const answers = await Promise.all([claim(left, 'left'), claim(right, 'right')]);
        assertEqual([...answers].sort(), ['done', 'stale'], `one commit of round ${round} wins`);
        const winners = await left.scanRecords({ object: 'note', after: `${round}-`, limit: 1 });
        assertEqual(winners[0]?.id, `${round}-${answers[0] === 'done' ? 'left' : 'right'}`, 'only the winner has written');
      }
      assertEqual((await left.scanRecords({ object: 'note', limit: 100 })).length, 20, 'no loser has written');
    });

    test('loses no increment when two open stores count up at the same time', async ({ open }) => {
      const [left, right] = [await open(), await open()];
      const countUp = async (storage: Storage) => {
        for (let done = 0; done < 20; ) {
          const held = (await storage.scanState({ prefix: 'counter', limit: 1 }))[0]?.bytes ?? null;
          const count = held === null ? 0 : Number(new TextDecoder().decode(held));
          if ((await commit(storage, { expect: [{ key: 'counter', bytes: held }], putState: [state('counter', `${count + 1}`)] })) === 'done') done++;
        }
      };
      await Promise.all([countUp(left), countUp(right)]);
      assertEqual(await contentsOf(left), ['counter=40'], 'every increment counts');
    });

    test('takes many commits at once without losing any', async ({ open }) => {
      const stores = [await open(), await open()];
      const ids = Array.from({ length: 40 }, (_, index) => `id-${String(index).padStart(2, '0')}`);
      await Promise.all(ids.map((id, index) => commit(stores[index % 2]!, { putRecords: [record(id, '-')], putState: [state(`log/${id}`, '-')] })));
      assertEqual((await stores[0]!.scanRecords({ object: 'note', limit: 100 })).map((row) => row.id), ids, 'all records are there');
      assertEqual((await stores[1]!.scanState({ prefix: 'log/', limit: 100 })).length, ids.length, 'and all state rows');
    });

    test('never shows half a commit to a reader beside it', async ({ open }) => {
      const [writer, reader] = [await open(), await open()];
      const write = async () => {
        for (let step = 0; step < 30; step++) await commit(writer, { putState: ['a', 'b', 'c'].map((key) => state(key, `${step}`)) });
      };
      const read = async () => {
        for (let look = 0; look < 30; look++) {
          const seen = new Set((await reader.scanState({ prefix: '', limit: 9 })).map((row) => new TextDecoder().decode(row.bytes)));
          assertEqual(seen.size <= 1, true, `rows of one commit change together, seen ${[...seen].join(' and ')}`);
        }
      };
      await Promise.all([write(), read()]);
    });
  });
}
