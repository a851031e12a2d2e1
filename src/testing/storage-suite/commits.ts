import { utf8 } from '../../shared/bytes.ts';
import { assertEqual } from '../assert.ts';
import { commit, contentsOf, record, state, type Suite } from './context.ts';
import { runRandomSteps } from './random-steps.ts';

/** All or nothing, and only if what was expected still holds. */
export function describeCommits({ runner, test }: Suite): void {
  runner.describe('commits', () => {
    test('writes when every expected row holds the expected bytes', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putState: [state('fence', '7'), state('other', 'x')] });
      const answer = await commit(storage, {
        expect: [{ key: 'fence', bytes: utf8('7') }, { key: 'other', bytes: utf8('x') }, { key: 'absent', bytes: null }],
        putRecords: [record('a', 'written')],
        putState: [state('fence', '8')],
      });
      assertEqual(answer, 'done', 'all expectations held');
      assertEqual(await contentsOf(storage), ['note/a=written', 'fence=8', 'other=x'], 'the step is written');
    });

    const staleCases = {
      'holds other bytes': { key: 'fence', bytes: utf8('6') },
      'holds fewer bytes than expected': { key: 'fence', bytes: utf8('77') },
      'holds more bytes than expected': { key: 'fence', bytes: utf8('') },
      'is there though it was expected to be missing': { key: 'fence', bytes: null },
      'is missing though it was expected': { key: 'absent', bytes: utf8('7') },
      'is missing where an empty row was expected': { key: 'absent', bytes: utf8('') },
    };
    for (const [situation, expectation] of Object.entries(staleCases)) {
      test(`answers stale and writes nothing when a row ${situation}`, async ({ open }) => {
        const storage = await open();
        await commit(storage, { putRecords: [record('a', 'old')], putState: [state('fence', '7'), state('k', 'old')] });
        const answer = await commit(storage, {
          expect: [{ key: 'k', bytes: utf8('old') }, expectation],
          putRecords: [record('a', 'new'), record('b', 'new')], removeRecords: [record('a', '')],
          putState: [state('k', 'new'), state('fence', '8')], removeState: ['k'],
        });
        assertEqual(answer, 'stale', 'one expectation did not hold');
        assertEqual(await contentsOf(storage), ['note/a=old', 'fence=7', 'k=old'], 'nothing of a stale commit is written');
      });
    }

    test('tells an expected empty row from a missing one', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putState: [state('empty', '')] });
      assertEqual(await commit(storage, { expect: [{ key: 'empty', bytes: utf8('') }] }), 'done', 'an empty row is there');
      assertEqual(await commit(storage, { expect: [{ key: 'empty', bytes: null }] }), 'stale', 'an empty row is not missing');
    });

    test('compares an expectation with what was there before the commit, not with what it puts', async ({ open }) => {
      const storage = await open();
      const step = { expect: [{ key: 'k', bytes: null }], putState: [state('k', '1')] };
      assertEqual(await commit(storage, step), 'done', 'the row was missing');
      assertEqual(await commit(storage, step), 'stale', 'the row is there now');
    });

    test('does nothing, successfully, in a commit without parts', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putState: [state('k', '1')] });
      assertEqual(await commit(storage, {}), 'done', 'an empty commit is done');
      assertEqual(await commit(storage, { expect: [], putRecords: [], removeRecords: [], putState: [], removeState: [] }), 'done', 'so is one of empty lists');
      assertEqual(await contentsOf(storage), ['k=1'], 'nothing changed');
    });

    test('commits with relaxed durability as with strict', async ({ open }) => {
      const storage = await open();
      assertEqual(await storage.commit({ durability: 'relaxed', putRecords: [record('a', '1')] }), 'done', 'a relaxed commit is done');
      assertEqual(await contentsOf(storage), ['note/a=1'], 'and is seen at once');
    });

    test('agrees with a plain model over hundreds of mixed commits', async ({ open }) => {
      await runRandomSteps(await open(), 300);
    });
  });
}
