import { assertEqual, assertFault } from '../assert.ts';
import { commit, contentsOf, OWNER, record, state, type Suite } from './context.ts';

/** Owners, opening, closing. */
export function describeLifetime({ runner, test }: Suite): void {
  runner.describe('owners', () => {
    // Each of these pairs is one string when joined carelessly.
    const owners = [
      { tenant: 'a', user: 'b/c' }, { tenant: 'a/b', user: 'c' },
      { tenant: 'a', user: 'b:c' }, { tenant: 'a:b', user: 'c' },
      { tenant: '', user: 'abc' }, { tenant: 'abc', user: '' },
      { tenant: 'a","b', user: 'c' }, { tenant: 'a', user: 'b","c' },
      { tenant: 'a%2Fb', user: 'c' }, { tenant: 'A/B', user: 'c' },
      { tenant: 'a\u0000b', user: 'c' }, { tenant: 'a', user: 'b\u0000c' },
      { tenant: 'é', user: '😀' }, { tenant: 'e\u0301', user: '😀' },
      { tenant: '..', user: '..' }, { tenant: 'x'.repeat(100), user: 'y'.repeat(100) },
    ];

    test('keeps the stores of different owners apart, names that look alike included', async ({ open }) => {
      for (const [index, owner] of owners.entries()) {
        const storage = await open(owner);
        assertEqual(await contentsOf(storage), [], `the store of ${JSON.stringify(owner)} starts empty`);
        await commit(storage, { putRecords: [record('mine', `${index}`)], putState: [state('mine', `${index}`)] });
      }
      for (const [index, owner] of owners.entries()) {
        assertEqual(await contentsOf(await open(owner)), [`note/mine=${index}`, `mine=${index}`], `the store of ${JSON.stringify(owner)} is its own`);
      }
    });
  });

  runner.describe('opening and closing', () => {
    test('finds everything when it is opened again', async ({ open }) => {
      const first = await open();
      await commit(first, { putRecords: [record('a', '1'), record('b', '2', 'line')], putState: [state('k', '3')] });
      await first.close();
      assertEqual(await contentsOf(await open()), ['note/a=1', 'line/b=2', 'k=3'], 'the store was kept');
    });

    test('closes as often as it is asked to', async ({ open }) => {
      const storage = await open();
      await Promise.all([storage.close(), storage.close()]);
      await storage.close();
    });

    test('refuses every call after close with STORAGE_CLOSED', async ({ open }) => {
      const storage = await open();
      await storage.close();
      await assertFault(storage.readRecords([record('a', '')]), 'STORAGE_CLOSED', 'readRecords after close');
      await assertFault(storage.scanRecords({ object: 'note', limit: 1 }), 'STORAGE_CLOSED', 'scanRecords after close');
      await assertFault(storage.scanState({ prefix: '', limit: 1 }), 'STORAGE_CLOSED', 'scanState after close');
      await assertFault(commit(storage, { putState: [state('k', 'late')] }), 'STORAGE_CLOSED', 'commit after close');
      assertEqual(await contentsOf(await open()), [], 'a commit after close writes nothing');
    });

    test('ends commits that are under way before it closes', async ({ open }) => {
      const storage = await open();
      let answered = 0;
      const writing = Array.from({ length: 5 }, async (_, index) => {
        const answer = await commit(storage, { putRecords: [record(`${index}`, '-')] });
        answered++;
        return answer;
      });
      const closing = storage.close().then(() => answered);
      assertEqual(await Promise.all(writing), ['done', 'done', 'done', 'done', 'done'], 'each of them is done');
      assertEqual(await closing, 5, 'close has waited for every commit');
      assertEqual((await (await open()).scanRecords({ object: 'note', limit: 9 })).length, 5, 'and landed');
    });

    test('leaves other open stores of the same owner, and of others, working', async ({ open }) => {
      const [mine, alsoMine, other] = [await open(), await open(), await open({ ...OWNER, user: 'bob' })];
      await mine.close();
      assertEqual(await commit(alsoMine, { putState: [state('k', '1')] }), 'done', 'another handle of the same store lives on');
      assertEqual(await commit(other, { putState: [state('k', '2')] }), 'done', 'so does another store');
    });
  });
}
