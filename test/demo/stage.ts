import { chromium, type Browser, type BrowserContext, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { CHROMIUM_ARGS, findChromium } from '../../scripts/chromium.mjs';
import { startDemo, type DemoProgram } from './demo-program.ts';
import { DevicePanel, PATIENCE_MS } from './device-panel.ts';

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly phone: string | null;
  readonly city: string | null;
}

/** The demo in a browser, with devices that begin anew in each test; the server does not. */
export interface Stage {
  readonly demo: DemoProgram;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly tablet: DevicePanel;
  readonly phone: DevicePanel;
  readonly ben: DevicePanel;
  /** Another one in each test. */
  readonly account: Account;
  /** Opens the page and waits until every device has its records. */
  open(): Promise<void>;
}

/** Starts the demo and a browser for the tests of a file. */
export function useStage(): Stage {
  let demo: DemoProgram;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let account: Account;
  let devices: readonly [tablet: DevicePanel, phone: DevicePanel, ben: DevicePanel];
  let pageErrors: string[] = [];
  let testsRun = 0;

  beforeAll(async () => {
    demo = await startDemo();
    const executablePath = findChromium();
    browser = await chromium.launch({ args: CHROMIUM_ARGS, ...(executablePath === undefined ? {} : { executablePath }) });
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });

  beforeEach(async () => {
    const accounts = await demo.office<Account[]>('POST', 'query', { object: 'account', orderBy: 'name' });
    account = accounts[testsRun++]!;
    context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
    page = await context.newPage();
    pageErrors = [];
    page.on('pageerror', (error) => pageErrors.push(error.message));
    page.setDefaultTimeout(PATIENCE_MS);
    devices = [new DevicePanel(page, 'ann-tablet'), new DevicePanel(page, 'ann-phone'), new DevicePanel(page, 'ben-tablet')];
  }, 120_000);

  afterEach(async () => {
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  return {
    get demo() {
      return demo;
    },
    get context() {
      return context;
    },
    get page() {
      return page;
    },
    get tablet() {
      return devices[0];
    },
    get phone() {
      return devices[1];
    },
    get ben() {
      return devices[2];
    },
    get account() {
      return account;
    },
    async open() {
      await page.goto(demo.url);
      await Promise.all(devices.map((device) => device.expectUpToDate()));
    },
  };
}
