import { build as bundle } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { build as buildWithVite, type UserConfig } from 'vite';
import { CHROMIUM_ARGS, findChromium } from '../../scripts/chromium.mjs';

/** A page of the newcomer's project, and where its engine must end up. */
interface Page {
  readonly claim: string;
  readonly path: string;
  readonly policy?: string;
  readonly runtime: 'module-worker' | 'blob-worker' | 'in-place';
  readonly answeredBy?: 'twin';
  /** Where a part of the client is, one that is loaded at its first use. By default Vite makes one classic script of a worker. */
  readonly part: 'in a file' | 'in the worker';
  /** The part's file is missing when it is asked for the first time. */
  readonly isPartMissing?: true;
}

// What a host writes; it says how it went in the title of the page.
const SOURCE = `
import { createSyncClient } from 'fieldtide';
import { defineSchema, text } from 'fieldtide/schema';
import { indexedDb } from 'fieldtide/storage/indexeddb';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text() } } } });
const events = [];
try {
  const client = createSyncClient({ schema, user: 'ann', storage: indexedDb({ name: location.pathname }), transport: { url: '/sync' } });
  client.events.subscribe((event) => events.push(event));
  const saved = await client.objects.account.create({ name: 'St. Mary' });
  const outcome = await client.outcome(saved.entry);
  const record = await client.objects.account.get(saved.id);
  // A part of the client that is loaded when somebody asks for it, twice where the first try ends in a fault.
  const missing = await client.download().then(() => null, (thrown) => thrown.code);
  const download = await client.download();
  const fault = await client.objects.account.update('nobody', { city: 'Ghent' }).catch((thrown) => thrown.code);
  const runtime = await client.runtime;
  await client.close();
  document.title = JSON.stringify({ outcome, record, missing, download, fault, runtime, core: events.filter(({ type }) => type === 'core:replaced') });
} catch (thrown) {
  document.title = JSON.stringify({ thrown: String(thrown?.stack ?? thrown) });
}
`;

const WASM = "'wasm-unsafe-eval'";
const STATIC_IMPORTS = JSON.stringify({
  imports: {
    'fieldtide': '/node_modules/fieldtide/dist/index.js',
    'fieldtide/schema': '/node_modules/fieldtide/dist/schema.js',
    'fieldtide/storage/indexeddb': '/node_modules/fieldtide/dist/storage-indexeddb.js',
  },
});

const PAGES: readonly Page[] = [
  { claim: 'a page without a bundler runs the worker file', path: '/static.html', runtime: 'module-worker', part: 'in a file' },
  { claim: 'a page built with Vite runs the worker file', path: '/vite/index.html', runtime: 'module-worker', part: 'in the worker' },
  { claim: 'a page built with Vite, whose workers are modules, runs the worker file', path: '/vite-modules/index.html', runtime: 'module-worker', part: 'in a file' },
  { claim: 'a page built with esbuild runs the worker made of text', path: '/esbuild/index.html', runtime: 'blob-worker', part: 'in the worker' },
  {
    claim: 'a page whose policy allows Wasm and its own files runs the worker file',
    path: '/vite/index.html',
    policy: `default-src 'self'; script-src 'self' ${WASM}`,
    runtime: 'module-worker',
    part: 'in the worker',
  },
  {
    claim: 'a page built with esbuild under that policy runs in place',
    path: '/esbuild/index.html',
    policy: `default-src 'self'; script-src 'self' ${WASM}`,
    runtime: 'in-place',
    part: 'in a file',
  },
  {
    claim: 'a page whose policy forbids Wasm runs on the twin',
    path: '/vite/index.html',
    policy: "default-src 'self'",
    runtime: 'module-worker',
    answeredBy: 'twin',
    part: 'in the worker',
  },
  {
    claim: 'a part whose file was missing is loaded at the next call, by the worker of a page without a bundler',
    path: '/static.html',
    runtime: 'module-worker',
    part: 'in a file',
    isPartMissing: true,
  },
  {
    claim: 'a part whose file was missing is loaded at the next call, by a worker that Vite has built',
    path: '/vite-modules/index.html',
    runtime: 'module-worker',
    part: 'in a file',
    isPartMissing: true,
  },
  {
    claim: 'a part whose file was missing is loaded at the next call, in place',
    path: '/esbuild/index.html',
    policy: `default-src 'self'; script-src 'self' ${WASM}`,
    runtime: 'in-place',
    part: 'in a file',
    isPartMissing: true,
  },
];

const PART = /\/snapshot-download-[\w-]+\.js$/;

