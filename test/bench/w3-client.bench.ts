// W3 through the public client: it reads a feed of ready-made pages to its end, into memory storage, with all that a client does besides.
import { openClient } from './contenders/client.ts';
import { byHand, sharedStructures } from './contenders/by-hand.ts';
import { openReplication } from './contenders/rxdb-replication.ts';
import { digestOf, type HeldRecord } from './feed-contender.ts';
import { FeedData, type FeedRecord, type FeedScale } from './feed-data.ts';
import { decide } from './feed-decisions.ts';
import { isAskedFor, options } from './options.ts';
import { remoteTask, serveRemote, startRemote, type Remote } from './processes.ts';
import { carefulRatioOf, measuredOf, reportComparison, reportGoal, type ComparisonReport } from './report.ts';
import { sampleOf, type Sample } from './samples.ts';

/** A contender that has all rows, once. */
interface Ready {
  merge(): unknown;
  records(): Iterable<HeldRecord> | AsyncIterable<HeldRecord>;
  close(): unknown;
}

interface Contender {
  readonly name: string;
  readonly note?: string;
  readonly mostRecords: number;
  open(data: FeedData): Promise<Ready>;
}

interface Task {
  readonly contender: string;
  readonly scale: FeedScale;
}

const LARGE = 1_000_000;
const PAGES = [500, 5_000] as const;

const CONTENDERS: readonly Contender[] = [
  { name: 'by hand, shared structures', note: 'the batch as one message, into a Map; keeps nothing aside, tells nobody', mostRecords: LARGE, open: openByHand },
  ...PAGES.map((pageItems): Contender => ({
    name: `fieldtide client, pages of ${pageItems}`,
    note: 'cursor and rows in one commit, what waits kept aside, one in ten records in groups of a master and its details',
    mostRecords: LARGE,
    open: (data) => openClient(data, pageItems),
  })),
  {
    name: 'RxDB replication',
    note: 'batches of 500; the feed has only what is to be merged: no groups, nothing pending, nothing in use, and it checks no versions',
    mostRecords: 10_000,
    open: (data) => openReplication(data.rows(), mergedAndOlder(data), 500),
  },
];

const SCALES: readonly FeedScale[] = [
  { entries: 10_000, rows: 10_000 },
  ...(options.size === 'small' ? [] : [{ entries: 10_000, rows: 100_000 }, { entries: 100_000, rows: 100_000 }]),
];

async function openByHand(data: FeedData): Promise<Ready> {
  const store = await byHand('', sharedStructures).open(data);
  await store.load();
  return { merge: () => store.merge('lazy', () => {}), records: () => store.records(), close: () => {} };
}

/** The images of all records that a careful program merges. */
function mergedAndOlder(data: FeedData): FeedRecord[] {
  const entries = [...data.entries()], held = new Map(Array.from(data.rows(), ({ id, version }) => [id, version]));
  const { merged } = decide({ entries, groups: data.groups(), attention: data.attention(), heldVersion: (id) => held.get(id) ?? 0 });
  const ids = new Set(merged.map((entry) => entries[entry]!.id));
  return entries.filter(({ id }) => ids.has(id));
}

async function serve({ contender: name, scale }: Task): ReturnType<Parameters<typeof serveRemote>[0]> {
  const contender = CONTENDERS.find((one) => one.name === name)!;
  const data = new FeedData(scale);
  return {
    async merge(): Promise<Sample & { readonly digest: string }> {
      const ready = await contender.open(data);
      try {
        const sample = await sampleOf(() => ready.merge());
        return { ...sample, digest: await digestOf(ready.records()) };
      } finally {
        await ready.close();
      }
    },
  };
}

async function runScale(scale: FeedScale): Promise<ComparisonReport> {
  const asked = CONTENDERS.filter(({ name, mostRecords }, place) => Math.max(scale.entries, scale.rows) <= mostRecords && (place === 0 || isAskedFor(name)));
  const remotes = asked.map(({ name }): Remote => startRemote({ contender: name, scale } satisfies Task));
  const samples = asked.map((): (Sample & { readonly digest: string })[] => []);
  const rounds = scale.entries > 10_000 ? 3 : 5;
  try {
    for (let round = -1; round < rounds; round++) {
      for (const [place, remote] of remotes.entries()) {
        const sample = await remote.call<Sample & { readonly digest: string }>('merge');
        if (round >= 0) samples[place]!.push(sample); // The first round warms up.
      }
    }
  } finally {
    for (const remote of remotes) remote.close();
  }
  const digests = samples.map(([first]) => first!.digest);
  if (new Set(digests).size > 1) throw new Error(`they hold different records: ${asked.map(({ name }, place) => `${name} ${digests[place]}`).join(', ')}`);
  return reportComparison({
    id: `w3-client-${scale.entries / 1000}k-into-${scale.rows / 1000}k`,
    title: `W3 through the client: ${scale.entries / 1000}k entries into ${scale.rows / 1000}k rows`,
    rounds,
    items: scale.entries,
    baseline: asked[0]!.name,
    measured: asked.map(({ name, note }, place) => measuredOf(name, samples[place]!, note === undefined ? {} : { note })),
    skipped: [],
  });
}

async function main(): Promise<void> {
  for (const scale of SCALES) {
    const report = await runScale(scale);
    const client = `fieldtide client, pages of ${PAGES[1]}`;
    if (!report.measured.some(({ name }) => name === client)) continue;
    const note = `${scale.entries / 1000}k entries into ${scale.rows / 1000}k rows, pages of ${PAGES[1]}`;
    if (scale.entries > 10_000) reportGoal('w3-client', carefulRatioOf(report, client), note);
    if (report.measured.some(({ name }) => name === 'RxDB replication')) reportGoal('w3-client-rxdb', carefulRatioOf(report, client, 'RxDB replication'), note);
  }
}

const task = remoteTask<Task>();
if (task === null) await main();
else serveRemote(() => serve(task));
