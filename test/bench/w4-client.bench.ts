// W4: the public client with its worker and IndexedDB in Chromium: a first download of 100,000 records, and a merge of 10,000 changed ones,
// against a program by hand that puts the same bytes row by row; and the longest stretch of the page's own thread while 100,000 changed records
// are merged in the worker.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { chromium, type Browser, type CDPSession, type Page } from 'playwright';
import { CHROMIUM_ARGS, ensureChromium } from '../../scripts/chromium.mjs';
import { prepare } from '../../scripts/prepare.mjs';
import { createBatchServer, type BatchServerOptions } from './batch-server.ts';
import { options } from './options.ts';
import { reportGoal, reportTable } from './report.ts';
import { spreadOf } from './samples.ts';

const RECORDS = options.size === 'small' ? 20_000 : 100_000, CHANGED = RECORDS / 10;
const ROUNDS = options.size === 'small' ? 3 : 5;
/** As a server gives them unless it is told otherwise, and as one for large batches does. */
const PAGES = [500, 5_000];

interface Round {
  readonly download: number;
  readonly merge: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ph: string;
  readonly dur?: number;
  readonly args?: { readonly name?: string };
}

async function bundlePage(): Promise<Uint8Array> {
  const { outputFiles } = await build({ entryPoints: ['test/bench/client-page.ts'], bundle: true, write: false, format: 'esm', target: 'es2022', logLevel: 'warning' });
  return outputFiles[0]!.contents;
}

function serveFiles(script: Uint8Array) {
  return (path: string) => {
    if (path === '/') return { type: 'text/html', body: '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>' };
    if (path === '/page.js') return { type: 'text/javascript', body: script };
    const inside = normalize(path.slice('/sdk/'.length));
    if (!path.startsWith('/sdk/') || inside.startsWith('..')) return null;
    return { type: path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', body: readFileSync(join('dist', inside)) };
  };
}

/** Opens a page on a server of its own, works on it, and closes both. */
async function onServer<T>(browser: Browser, script: Uint8Array, of: BatchServerOptions, work: (page: Page, publish: () => void) => Promise<T>): Promise<T> {
  const { http, publish } = createBatchServer(of, serveFiles(script));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.on('pageerror', (thrown) => console.error(thrown));
    await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'contenders' in globalThis);
    return await work(page, publish);
  } finally {
    await context.close();
    http.closeAllConnections();
    http.close();
  }
}

/** One round of the client: a first download, then the batch. */
function clientRound(browser: Browser, script: Uint8Array, pageRecords: number): Promise<Round> {
  return onServer(browser, script, { records: RECORDS, pageRecords, changed: CHANGED }, async (page, publish) => {
    await begin(page);
    const download = await page.evaluate(() => client.download());
    publish();
    const merge = await page.evaluate(() => client.exchange());
    await check(page, CHANGED);
    return { download, merge };
  });
}

function rawRound(browser: Browser, script: Uint8Array): Promise<Round> {
  return onServer(browser, script, { records: 0, pageRecords: 1, changed: 0 }, (page) =>
    page.evaluate(async ([records, changed]) => {
      const raw = await contenders.openRaw('raw');
      return { download: await raw.put(records, 1), merge: await raw.put(changed, 2) };
    }, [RECORDS, CHANGED] as const));
}

/** The longest task of the page's own thread while the whole batch is merged, in milliseconds. */
function longestStretch(browser: Browser, script: Uint8Array): Promise<number> {
  return onServer(browser, script, { records: RECORDS, pageRecords: 5_000, changed: RECORDS }, async (page, publish) => {
    await begin(page);
    await page.evaluate(() => client.download());
    publish();
    const trace = await startTrace(await browser.newBrowserCDPSession());
    await page.evaluate(() => client.exchange());
    const events = await trace.end();
    await check(page, RECORDS);
    const threads = new Set(events.flatMap(({ name, pid, tid, args }) => (name === 'thread_name' && args?.name === 'CrRendererMain' ? [`${pid}.${tid}`] : [])));
    const tasks = events.filter(({ name, pid, tid, ph }) => ph === 'X' && name.endsWith('RunTask') && threads.has(`${pid}.${tid}`));
    if (tasks.length === 0) throw new Error('the trace has no task of the page');
    return Math.max(...tasks.map(({ dur = 0 }) => dur)) / 1e3;
  });
}

async function begin(page: Page): Promise<void> {
  await page.evaluate(async () => {
    Object.assign(globalThis, { client: contenders.openClient('bench') });
    await client.open();
  });
}

/** What is timed has really happened: as many records as were sent have the new version. */
async function check(page: Page, changed: number): Promise<void> {
  const found = await page.evaluate(([records, every]) => client.countChanged(records, every), [RECORDS, Math.max(1, RECORDS / 500)] as const);
  const expected = (500 * changed) / RECORDS;
  if (Math.abs(found - expected) > expected / 2) throw new Error(`of 500 records ${found} have the new version, and ${expected} should`);
}

async function startTrace(session: CDPSession): Promise<{ end(): Promise<TraceEvent[]> }> {
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => void events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline'] } });
  return {
    async end() {
      const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
      await session.send('Tracing.end');
      await complete;
      return events;
    },
  };
}

prepare();
const script = await bundlePage();
const executablePath = ensureChromium();
const browser = await chromium.launch({ args: CHROMIUM_ARGS, ...(executablePath === '' ? {} : { executablePath }) });
try {
  const raw: Round[] = [], stretches: number[] = [];
  const own = PAGES.map((): Round[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    raw.push(await rawRound(browser, script));
    for (const [place, pageRecords] of PAGES.entries()) own[place]!.push(await clientRound(browser, script, pageRecords));
    stretches.push(await longestStretch(browser, script));
  }
  const median = (rounds: readonly Round[], of: keyof Round): number => spreadOf(rounds.map((round) => round[of])).median;
  const rows = [['raw puts of single rows', raw] as const, ...PAGES.map((pageRecords, place) => [`client, pages of ${pageRecords}`, own[place]!] as const)].map(([name, rounds]) =>
    [name, ...(['download', 'merge'] as const).flatMap((of) => [median(rounds, of).toFixed(0), (median(rounds, of) / median(raw, of)).toFixed(2)])]);
  reportTable({ id: 'w4-client', title: `W4: ${RECORDS} records into IndexedDB in Chromium through the public client (${ROUNDS} rounds, median)`, columns: ['contender', 'first write, ms', 'ratio', `merge of ${CHANGED}, ms`, 'ratio of the merge'], rows });
  const stretch = spreadOf(stretches);
  console.log(`longest task of the page's thread, ms: ${stretch.median.toFixed(1)} (${stretch.low.toFixed(1)} to ${stretch.high.toFixed(1)})`);
  if (options.size === 'full') {
    const best = own.at(-1)!;
    const note = `through the public client, pages of ${PAGES.at(-1)}; with pages of ${PAGES[0]}: `;
    reportGoal('w4-first-download', median(best, 'download') / median(raw, 'download'), note + (median(own[0]!, 'download') / median(raw, 'download')).toFixed(2));
    reportGoal('w4-merge', median(best, 'merge') / median(raw, 'merge'), note + (median(own[0]!, 'merge') / median(raw, 'merge')).toFixed(2));
    reportGoal('main-thread', stretch.median, 'the median of the longest tasks');
  }
} finally {
  await browser.close();
}
