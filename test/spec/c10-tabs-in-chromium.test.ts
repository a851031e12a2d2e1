import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CHROMIUM_ARGS, findChromium } from '../../scripts/chromium.mjs';
import { prepare } from '../../scripts/prepare.mjs';
import { defineSchema, text } from '../../src/schema.ts';
import { createSyncServer, type SyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }) } } } });

/** A page of the host: its client, and what became of each of its saves. */
const PAGE = `<!doctype html><script type="module">
  import { createSyncClient } from '/dist/index.js';
  import { defineSchema, text } from '/dist/schema.js';
  import { indexedDb } from '/dist/storage-indexeddb.js';
  const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }) } } } });
  const inPlace = location.hash === '#in-place' ? { worker: 'none' } : {};
  const client = createSyncClient({ schema, user: 'ann', storage: indexedDb({ name: 'tabs' }), transport: { url: '/sync/' }, ...inPlace });
  const tab = { client, role: null, shown: [], saved: [], lost: [], faults: [] };
  client.events.subscribe((event) => event.type === 'tab:role-taken' && (tab.role = event.role));
  client.objects.account.query({}).subscribe((records) => (tab.shown = records.map(({ name }) => name)));
  tab.save = (name) => client.objects.account.create({ name }).then(
    () => tab.saved.push(name),
    ({ code, message }) => (code === 'TAB_LEADER_LOST' ? tab.lost.push(name) : tab.faults.push(code + ': ' + message)),
  );
  window.tab = tab;
</script>`;

