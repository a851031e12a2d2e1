import { bytesEqual, utf8 } from '../../shared/bytes.ts';
import type { Commit, Storage } from '../../storage/storage-adapter.ts';
import { assertEqual, assertFault, assertThat } from '../assert.ts';
import { testWith } from '../suite-runner.ts';
import { commit, record, state, type Bench, type Suite } from './context.ts';
import { packed, reads, rowsIn, runPackedHistory, scanPacked, sorted } from './packed-histories.ts';

const SCATTERED = 7_919; // a prime: its multiples visit every place once

function nameOf(place: number): string {
  return `id-${String(place).padStart(5, '0')}`;
}

/** Rows with texts of usual size. */
function rowsOf(places: Iterable<number>, text: string): [id: string, text: string][] {
  return Array.from(places, (place) => [nameOf(place), `${text} ${place} `.padEnd(250, '.')]);
}

function places(count: number, step = 1, total = 5_000): number[] {
  return Array.from({ length: count }, (_, index) => (index * step) % total);
}

/** Rows packed in blocks, in and out. */
export function describePacked(suite: Suite): void {
  const { runner, capabilities } = suite;
  const test = (name: string, run: (bench: Bench) => Promise<void>) => testWith(runner, name, ['packed', capabilities.packed], () => suite.withBench(run));

  runner.describe('packed rows', () => {
    suite.test('are read by the storages of which the suite was told so, and by no others', async ({ open }) => {
      assertEqual((await open()).packed !== undefined, capabilities.packed === true, 'the option `packed` says whether storages have `packed`');
    });

    test('are found one by one, and rows written one by one are found packed', async ({ open }) => {
      const storage = await open();
      const rows = rowsOf(places(600), 'packed');
      await commit(storage, { putPacked: [packed(rows)], putRecords: [record('id-single', 'single'), record('a', 'other', 'line')] });
      const all = [...rows, ['id-single', 'single'] as const];
      assertEqual((await storage.scanRecords({ object: 'note', limit: 9_999 })).map(({ id, bytes }) => [id, new TextDecoder().decode(bytes)]), all, 'a scan finds both');
      assertEqual(await scanPacked(storage, 10_000), all, 'so does a packed one');
      assertEqual(rowsIn(await reads(storage).scan({ object: 'line', limitBytes: 1 })), [['a', 'other']], 'each object has its own rows');
      assertEqual(await storage.readRecords([record('id-00077', ''), record('id-00600', '')]), [utf8(rows[77]![1]), undefined], 'a row is found by its id');
    });

    test('stand back behind single rows of the same commit, and before what it removes', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: ['a', 'b', 'c', 'd'].map((id) => record(id, 'old')) });
      await commit(storage, { putPacked: [packed([['a', 'first'], ['b', 'packed']]), packed([['a', 'packed'], ['c', 'packed']])], putRecords: [record('c', 'single')], removeRecords: [record('a', ''), record('d', '')] });
      assertEqual(await scanPacked(storage, 1), [['a', 'packed'], ['b', 'packed'], ['c', 'single']], 'removed first, then packed, then single');
    });

    test('replace the rows that are there, single ones too', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putRecords: rowsOf(places(500, SCATTERED), 'single').map(([id, text]) => record(id, text)) });
      await commit(storage, { putPacked: [packed(rowsOf(places(5_000), 'packed'))] });
      assertEqual(await scanPacked(storage, 100_000), rowsOf(places(5_000), 'packed'), 'what came last stays');
      assertEqual(await storage.readRecords([record(nameOf(SCATTERED % 5_000), '')]), [utf8(rowsOf([SCATTERED % 5_000], 'packed')[0]![1])], 'also when it is read by its id');
    });

    test('are removed one by one and in great numbers, and can come back', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putPacked: [packed(rowsOf(places(5_000), 'old'))] });
      await commit(storage, { removeRecords: [record(nameOf(17), '')] });
      await storage.commit({ durability: 'relaxed', removeRecords: places(4_000, 1).map((place) => record(nameOf(place), '')) });
      await commit(storage, { putRecords: [record(nameOf(17), 'back')] });
      const left = [[nameOf(17), 'back'] as const, ...rowsOf(places(5_000).slice(4_000), 'old')];
      assertEqual(await scanPacked(storage, 100_000), left, 'what was removed is gone, what came back is there');
      assertEqual((await storage.scanRecords({ object: 'note', limit: 3 })).map(({ id }) => id), left.slice(0, 3).map(([id]) => id), 'a scan finds the same');
    });

    test('give a range exactly, and end after the block that reaches the limit', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putPacked: [packed(rowsOf(places(2_000), 'row'))] });
      const range = rowsIn(await reads(storage).scan({ object: 'note', after: nameOf(500), upTo: nameOf(1_500), limitBytes: Infinity }));
      assertEqual(range.map(([id]) => id), places(2_000).slice(501, 1_501).map(nameOf), 'rows above `after` up to and with `upTo`');
      const some = await reads(storage).scan({ object: 'note', limitBytes: 1 });
      assertEqual(some.length, 1, 'a small limit gives one block');
      assertEqual(await reads(storage).scan({ object: 'note', after: nameOf(1_999), limitBytes: 1 }), [], 'nothing follows the last row');
      assertEqual(await reads(storage).scan({ object: 'note', after: 'x', upTo: 'y', limitBytes: 1 }), [], 'nothing lies in an empty range');
    });

    test('are read around ids, those that are not there left out', async ({ open }) => {
      const storage = await open();
      await commit(storage, { putPacked: [packed(rowsOf(places(3_000), 'row'))], putRecords: [record('z', 'last')] });
      const asked = [...places(200, 37).map(nameOf), 'absent', 'z'];
      const found = new Map(rowsIn(await reads(storage).readAround({ object: 'note', ids: packed(asked.map((id) => [id, ''])).block })));
      assertThat(asked.every((id) => found.has(id) === (id !== 'absent' && id < nameOf(3_000) || id === 'z')), 'every id that is there is among them');
      assertEqual(rowsIn(await reads(storage).readAround({ object: 'line', ids: packed([['a', '']]).block })), [], 'an object without rows has none');
      assertEqual(await reads(storage).readAround({ object: 'note', ids: packed([]).block }), [], 'no id, no row');
    });

    test('belong to the store and the caller each for himself', async ({ open }) => {
      const storage = await open();
      const given = packed(rowsOf(places(700), 'intact'));
      const writing = commit(storage, { putPacked: [given] });
      given.block.fill(0);
      await writing;
      for (const block of await reads(storage).scan({ object: 'note', limitBytes: Infinity })) block.fill(0);
      for (const block of await reads(storage).readAround({ object: 'note', ids: packed([[nameOf(3), '']]).block })) block.fill(0);
      assertEqual(await scanPacked(storage, 50_000), rowsOf(places(700), 'intact'), 'the store is as it was');
    });

    test('are not written by a stale commit', async ({ open }) => {
      const storage = await open();
      assertEqual(await commit(storage, { expect: [{ key: 'fence', bytes: utf8('7') }], putPacked: [packed(rowsOf(places(600), 'row'))] }), 'stale', 'the expectation does not hold');
      assertEqual(await scanPacked(storage, 1), [], 'nothing of it is written');
    });

    test('hold rows of every size, empty ones and large ones', async ({ open }) => {
      const storage = await open();
      const rows = Array.from({ length: 400 }, (_, index) => [nameOf(index), 'x'.repeat(index % 50 === 0 ? 100_000 : index % 7)] as const);
      await commit(storage, { putPacked: [packed(rows)] });
      await commit(storage, { putPacked: [packed(rows.filter((_, index) => index % 3 === 0))] });
      assertEqual(await scanPacked(storage, 1), rows, 'each row is as it was given');
    });

    test('are seen by calls that are made after the commit, even without waiting', async ({ open }) => {
      const storage = await open();
      const writing = commit(storage, { putPacked: [packed(rowsOf(places(600), 'packed'))] });
      const single = commit(storage, { putRecords: [record(nameOf(5), 'later')] });
      const [rows, [row]] = await Promise.all([scanPacked(storage, Infinity), storage.readRecords([record(nameOf(5), '')])]);
      await Promise.all([writing, single]);
      assertEqual([rows.length, row], [600, utf8('later')], 'reads see what was asked for before them');
      assertEqual(await storage.readRecords([record(nameOf(5), '')]), [utf8('later')], 'commits take effect in the order they were made');
    });

    test('take thousands of single rows in, the same rows again and again', async ({ open }) => {
      const [left, right] = [await open(), await open()];
      await commit(left, { putPacked: [packed(rowsOf(places(5_000), 'old'))] });
      const model = new Map(rowsOf(places(5_000), 'old'));
      for (let round = 0; round < 12; round++) {
        const rows = rowsOf(places(300, SCATTERED * (round + 1)), `round ${round}`);
        await Promise.all(rows.map(([id, text], index) => commit(index % 2 === 0 ? left : right, { putRecords: [record(id, text)] })));
        for (const [id, text] of rows) model.set(id, text);
      }
      assertEqual(await scanPacked(right, 1_000_000), sorted(model), 'every row is the last that was written');
    });

    for (const seed of [1, 2, 3]) {
      test(`agree with a plain map over a history of mixed commits in two open stores, no. ${seed}`, async ({ open }) => {
        await runPackedHistory([await open(), await open()], 60, seed);
      });
    }
  });

  describePackedFailures(suite);
}

