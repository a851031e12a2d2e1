import { bytesEqual, utf8 } from '../../shared/bytes.ts';
import { assertEqual, assertThat } from '../assert.ts';
import { commit, contentsOf, record, state, type Suite } from './context.ts';

/** What is put is what is read. */
export function describeReads({ runner, test }: Suite): void {
  runner.describe('reads and writes', () => {
    test('answers undefined for each record that is not there, in the order asked', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('b', 'second')] });
      const answer = await storage.readRecords([record('a', ''), record('b', ''), record('b', '', 'line'), record('b', '')]);
      assertEqual(answer, [undefined, utf8('second'), undefined, utf8('second')], 'each key has its place in the answer');
    });

    test('answers an empty list when nothing is asked for', async ({ open }) => {
      assertEqual(await (await open()).readRecords([]), [], 'no keys give no rows');
    });

    test('scans an empty store as an empty list', async ({ open }) => {
      const storage = await open();
      assertEqual(await storage.scanRecords({ object: 'note', limit: 10 }), [], 'a store without records has none to scan');
      assertEqual(await storage.scanState({ prefix: '', limit: 10 }), [], 'a store without state has none to scan');
    });

    test('keeps records and state rows of the same name apart', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', 'record')], putState: [state('x', 'state'), state('note', 'state too')] });
      assertEqual(await contentsOf(storage), ['note/x=record', 'note=state too', 'x=state'], 'both tables hold their own rows');
    });

    test('overwrites a row that is put again', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', 'a longer first text')], putState: [state('k', 'a longer first text')] });
      await commit(storage, { putRecords: [record('x', 'second')], putState: [state('k', 'second')] });
      assertEqual(await contentsOf(storage), ['note/x=second', 'k=second'], 'the later put stays');
    });

    test('removes rows, and says nothing of rows that were not there', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', '1'), record('y', '2')], putState: [state('k', '3'), state('l', '4')] });
      const answer = await commit(storage, {
        removeRecords: [record('x', ''), record('missing', '')],
        removeState: ['k', 'missing'],
      });
      assertEqual(answer, 'done', 'a remove of nothing is no failure');
      assertEqual(await contentsOf(storage), ['note/y=2', 'l=4'], 'only the named rows are gone');
    });

    test('keeps a row that one commit both removes and puts', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', 'old')], putState: [state('k', 'old')] });
      await commit(storage, {
        removeRecords: [record('x', '')], putRecords: [record('x', 'new')],
        removeState: ['k'], putState: [state('k', 'new')],
      });
      assertEqual(await contentsOf(storage), ['note/x=new', 'k=new'], 'removes come before puts');
    });

    test('keeps the last of several puts of one row in one commit', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', 'first'), record('x', 'last')], putState: [state('k', 'first'), state('k', 'last')] });
      assertEqual(await contentsOf(storage), ['note/x=last', 'k=last'], 'the later put of a commit stays');
    });

    test('keeps every byte, and rows without bytes', async ({ open }) => {
      const storage = await open();
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      await commit(storage, {
        putRecords: [{ object: 'note', id: 'all', bytes: all }, { object: 'note', id: 'none', bytes: new Uint8Array(0) }],
        putState: [{ key: 'all', bytes: all }, { key: 'none', bytes: new Uint8Array(0) }],
      });
      assertEqual(await storage.readRecords([record('all', ''), record('none', '')]), [all, new Uint8Array(0)], 'record bytes come back');
      assertEqual((await storage.scanState({ prefix: '', limit: 9 })).map((row) => row.bytes), [all, new Uint8Array(0)], 'state bytes come back');
    });

    test('keeps a row of one megabyte', async ({ open }) => {
      const storage = await open();
      const bytes = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 7) ^ (index >> 8));
      await commit(storage, { putRecords: [{ object: 'note', id: 'big', bytes }], putState: [{ key: 'big', bytes }] });
      const [held] = await storage.readRecords([record('big', '')]);
      assertThat(held !== undefined && bytesEqual(held, bytes), 'a large record comes back byte for byte');
      assertThat(bytesEqual((await storage.scanState({ prefix: 'big', limit: 1 }))[0]!.bytes, bytes), 'a large state row comes back byte for byte');
    });

    test('writes five thousand rows in one commit', async ({ open }) => {
      const storage = await open();
      const rows = Array.from({ length: 5_000 }, (_, index) => record(String((index * 7919) % 5_000).padStart(5, '0'), `row ${index}`));
      await commit(storage, { putRecords: rows, putState: [state('cursor', '5000')] });
      const held = await storage.scanRecords({ object: 'note', limit: 10_000 });
      assertEqual(held.length, 5_000, 'every row is there');
      assertEqual(held.map((row) => row.id), rows.map((row) => row.id).sort(), 'they come in id order');
    });

    test('stores what the bytes were at the call, whatever the caller does with its array afterwards', async ({ open }) => {
      const storage = await open();
      const record1 = record('x', 'as given'), state1 = state('k', 'as given');
      const writing = commit(storage, { putRecords: [record1], putState: [state1] });
      record1.bytes.fill(0);
      state1.bytes.fill(0);
      await writing;
      record1.bytes.fill(1);
      assertEqual(await contentsOf(storage), ['note/x=as given', 'k=as given'], 'the store has its own copy');
    });

    test('stores only the bytes that a view shows of a larger buffer', async ({ open }) => {
      const storage = await open();
      const bytes = utf8('before MIDDLE after').subarray(7, 13);
      await commit(storage, { putRecords: [{ object: 'note', id: 'x', bytes }], putState: [{ key: 'k', bytes }] });
      assertEqual(await contentsOf(storage), ['note/x=MIDDLE', 'k=MIDDLE'], 'a view is stored as what it shows');
    });

    test('stores a copy of arrays whose slice shares memory, as a Node Buffer does', async ({ open }) => {
      class SharingArray extends Uint8Array {
        override slice(): this {
          return this;
        }
      }
      const storage = await open();
      const bytes = new SharingArray(utf8('as given'));
      await commit(storage, { putRecords: [{ object: 'note', id: 'x', bytes }] });
      bytes.fill(0);
      assertEqual(await contentsOf(storage), ['note/x=as given'], 'the store has its own copy');
    });

    test('hands out copies, so that a reader who changes what it got changes nothing in the store', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: [record('x', 'intact')], putState: [state('k', 'intact')] });
      (await storage.readRecords([record('x', '')]))[0]!.fill(0);
      (await storage.scanRecords({ object: 'note', limit: 1 }))[0]!.bytes.fill(0);
      (await storage.scanState({ prefix: '', limit: 1 }))[0]!.bytes.fill(0);
      assertEqual(await contentsOf(storage), ['note/x=intact', 'k=intact'], 'the store is as it was');
    });

    test('shows a commit to reads that were asked for after it, even without waiting', async ({ open }) => {
      const storage = await open();
      const writing = commit(storage, { putRecords: [record('x', 'written')], putState: [state('k', 'written')] });
      const [rows, states] = await Promise.all([storage.readRecords([record('x', '')]), storage.scanState({ prefix: 'k', limit: 1 })]);
      await writing;
      assertEqual([rows[0], states[0]?.bytes], [utf8('written'), utf8('written')], 'calls take effect in the order they were made');
    });
  });
}