interface PageTab {
  readonly role: string | null;
  readonly shown: readonly string[];
  readonly saved: readonly string[];
  readonly lost: readonly string[];
  readonly faults: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', wasm: 'application/wasm' };

/** The backend, the package's own files, the page, and `/hold`, which answers when the test says so. */
async function serve(server: SyncServer, hold: Promise<void>): Promise<Server> {
  const http = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    if (path.startsWith('/sync/')) return server.nodeListener(request, response);
    if (path === '/hold') return void hold.then(() => response.writeHead(204).end());
    if (!path.startsWith('/dist/')) return void response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    readFile(path.slice(1)).then(
      (bytes) => response.writeHead(200, { 'content-type': TYPES[path.split('.').at(-1)!] ?? 'text/plain' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http;
}

describe('tabs of one profile in a browser', { timeout: 180_000 }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let server: SyncServer;
  let http: Server;
  let thaw: () => void;
  const uploadsBy = new Set<Page>();

  beforeAll(async () => {
    prepare();
    const executablePath = findChromium();
    browser = await chromium.launch({ args: CHROMIUM_ARGS, ...(executablePath === undefined ? {} : { executablePath }) });
  }, 240_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    server = createSyncServer({ schema, store: memory(), authenticate: () => ({ user: 'ann' }) });
    http = await serve(server, new Promise((resolve) => (thaw = resolve)));
    context = await browser.newContext();
    uploadsBy.clear();
    context.on('request', (request) => request.url().endsWith('/sync/upload') && uploadsBy.add(request.frame().page()));
  });
  afterEach(async () => {
    await context.close();
    http.closeAllConnections();
    http.close();
    await server.close();
  });

  async function openTab(hash = ''): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/${hash}`);
    await page.waitForFunction('window.tab?.role != null');
    await goOffline(page);
    return page;
  }

  const read = (page: Page): Promise<PageTab> => page.evaluate('(({ role, shown, saved, lost, faults }) => ({ role, shown, saved, lost, faults }))(window.tab)');
  const goOffline = (page: Page) => page.evaluate('window.tab.client.setLifecycle({ isOnline: false })');
  const goOnline = (page: Page) => page.evaluate('window.tab.client.setLifecycle({ isOnline: true })');
  const exchange = (page: Page): Promise<{ readonly pending: number }> => page.evaluate('window.tab.client.exchange()');
  /** Begins many saves and waits for none. */
  const beginSaves = (page: Page, prefix: string, count: number) => page.evaluate(`for (let i = 0; i < ${count}; i++) window.tab.save('${prefix}-' + i); void 0`);
  const settled = (page: Page, count: number) =>
    page.waitForFunction(`window.tab.saved.length + window.tab.lost.length + window.tab.faults.length >= ${count}`, undefined, { timeout: 60_000 });
  const waitForLeader = (pages: readonly Page[]) => vi.waitFor(async () => expect((await Promise.all(pages.map(read))).filter(({ role }) => role === 'leader')).toHaveLength(1), PATIENCE);
  const leaderOf = async (pages: readonly Page[]): Promise<Page> => {
    await waitForLeader(pages);
    for (const page of pages) if ((await read(page)).role === 'leader') return page;
    throw new Error('no tab leads');
  };
  const namesOnline = async (): Promise<string[]> => (await server.online.list('account')).map(({ values }) => String(values.name)).sort();

  /** Every save that a page was promised is online, once; one that nobody could tell of is there at most once; nothing else is. */
  async function judge(pages: readonly Page[], promised: readonly string[], unknown: readonly string[]): Promise<void> {
    await goOnline(pages[0]!);
    await vi.waitFor(async () => expect((await exchange(pages[0]!)).pending).toBe(0), PATIENCE);
    const online = await namesOnline();
    expect(new Set(online).size).toBe(online.length);
    expect(promised.filter((name) => !online.includes(name))).toEqual([]);
    expect(online.filter((name) => !promised.includes(name) && !unknown.includes(name))).toEqual([]);
    for (const page of pages) await vi.waitFor(async () => expect([...(await read(page)).shown].sort()).toEqual(online), PATIENCE);
  }

  test.each([
    ['in workers', ''],
    ['in place', '#in-place'],
  ])('C10: offline saves of every tab are seen by every tab, and one of them sends them, %s', async (_where, hash) => {
    const pages = [await openTab(hash), await openTab(hash), await openTab(hash)];
    await Promise.all(pages.map((page, index) => beginSaves(page, `tab${index}`, 5)));
    await Promise.all(pages.map((page) => settled(page, 5)));

    for (const page of pages) await vi.waitFor(async () => expect((await read(page)).shown).toHaveLength(15), PATIENCE);
    expect((await Promise.all(pages.map(read))).map(({ role }) => role)).toEqual(['leader', 'follower', 'follower']);
    await judge(pages, (await Promise.all(pages.map(read))).flatMap(({ saved }) => saved), []);

    expect(await namesOnline()).toHaveLength(15);
    expect([...uploadsBy]).toEqual([pages[0]]);
  });

  test.each([
    ['is closed', (page: Page) => page.close()],
    ['crashes', async (page: Page) => {
      const session = await context.newCDPSession(page);
      const crashed = page.waitForEvent('crash');
      session.send('Page.crash').catch(() => {}); // it does not live to answer
      await crashed;
    }],
    ['goes to another page', (page: Page) => page.goto('about:blank').then(() => page.close())],
  ])('C10: no save is lost or doubled when the tab that leads %s in the middle of saves, again and again', async (_what, end) => {
    const pages = [await openTab(), await openTab(), await openTab(), await openTab()];
    const promised: string[] = [];
    const unknown: string[] = [];
    for (let round = 0; round < 3; round++) {
      const leader = await leaderOf(pages);
      const others = pages.filter((page) => page !== leader);
      await Promise.all(pages.map((page) => beginSaves(page, `round${round}-tab${pages.indexOf(page)}-of${pages.length}`, 20)));
      await leader.waitForFunction(`window.tab.saved.length > ${round}`);
      // What the leader's own page began and was not promised is as good as unknown to it.
      const own = await read(leader);
      promised.push(...own.saved);
      unknown.push(...Array.from({ length: 20 }, (_, index) => `round${round}-tab${pages.indexOf(leader)}-of${pages.length}-${index}`));
      await end(leader);
      pages.splice(0, pages.length, ...others);
      await Promise.all(pages.map((page) => settled(page, 20 * (round + 1))));
    }

    for (const page of pages) {
      const { saved, lost, faults } = await read(page);
      expect(faults).toEqual([]);
      promised.push(...saved);
      unknown.push(...lost);
    }
    await judge(pages, promised, unknown);
  });

  test('C10: a tab that froze while it led loses the store to the next, and follows when it wakes', async () => {
    const [first, second] = [await openTab(), await openTab()];
    // A worker that waits for a request does nothing else.
    const asleep = first.workers()[0]!.evaluate("(() => { const request = new XMLHttpRequest(); request.open('GET', '/hold', false); request.send(); })()");
    await beginSaves(first, 'asleep', 3);

    await beginSaves(second, 'second', 3);
    await vi.waitFor(async () => expect((await read(second)).role).toBe('leader'), PATIENCE);
    thaw();
    await asleep;
    await vi.waitFor(async () => expect((await read(first)).role).toBe('follower'), PATIENCE);
    await beginSaves(first, 'first', 3);
    await settled(first, 6);
    await settled(second, 3);

    const all = await Promise.all([first, second].map(read));
    expect(all.flatMap(({ faults }) => faults)).toEqual([]);
    await judge([first, second], all.flatMap(({ saved }) => saved), all.flatMap(({ lost }) => lost));
    expect([...uploadsBy]).toEqual([second]);
  });
});
