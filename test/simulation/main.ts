// npm run simulate -- [--seeds N] [--first-seed S] [--seed X] [--bug NAME] [--planted [--rounds N]] [--model [--other-seeds N]] [--json] [--trace] [--workers N]
import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { printModelTable, runModelJob, type ModelJob } from './model/model-table.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runSeed } from './run-seed.ts';
import { createTrace } from './trace.ts';
import type { Violation } from './oracle/violation.ts';
import { runJobs, serveJobs } from './workers.ts';

/** What a seed is run for: the product as it is, or with one bug planted. */
interface Job {
  readonly seed: number;
  readonly bug: string | null;
}

/** How a job ended, as it crosses a process. */
interface JobResult extends Job {
  readonly violation: Violation | null;
  readonly tail: readonly string[];
  readonly saves: number;
  readonly requests: number;
}

// A client aborts all of its requests by one signal, and a slow network has many of them under way.
setMaxListeners(1_000);

const TAIL_LINES = 60;
/** Rounds of the planted bugs begin this far apart, so that no two look at the same seeds. */
const SEEDS_BETWEEN_ROUNDS = 1_000;

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    'first-seed': { type: 'string', default: '1' },
    seed: { type: 'string' },
    bug: { type: 'string' },
    planted: { type: 'boolean', default: false },
    model: { type: 'boolean', default: false },
    'other-seeds': { type: 'string', default: '300' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});

const workers = options.workers === undefined ? undefined : whole(options.workers);

if (options.worker) serveJobs((job: Job | ModelJob) => ('model' in job ? runModelJob(job) : runJob(job)));
else if (options.model) await model();
else if (options.seed !== undefined) await replay({ seed: whole(options.seed), bug: knownBug(options.bug) });
else if (options.planted) await findPlanted();
else await search();

/** Runs the random model of the rules, and prints its table. */
async function model(): Promise<void> {
  const began = performance.now();
  const { passed, failed } = await printModelTable({ seeds: whole(options.seeds), otherSeeds: whole(options['other-seeds']), first: whole(options['first-seed']), ...(workers === undefined ? {} : { workers }) });
  console.log(`${passed + failed} rule sets in ${round((performance.now() - began) / 1_000)} s`);
  finish(passed, failed);
}

async function runJob({ seed, bug }: Job): Promise<JobResult> {
  const { violation, saves, requests, trace } = await runSeed({ seed, ...(bug === null ? {} : { rules: PLANTED_BUGS[bug]!.rules }) });
  return { seed, bug, violation, saves, requests, tail: violation === null ? [] : trace.tail(TAIL_LINES) };
}

/** Runs one seed here, and shows what happened in it. */
async function replay({ seed, bug }: Job): Promise<void> {
  const trace = createTrace(options.trace ? { print: (line) => console.log(line) } : {});
  const { violation } = await runSeed({ seed, trace, ...(bug === null ? {} : { rules: PLANTED_BUGS[bug]!.rules }) });
  if (violation !== null) report({ seed, bug, violation, tail: options.trace ? [] : trace.tail(TAIL_LINES), saves: 0, requests: 0 });
  finish(violation === null ? 1 : 0, violation === null ? 0 : 1);
}

/** Runs seed after seed on all cores, and tells of those that fail. */
async function search(): Promise<void> {
  const seeds = whole(options.seeds), first = whole(options['first-seed']), bug = knownBug(options.bug);
  const failures: JobResult[] = [];
  let saves = 0, requests = 0, next = first;
  const began = performance.now();
  await runJobs<Job, JobResult>(() => (next < first + seeds ? { seed: next++, bug } : null), (result) => {
    saves += result.saves;
    requests += result.requests;
    if (result.violation === null) return;
    failures.push(result);
    if (!options.json) report(result);
  }, workers);
  const seconds = (performance.now() - began) / 1_000;
  if (options.json) {
    const found = failures.map(({ seed, violation }) => ({ seed, ...violation, replay: replayCommand(seed, bug) }));
    console.log(JSON.stringify({ seeds, firstSeed: first, bug, passed: seeds - failures.length, failed: failures.length, seedsPerSecond: round(seeds / seconds), saves, requests, failures: found }, null, 2));
    process.exitCode = failures.length > 0 ? 1 : 0;
    return;
  }
  console.log(`${seeds} seeds from ${first} in ${round(seconds)} s: ${round(seeds / seconds)} seeds/s, ${saves} saves, ${requests} requests`);
  finish(seeds - failures.length, failures.length);
}

