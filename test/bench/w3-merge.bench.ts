// W3: a feed batch is merged into the rows that are held: from the bytes of the message to rows that could be stored.
import { CONTENDERS } from './contenders/feed.ts';
import { FeedData, type FeedScale } from './feed-data.ts';
import { digestOf, type FeedContender, type MergeCounts, type MergeMode } from './feed-contender.ts';
import { isAskedFor, options } from './options.ts';
import { remoteTask, serveRemote, startRemote, type Remote } from './processes.ts';
import { carefulRatioOf, measuredOf, reportComparison, reportGoal, type ComparisonReport } from './report.ts';
import { sampleOf, type Sample } from './samples.ts';

const BASELINE = 'by hand, shared structures';
const ROUNDS = { small: 5, large: 3 } as const;
const LARGE = 1_000_000;

/** What a process of one contender answers to. */
interface FeedTask {
  readonly contender: string;
  readonly scale: FeedScale;
}

interface Merged extends Sample, MergeCounts {
  /** Changes that were handed out, and fields in them. */
  readonly handedOut: readonly [changes: number, fields: number];
}

interface Runner {
  readonly contender: FeedContender;
  readonly remote: Remote;
}

interface Run extends FeedScale {
  readonly modes: readonly MergeMode[];
  readonly size: 'small' | 'full';
}

const ALL_MODES = ['lazy', 'masks', 'values'] as const;

// Libraries take part in the first, which all can do.
const RUNS: readonly Run[] = [
  { entries: 10_000, rows: 10_000, modes: ['lazy'], size: 'small' },
  { entries: 10_000, rows: 100_000, modes: ALL_MODES, size: 'small' },
  { entries: 100_000, rows: 100_000, modes: ALL_MODES, size: 'full' },
  { entries: 10_000, rows: LARGE, modes: ['lazy'], size: 'full' },
  { entries: 100_000, rows: LARGE, modes: ['lazy'], size: 'full' },
  { entries: LARGE, rows: 100_000, modes: ['lazy'], size: 'full' },
  { entries: LARGE, rows: LARGE, modes: ['lazy'], size: 'full' },
];

async function serve({ contender: name, scale }: FeedTask): ReturnType<Parameters<typeof serveRemote>[0]> {
  const contender = CONTENDERS.find((one) => one.name === name)!;
  const store = await contender.open(new FeedData(scale));
  return {
    async merge(mode: MergeMode): Promise<Merged> {
      await store.load();
      let changes = 0, fields = 0, counts: MergeCounts | undefined;
      const sample = await sampleOf(async () => {
        counts = await store.merge(mode, (_id, values) => {
          changes++;
          for (const name in values) if (name !== '') fields++;
        });
      });
      await store.settle?.();
      return { ...sample, ...counts!, handedOut: [changes, fields] };
    },
    digest: () => digestOf(store.records()),
  };
}

async function start(scale: FeedScale): Promise<{ readonly runners: Runner[]; readonly skipped: { name: string; why: string }[] }> {
  const runners: Runner[] = [], skipped: { name: string; why: string }[] = [];
  for (const contender of CONTENDERS.filter(({ name, mostRecords }) => Math.max(scale.entries, scale.rows) <= mostRecords && (name === BASELINE || isAskedFor(name)))) {
    const remote = startRemote({ contender: contender.name, scale } satisfies FeedTask);
    try {
      await remote.ready();
      runners.push({ contender, remote });
    } catch (error) {
      remote.close();
      skipped.push({ name: contender.name, why: error instanceof Error ? error.message.split('\n')[0]! : String(error) });
    }
  }
  return { runners, skipped };
}

