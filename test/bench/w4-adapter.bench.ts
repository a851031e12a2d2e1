// W4, the adapter alone: 100,000 rows into IndexedDB in Chromium as a download brings them, 10,000 changed rows into those, and all of them read
// back as bytes; against single rows as a program by hand writes and reads them. What the client adds is in w4-client.bench.ts.
import { build } from 'esbuild';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright';
import { CHROMIUM_ARGS, findChromium } from '../../scripts/chromium.mjs';
import { compare } from './compare.ts';
import { options } from './options.ts';
import { reportSkip } from './report.ts';

const ROWS = options.size === 'small' ? 20_000 : 100_000, CHANGED = ROWS / 10;
const executablePath = findChromium();

if (executablePath === undefined) reportSkip('W4: rows in IndexedDB', 'no Chromium was found');
else await run(executablePath);

async function run(browserPath: string): Promise<void> {
  const server = await serve(await bundlePage());
  const browser = await chromium.launch({ executablePath: browserPath, args: [...CHROMIUM_ARGS] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const inPage = (call: string) => () => page.evaluate(call);
    await page.evaluate(`createBench(${ROWS})`);
    const bytesPerRow: number = await page.evaluate('bench.bytesPerRow');
    console.log(`rows of ${Math.round(bytesPerRow)} bytes; Chromium ${browser.version()}`);
    // Each comparison leaves all rows behind for the next.
    await compare({
      id: 'w4-adapter-first',
      title: `W4: first write of ${ROWS} rows, IndexedDB in Chromium`,
      items: ROWS,
      rounds: 3,
      cases: [
        { name: 'single rows, 10,000 a transaction', prepare: inPage('bench.openRaw()'), run: inPage('bench.rawFirst()') },
        { name: 'fieldtide, pages of 5,000 packed rows', prepare: inPage('bench.openPacked()'), run: inPage('bench.packedFirst()') },
      ],
    });
    await compare({
      id: 'w4-adapter-read',
      title: `W4: reading ${ROWS} rows back, IndexedDB in Chromium`,
      items: ROWS,
      rounds: 7,
      cases: [
        { name: 'getAll of single rows', run: inPage('bench.rawReadAll()') },
        { name: 'fieldtide, packed', run: inPage('bench.packedReadAll()') },
      ],
    });
    await compare({
      id: 'w4-adapter-merge',
      title: `W4: write of ${CHANGED} changed rows into ${ROWS}, IndexedDB in Chromium`,
      items: CHANGED,
      rounds: 9,
      cases: [
        { name: 'single rows', prepare: inPage(`bench.chooseChanged(${CHANGED})`), run: inPage('bench.rawMerge()') },
        { name: 'fieldtide, packed', run: inPage('bench.packedMerge()'), note: 'waits for the folding behind the commit; other rows each round, so that folding of all of them is among the rounds' },
        { name: 'fieldtide, reading the rows around them', run: inPage('bench.packedReadAround()'), note: 'what a merge reads before it writes' },
      ],
    });
    await compare({
      id: 'w4-adapter-read-patched',
      title: `W4: reading ${ROWS} rows back after those merges, IndexedDB in Chromium`,
      items: ROWS,
      rounds: 7,
      cases: [
        { name: 'getAll of single rows', run: inPage('bench.rawReadAll()') },
        { name: 'fieldtide, packed', run: inPage('bench.packedReadAll()') },
      ],
    });
  } finally {
    await browser.close();
    server.close();
  }
}

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({ entryPoints: ['test/bench/indexeddb-page.ts'], bundle: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, logLevel: 'warning' });
  return outputFiles[0]!.text;
}

async function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