// A first download, a page that changes a few rows of each block, one that changes many, removals, a save.
const STEPS: readonly Commit[] = [
  { durability: 'relaxed', putPacked: [packed(rowsOf(places(3_000), 'first'))], putState: [state('cursor', '1')] },
  { durability: 'relaxed', putPacked: [packed(rowsOf(places(300, 10, 3_000), 'second'))], putState: [state('cursor', '2')] },
  { durability: 'relaxed', putPacked: [packed(rowsOf(places(2_000).slice(500), 'third'))], putState: [state('cursor', '3')] },
  { durability: 'relaxed', removeRecords: places(600, 3).map((place) => record(nameOf(place), '')), putState: [state('cursor', '4')] },
  { durability: 'strict', putRecords: [record(nameOf(7), 'saved')], putState: [state('queue/1', 'edit')] },
];

function describePackedFailures(suite: Suite): void {
  const { runner, capabilities } = suite;
  const both = <Capability>(capability: Capability | undefined) => (capabilities.packed === undefined ? undefined : capability);

  runner.describe('packed rows when something goes wrong', () => {
    for (const [index, step] of STEPS.entries()) {
      const number = index + 1;
      testWith(runner, `are all there or not at all after a crash in the middle of commit ${number}`, ['packed and crash', both(capabilities.crash)], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          for (const earlier of STEPS.slice(0, index)) await storage.commit(earlier);
          storage.commit(step).catch(() => {}); // nobody is there to hear of it
          await bench.crash();
          const found = await contentsOf(await bench.open());
          const outcomes = [contentsAfter(index), contentsAfter(number)];
          assertThat(outcomes.some((outcome) => bytesEqual(found, outcome)), `the crash left all or nothing of commit ${number}`);
        }),
      );

      testWith(runner, `are refused with STORAGE_FULL at commit ${number}, and written once there is room`, ['packed and failures.fillUp', both(capabilities.fillUp)], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          for (const earlier of STEPS.slice(0, index)) await storage.commit(earlier);
          await bench.fillUp(1);
          await assertFault(storage.commit(step), 'STORAGE_FULL', `commit ${number}`);
          assertThat(bytesEqual(await contentsOf(storage), contentsAfter(index)), 'nothing of the refused commit is there');
          assertEqual(await storage.commit(step), 'done', 'the store works once there is room');
          assertThat(bytesEqual(await contentsOf(storage), contentsAfter(number)), 'and the commit is there');
        }),
      );

      testWith(runner, `are taken back whole when commit ${number} is aborted after its writes succeeded`, ['packed and failures.abortAfterSuccess', both(capabilities.abortAfterSuccess)], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          for (const earlier of STEPS.slice(0, index)) await storage.commit(earlier);
          await bench.abortAfterSuccess();
          await assertFault(storage.commit(step), ['STORAGE_FULL', 'STORAGE_FAILED'], `commit ${number}`);
          assertThat(bytesEqual(await contentsOf(storage), contentsAfter(index)), 'nothing of the aborted commit is there');
        }),
      );
    }

    testWith(runner, 'are found by the next that opens the store', ['packed', capabilities.packed], () =>
      suite.withBench(async (bench) => {
        const storage = await bench.open();
        for (const step of STEPS) await storage.commit(step);
        await storage.close();
        assertThat(bytesEqual(await contentsOf(await bench.open()), contentsAfter(STEPS.length)), 'the store was kept');
      }),
    );
  });
}

async function contentsOf(storage: Storage): Promise<Uint8Array> {
  const states = await storage.scanState({ prefix: '', limit: 99 });
  return utf8(JSON.stringify([await scanPacked(storage, 100_000), states.map(({ key, bytes }) => [key, new TextDecoder().decode(bytes)])]));
}

/** What a store holds that had the first `count` steps and no trouble: from a plain map. */
function contentsAfter(count: number): Uint8Array {
  const rows = new Map<string, string>(), states = new Map<string, string>();
  for (const { putPacked = [], putRecords = [], removeRecords = [], putState = [] } of STEPS.slice(0, count)) {
    for (const { id } of removeRecords) rows.delete(id);
    for (const { block } of putPacked) for (const [id, text] of rowsIn([block])) rows.set(id, text);
    for (const { id, bytes } of putRecords) rows.set(id, new TextDecoder().decode(bytes));
    for (const { key, bytes } of putState) states.set(key, new TextDecoder().decode(bytes));
  }
  return utf8(JSON.stringify([sorted(rows), sorted(states)]));
}