async function runMode(scale: FeedScale, mode: MergeMode, runners: readonly Runner[], skipped: ComparisonReport['skipped']): Promise<ComparisonReport> {
  const asked = runners.filter(({ contender }) => contender.modes.includes(mode));
  const isLarge = scale.entries === LARGE, rounds = isLarge ? ROUNDS.large : ROUNDS.small;
  const samples = asked.map((): Merged[] => []);
  // The first rounds warm up.
  for (let round = isLarge ? -1 : -2; round < rounds; round++) {
    for (const [place, { remote }] of asked.entries()) {
      const merged = await remote.call<Merged>('merge', mode);
      if (round >= 0) samples[place]!.push(merged);
    }
  }
  assertAlike(asked, samples.map(([first]) => first!));
  return reportComparison({
    id: `w3-${nameOf(scale.entries)}-into-${nameOf(scale.rows)}-${mode}`,
    title: `W3: ${nameOf(scale.entries)} entries into ${nameOf(scale.rows)} rows, ${mode}`,
    rounds,
    items: scale.entries,
    baseline: BASELINE,
    measured: asked.map(({ contender: { name, note } }, place) => measuredOf(name, samples[place]!, note === undefined ? {} : { note })),
    skipped,
  });
}

/** All decided the same, and told of the same changes. */
function assertAlike(runners: readonly Runner[], merged: readonly Merged[]): void {
  const [first, ...others] = merged.map(({ verdicts, changedFields, handedOut }) => JSON.stringify({ verdicts, changedFields, handedOut }));
  for (const [place, other] of others.entries()) {
    if (other !== first) throw new Error(`${runners[place + 1]!.contender.name} came to ${other}, ${runners[0]!.contender.name} to ${first}`);
  }
}

async function assertEqualDigests(runners: readonly Runner[]): Promise<void> {
  const digests = new Map<string, string>();
  for (const { contender, remote } of runners) digests.set(contender.name, await remote.call<string>('digest'));
  if (new Set(digests.values()).size > 1) throw new Error(`the contenders hold different records: ${JSON.stringify(Object.fromEntries(digests))}`);
  console.log(`  all ${digests.size} hold the same records: ${[...digests.values()][0]}`);
}

async function main(): Promise<void> {
  const lazy = new Map<string, ComparisonReport>();
  const runs = RUNS.filter((run) => (options.scales.length === 0 ? options.size === 'full' || run.size === 'small' : options.scales.includes(titleOf(run))));
  for (const { modes, ...scale } of runs) {
    const { runners, skipped } = await start(scale);
    try {
      for (const mode of modes) {
        const report = await runMode(scale, mode, runners, skipped);
        if (mode === 'lazy') lazy.set(titleOf(scale), report);
      }
      await assertEqualDigests(runners);
    } finally {
      for (const { remote } of runners) remote.close();
    }
  }
  reportGoals(lazy);
}

function reportGoals(lazy: ReadonlyMap<string, ComparisonReport>): void {
  const OURS = 'fieldtide simd', TWIN = 'fieldtide twin';
  const find = (scale: string, name: string): ComparisonReport | undefined => {
    const report = lazy.get(scale);
    return report?.measured.some((one) => one.name === name) === true ? report : undefined;
  };
  const perEntry = ({ measured, items = 1 }: ComparisonReport): number => measured.find(({ name }) => name === OURS)!.cpuMs.median / items;
  const few = find('10k/10k', OURS), large = find('1M/1M', OURS);
  if (large !== undefined) reportGoal('w3-core', carefulRatioOf(large, OURS), 'SIMD');
  if (large !== undefined && few !== undefined) reportGoal('w3-per-entry', perEntry(large) / perEntry(few), 'SIMD, 1M into 1M against 10k into 10k, processor time');
  const both = find('100k/100k', TWIN) ?? find('10k/10k', TWIN);
  if (both !== undefined) reportGoal('w3-wasm-twin', carefulRatioOf(both, OURS, TWIN), `SIMD, ${nameOf(both.items ?? 0)} entries`);
}

function titleOf({ entries, rows }: FeedScale): string {
  return `${nameOf(entries)}/${nameOf(rows)}`;
}

function nameOf(count: number): string {
  return count >= LARGE ? `${count / LARGE}M` : `${count / 1000}k`;
}

const task = remoteTask<FeedTask>();
if (task === null) await main();
else serveRemote(() => serve(task));
