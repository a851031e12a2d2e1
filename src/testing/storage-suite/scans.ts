import type { Storage } from '../../storage/storage-adapter.ts';
import { assertEqual } from '../assert.ts';
import { commit, record, state, type Suite } from './context.ts';

// In UTF-16 order, which is JavaScript's `<`. In UTF-8 the astral 😀 (surrogates D83D DE00) would come after U+FFFD, not before.
const SORTED_KEYS = [' ', '!', '0', '10', '2', 'A', 'Z', 'a', 'a\u0000', 'a\u0000b', 'aa', 'b', 'ß', 'é', '漢', '😀', '😁', '\uE000', '\uFFFD', '\uFFFF'];

/** Scans come in key order, page by page, and end where they should. */
export function describeScans({ runner, test }: Suite): void {
  runner.describe('scans', () => {
    test('orders ids and keys by UTF-16 code units', async ({ open }) => {
      const storage = await open();
      const shuffled = [...SORTED_KEYS].reverse();
      await commit(storage, { putRecords: shuffled.map((id) => record(id, '-')), putState: shuffled.map((key) => state(key, '-')) });
      assertEqual(await allIds(storage, 'note'), SORTED_KEYS, 'ids are in UTF-16 order');
      assertEqual((await storage.scanState({ prefix: '', limit: 100 })).map((row) => row.key), SORTED_KEYS, 'keys are in UTF-16 order');
    });

    test('keeps the order as rows come and go one by one', async ({ open }) => {
      const storage = await open();
      for (const id of ['m', 'c', 'x', 'a', 'q']) await commit(storage, { putRecords: [record(id, '-')] });
      await commit(storage, { removeRecords: [record('m', '')] });
      await commit(storage, { putRecords: [record('b', '-')], removeRecords: [record('x', '')] });
      assertEqual(await allIds(storage, 'note'), ['a', 'b', 'c', 'q'], 'what is left is in order');
    });

    test('scans one object only, however its name and the ids around it look', async ({ open }) => {
      const storage = await open();
      await commit(storage, {
        putRecords: [record('1', '-', 'note'), record('1', '-', 'notes'), record('1', '-', 'not'), record('1', '-', 'note\u0000'), record('s1', '-', 'note')],
      });
      assertEqual(await allIds(storage, 'note'), ['1', 's1'], 'records of objects with similar names stay out');
      assertEqual(await allIds(storage, 'notes'), ['1'], 'each object has its own records');
      assertEqual(await allIds(storage, 'nothing'), [], 'an object without records is empty');
    });

    test('pages through records with after and limit, without gaps or repeats', async ({ open }) => {
      const storage = await open();
      const ids = Array.from({ length: 23 }, (_, index) => `id-${String(index).padStart(2, '0')}`);
      await commit(storage, { putRecords: ids.map((id) => record(id, id)) });
      for (const limit of [1, 5, 22, 23, 24]) assertEqual(await idsByPages(storage, limit), ids, `pages of ${limit} give every row once`);
    });

    test('starts after a key that is not there', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: ['a', 'c', 'e'].map((id) => record(id, '-')), putState: ['p/a', 'p/c', 'p/e'].map((key) => state(key, '-')) });
      assertEqual((await storage.scanRecords({ object: 'note', after: 'b', limit: 9 })).map((row) => row.id), ['c', 'e'], 'ids greater than b');
      assertEqual((await storage.scanRecords({ object: 'note', after: 'z', limit: 9 })).map((row) => row.id), [], 'nothing is greater than z');
      assertEqual((await storage.scanState({ prefix: 'p/', after: 'p/b', limit: 9 })).map((row) => row.key), ['p/c', 'p/e'], 'keys greater than p/b');
    });

    test('takes a limit of none and a limit beyond all', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('a', '-')], putState: [state('k', '-')] });
      assertEqual((await storage.scanRecords({ object: 'note', limit: 0 })).length, 0, 'a limit of 0 gives no records');
      assertEqual((await storage.scanState({ prefix: '', limit: 0 })).length, 0, 'a limit of 0 gives no state');
      assertEqual((await storage.scanRecords({ object: 'note', limit: Infinity })).length, 1, 'no limit gives all records');
      assertEqual((await storage.scanState({ prefix: '', limit: Number.MAX_SAFE_INTEGER })).length, 1, 'a huge limit gives all state');
    });

    test('gives exactly the state keys that begin with a prefix', async ({ open }) => {
      const storage = await open();
      const inside = ['q/', 'q/1', 'q/😀', 'q/\uFFFF', 'q/\uFFFF\uFFFFz'];
      await commit(storage, { putState: ['p/9', 'q', 'q.', ...inside, 'q0', 'Q/1', 'r'].map((key) => state(key, '-')) });
      assertEqual((await storage.scanState({ prefix: 'q/', limit: 99 })).map((row) => row.key), inside, 'keys under q/');
      assertEqual((await storage.scanState({ prefix: 'q/\uFFFF', limit: 99 })).map((row) => row.key), inside.slice(3), 'a prefix at the end of the alphabet');
      assertEqual((await storage.scanState({ prefix: 's', limit: 99 })).map((row) => row.key), [], 'a prefix of nothing');
    });

    test('pages inside a prefix, and takes an after from outside of it', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putState: ['p/1', 'q/1', 'q/2', 'q/3', 'r/1'].map((key) => state(key, '-')) });
      const keys = async (after: string, limit: number) => (await storage.scanState({ prefix: 'q/', after, limit })).map((row) => row.key);
      assertEqual(await keys('q/1', 1), ['q/2'], 'the page after q/1');
      assertEqual(await keys('q/3', 9), [], 'nothing is left after the last key');
      assertEqual(await keys('a', 9), ['q/1', 'q/2', 'q/3'], 'an after before the prefix skips nothing');
      assertEqual(await keys('q/', 9), ['q/1', 'q/2', 'q/3'], 'the prefix itself is no key here');
      assertEqual(await keys('z', 9), [], 'an after beyond the prefix leaves nothing');
    });
  });
}

async function allIds(storage: Storage, object: string): Promise<string[]> {
  return (await storage.scanRecords({ object, limit: 1_000 })).map((row) => row.id);
}

async function idsByPages(storage: Storage, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ; after = ids.at(-1)) {
    const page = await storage.scanRecords({ object: 'note', limit, ...(after === undefined ? {} : { after }) });
    if (page.length === 0) return ids;
    ids.push(...page.map((row) => row.id));
  }
}