/** Writes the newcomer's pages and bundles them. */
export async function buildPages(project: string): Promise<void> {
  mkdirSync(join(project, 'source'), { recursive: true });
  writeFileSync(join(project, 'source/page.js'), SOURCE);
  writeFileSync(join(project, 'source/index.html'), html('<script type="module" src="./page.js"></script>'));
  writeFileSync(join(project, 'static.html'), html(`<script type="importmap">${STATIC_IMPORTS}</script><script type="module" src="/source/page.js"></script>`));

  mkdirSync(join(project, 'esbuild'), { recursive: true });
  writeFileSync(join(project, 'esbuild/index.html'), html('<script type="module" src="./page.js"></script>'));
  await bundle({
    entryPoints: [join(project, 'source/page.js')],
    outdir: join(project, 'esbuild'),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  await bundleWithVite(project, 'vite');
  await bundleWithVite(project, 'vite-modules', { format: 'es' });
}

async function bundleWithVite(project: string, folder: string, worker: UserConfig['worker'] = {}): Promise<void> {
  await buildWithVite({
    root: join(project, 'source'),
    base: `/${folder}/`,
    configFile: false,
    logLevel: 'warn',
    worker,
    build: { outDir: join(project, folder), emptyOutDir: true, target: 'es2022' },
  });
}

function html(scripts: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>waiting</title><link rel="icon" href="data:,"></head><body>${scripts}</body></html>\n`;
}

/** Opens every page in Chromium against the packed server. */
export async function openPages(project: string, check: (claim: string, prove: () => Promise<void>) => Promise<void>): Promise<void> {
  const { server, url, open } = await serve(project);
  const executablePath = findChromium();
  const browser = await chromium.launch({ args: [...CHROMIUM_ARGS], ...(executablePath ? { executablePath } : {}) });
  for (const page of PAGES) {
    await check(page.claim, async () => {
      const asked = open(page);
      const tab = await browser.newPage();
      const said: string[] = [];
      tab.on('console', (message) => said.push(message.text()));
      tab.on('pageerror', (error) => said.push(error.message));
      await tab.goto(url + page.path);
      await tab.waitForFunction(() => document.title !== 'waiting', undefined, { timeout: 20_000 }).catch(() => {});
      expectPage(page, await tab.title(), said);
      expectPart(page, asked());
      await tab.close();
    });
  }
  await browser.close();
  server.closeAllConnections();
  server.close();
}

function expectPart({ part, isPartMissing }: Page, asked: number): void {
  const times = part === 'in the worker' ? 0 : isPartMissing ? 2 : 1;
  if (asked !== times) throw new Error(`the part is ${part}: its file was asked for ${asked} times instead of ${times}`);
}

function expectPage(page: Page, title: string, said: readonly string[]): void {
  const report = `the page says ${title}\n${said.join('\n')}`;
  if (!title.startsWith('{')) throw new Error(report);
  const { outcome, record, missing, download, fault, runtime, core } = JSON.parse(title) as Report;
  const answeredBy = core?.at(-1)?.answeredBy;
  const isRight =
    outcome?.kind === 'saved' &&
    record?.name === 'St. Mary' &&
    record.syncState === 'synced' &&
    missing === (page.isPartMissing ? 'PART_UNAVAILABLE' : null) &&
    download?.records === 1 &&
    fault === 'RECORD_MISSING' &&
    runtime?.kind === page.runtime &&
    answeredBy === page.answeredBy;
  if (!isRight) throw new Error(`expected ${page.runtime}${page.answeredBy ? `, answered by the ${page.answeredBy}` : ''}: ${report}`);
}

interface Report {
  readonly outcome?: { readonly kind: string };
  readonly record?: { readonly name: string; readonly syncState: string };
  readonly missing?: string | null;
  readonly download?: { readonly records: number };
  readonly fault?: string;
  readonly runtime?: { readonly kind: string };
  readonly core?: readonly { readonly answeredBy: string }[];
}

interface PackedServer {
  readonly nodeListener: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Serves the project's files, and a sync server of the packed package under /sync. */
async function serve(project: string): Promise<{ readonly server: Server; readonly url: string; open(page: Page): () => number }> {
  const door = async (name: string): Promise<Record<string, (options?: unknown) => unknown>> =>
    (await import(pathToFileURL(join(project, `node_modules/fieldtide/dist/${name}.js`)).href)) as Record<string, (options?: unknown) => unknown>;
  const [{ createSyncServer }, { memory }, { defineSchema, text }] = [await door('server'), await door('server-memory'), await door('schema')];
  const schema = defineSchema!({ version: 1, objects: { account: { fields: { name: text!({ required: true }), city: text!() } } } });
  // Each page begins with a server that has nothing.
  let sync: PackedServer | null = null;
  let page: Page | null = null;
  let partsAsked = 0;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    if (PART.test(path) && ++partsAsked === 1 && page?.isPartMissing) return void response.writeHead(503).end();
    if (!path.startsWith('/sync/')) return sendFile(project, path, page?.policy, response);
    request.url = (request.url ?? '').slice('/sync'.length);
    sync?.nodeListener(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open(next) {
      page = next;
      partsAsked = 0;
      sync = createSyncServer!({ schema, store: memory!(), authenticate: () => ({ user: 'ann' }) }) as PackedServer;
      return () => partsAsked;
    },
  };
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

function sendFile(project: string, path: string, policy: string | undefined, response: ServerResponse): void {
  try {
    const body = readFileSync(join(project, normalize(path)));
    const headers = { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream', 'cache-control': 'no-store' };
    response.writeHead(200, policy === undefined ? headers : { ...headers, 'content-security-policy': policy }).end(body);
  } catch {
    response.writeHead(404).end();
  }
}