/** A search for one planted bug, from one seed on. */
interface Hunt {
  readonly bug: string;
  readonly first: number;
  tried: number;
  found: JobResult | null;
}

/** Looks for each planted bug within its budget of seeds; one that is not found means that the oracle or the workload is too weak. */
async function findPlanted(): Promise<void> {
  const first = whole(options['first-seed']), rounds = whole(options.rounds);
  const names = options.bug === undefined ? Object.keys(PLANTED_BUGS) : [knownBug(options.bug)!];
  const hunts = names.flatMap((bug) => Array.from({ length: rounds }, (_, round): Hunt => ({ bug, first: first + round * SEEDS_BETWEEN_ROUNDS, tried: 0, found: null })));
  const began = performance.now();
  const next = (): Job | null => {
    const hunt = hunts.find(({ bug, tried, found }) => found === null && tried < PLANTED_BUGS[bug]!.withinSeeds);
    return hunt === undefined ? null : { bug: hunt.bug, seed: hunt.first + hunt.tried++ };
  };
  await runJobs<Job, JobResult>(next, (result) => {
    const hunt = hunts.find(({ bug, first: from }) => bug === result.bug && result.seed >= from && result.seed < from + SEEDS_BETWEEN_ROUNDS)!;
    if (result.violation !== null && (hunt.found === null || result.seed < hunt.found.seed)) hunt.found = result;
  }, workers);
  const results = names.map((bug) => summarise(bug, hunts.filter((hunt) => hunt.bug === bug)));
  const missed = results.filter(({ missed }) => missed > 0);
  if (options.json) {
    console.log(JSON.stringify({ firstSeed: first, rounds, bugs: results }, null, 2));
    process.exitCode = missed.length > 0 ? 1 : 0;
    return;
  }
  for (const { bug, missed: misses, medianSeeds, rules } of results) {
    const how = misses > 0 ? `not found in ${PLANTED_BUGS[bug]!.withinSeeds} seeds: ${PLANTED_BUGS[bug]!.mistake}` : `${String(medianSeeds).padStart(3)} seeds, by ${rules.join(' and ')}`;
    console.log(`${bug.padEnd(26)} ${how}`);
  }
  console.log(`${results.length} planted bugs in ${round((performance.now() - began) / 1_000)} s`);
  finish(results.length - missed.length, missed.length);
}

function summarise(bug: string, hunts: readonly Hunt[]) {
  const found = hunts.flatMap(({ first, found: result }) => (result === null ? [] : [{ seeds: result.seed - first + 1, rule: result.violation!.rule }]));
  const seeds = found.map((hunt) => hunt.seeds).sort((left, right) => left - right);
  return { bug, missed: hunts.length - found.length, medianSeeds: seeds[seeds.length >> 1] ?? null, seeds, rules: [...new Set(found.map(({ rule }) => rule))] };
}

function report({ seed, bug, violation, tail }: JobResult): void {
  console.log(`\nseed ${seed}${bug === null ? '' : ` with ${bug}`} broke ${violation!.rule} at ${(violation!.at / 1_000).toFixed(3)} s:\n  ${violation!.message}`);
  for (const line of tail) console.log(line);
  console.log(`replay it with: ${replayCommand(seed, bug)}\n`);
}

function replayCommand(seed: number, bug: string | null): string {
  return `npm run simulate -- --seed ${seed}${bug === null ? '' : ` --bug ${bug}`} --trace`;
}

function finish(passed: number, failed: number): void {
  process.exitCode = failed > 0 ? 1 : 0;
  console.log(`${passed} passed, ${failed} failed`);
}

function knownBug(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (!Object.hasOwn(PLANTED_BUGS, name)) throw new Error(`no bug is called ${name}: choose from ${Object.keys(PLANTED_BUGS).join(', ')}`);
  return name;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`${text} is not a whole number`);
  return number;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
