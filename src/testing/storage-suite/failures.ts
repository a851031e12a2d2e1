import { utf8 } from '../../shared/bytes.ts';
import type { Commit, Storage } from '../../storage/storage-adapter.ts';
import { assertEqual, assertFault, assertThat } from '../assert.ts';
import { testWith } from '../suite-runner.ts';
import { commit, contentsOf, record, state, type Bench, type Suite } from './context.ts';

type Step = Omit<Commit, 'durability'>;

// A short life of a client: create, edit, settle, merge, remove. Each step touches several rows, so that half of one would show.
const STEPS: readonly Step[] = [
  { putRecords: [record('a', '1')], putState: [state('meta', '1'), state('queue/1', 'create a')] },
  { putRecords: [record('a', '2'), record('b', '2', 'line')], putState: [state('queue/2', 'edit a')] },
  { expect: [{ key: 'meta', bytes: utf8('1') }], putRecords: [record('a', '3')], removeState: ['queue/1'], putState: [state('meta', '3')] },
  { putRecords: Array.from({ length: 100 }, (_, index) => record(`page-${index}`, '4')), putState: [state('cursor', '4')] },
  { removeRecords: [record('b', '', 'line'), ...Array.from({ length: 50 }, (_, index) => record(`page-${index}`, ''))], removeState: ['queue/2'] },
  { putState: [state('cursor', '6'), state('meta', '6')] },
];

/** Crashes, full disks, aborted transactions, lost handles. */
export function describeFailures(suite: Suite): void {
  const { runner, capabilities } = suite;
  runner.describe('crashes', () => {
    for (const [index] of STEPS.entries()) {
      const number = index + 1;
      testWith(runner, `finds all of ${number} commits and nothing else after a crash behind commit ${number}`, ['crash', capabilities.crash], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          for (const step of STEPS.slice(0, number)) await commit(storage, step);
          await bench.crash();
          assertEqual(await contentsOf(await bench.open()), await contentsAfter(suite, number), `what ${number} commits left`);
        }),
      );

      testWith(runner, `finds all or nothing of commit ${number} after a crash in the middle of it`, ['crash', capabilities.crash], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          for (const step of STEPS.slice(0, index)) await commit(storage, step);
          commit(storage, STEPS[index]!).catch(() => {}); // nobody is there to hear of it
          await bench.crash();
          const found = (await contentsOf(await bench.open())).join('\n');
          const outcomes = [await contentsAfter(suite, index), await contentsAfter(suite, number)].map((lines) => lines.join('\n'));
          assertThat(outcomes.includes(found), `the crash left half of commit ${number}:\n${found}`);
        }),
      );
    }
  });

  runner.describe('a full disk', () => {
    for (const nth of [1, 2, 4]) {
      testWith(runner, `refuses commit ${nth} with STORAGE_FULL, writes nothing of it, and works on`, ['failures.fillUp', capabilities.fillUp], () =>
        suite.withBench(async (bench) => {
          const storage = await bench.open();
          await bench.fillUp(nth);
          for (const step of STEPS.slice(0, nth - 1)) await commit(storage, step);
          await assertRefused(suite, storage, nth, ['STORAGE_FULL']);
        }),
      );
    }
  });

  runner.describe('an aborted transaction', () => {
    const need = ['failures.abortAfterSuccess', capabilities.abortAfterSuccess] as const;
    testWith(runner, 'fails a commit whose writes succeeded before the platform took them back', need, () =>
      suite.withBench(async (bench) => {
        const storage = await bench.open();
        await commit(storage, STEPS[0]!);
        await bench.abortAfterSuccess();
        await assertRefused(suite, storage, 2, ['STORAGE_FULL', 'STORAGE_FAILED']);
      }),
    );
  });

  runner.describe('a lost handle', () => {
    const calls: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
      readRecords: (storage) => storage.readRecords([record('a', '')]),
      scanRecords: (storage) => storage.scanRecords({ object: 'note', limit: 9 }),
      scanState: (storage) => storage.scanState({ prefix: '', limit: 9 }),
      commit: (storage) => commit(storage, { putState: [state('meta', '1')] }),
    };
    for (const [name, call] of Object.entries(calls)) {
      testWith(runner, `is replaced without a word at the next ${name}`, ['failures.loseHandles', capabilities.loseHandles], () =>
        suite.withBench((bench) => assertCarriesOn(suite, bench, call)),
      );
    }
  });
}

/** The `nth` step fails and leaves what was there; then it can be done after all. */
async function assertRefused(suite: Suite, storage: Storage, nth: number, codes: readonly ('STORAGE_FULL' | 'STORAGE_FAILED')[]): Promise<void> {
  await assertFault(commit(storage, STEPS[nth - 1]!), codes, `commit ${nth}`);
  assertEqual(await contentsOf(storage), await contentsAfter(suite, nth - 1), 'nothing of the failed commit is there');
  assertEqual(await commit(storage, STEPS[nth - 1]!), 'done', 'the store works once there is room');
  assertEqual(await contentsOf(storage), await contentsAfter(suite, nth), 'and the commit is there');
}

async function assertCarriesOn(suite: Suite, bench: Bench, call: (storage: Storage) => Promise<unknown>): Promise<void> {
  const storage = await bench.open();
  await commit(storage, STEPS[0]!);
  await bench.loseHandles();
  await call(storage);
  assertEqual(await contentsOf(storage), await contentsAfter(suite, 1), 'the store is as it was');
  assertEqual(await commit(storage, STEPS[1]!), 'done', 'and takes commits');
  assertEqual(await contentsOf(storage), await contentsAfter(suite, 2), 'and keeps them');
}

/** What a store holds that had the first `count` steps and no trouble. */
async function contentsAfter(suite: Suite, count: number): Promise<string[]> {
  let contents: string[] = [];
  await suite.withBench(async (bench) => {
    const storage = await bench.open();
    for (const step of STEPS.slice(0, count)) await commit(storage, step);
    contents = await contentsOf(storage);
  });
  return contents;
}
