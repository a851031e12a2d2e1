import type { BrowserContext, Page, Route } from 'playwright';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DemoProgram } from './demo-program.ts';
import { eventually, type DevicePanel } from './device-panel.ts';
import { useStage, type Account } from './stage.ts';

const UPLOADS = '**/sync/upload';

describe('the demo in a browser', { timeout: 120_000 }, () => {
  const stage = useStage();
  let demo: DemoProgram;
  let context: BrowserContext;
  let page: Page;
  let tablet: DevicePanel;
  let phone: DevicePanel;
  let ben: DevicePanel;
  let account: Account;

  beforeEach(async () => {
    await stage.open();
    ({ demo, context, page, tablet, phone, ben, account } = stage);
  }, 120_000);

  const online = (id = account.id): Promise<Account> => demo.office('GET', `records/account/${id}`);
  const accountsNamed = (name: string): Promise<Account[]> => demo.office('POST', 'query', { object: 'account', where: { name } });

  test('A19: first save wins, the second device shows a sync error with all three values, and undo makes everyone agree', async () => {
    const before = account.phone ?? 'empty';
    for (const [device, number] of [[tablet, '+32 9 000 00 01'], [phone, '+32 9 000 00 02']] as const) {
      await device.connect('Offline');
      await device.openAccount(account.name);
      await device.change('Phone', number);
      await device.expectState('pending');
    }

    await tablet.connect('Online');
    await tablet.expectState('upToDate');
    expect((await online()).phone).toBe('+32 9 000 00 01');

    await phone.connect('Online');
    await phone.expectState('error');
    expect((await online()).phone).toBe('+32 9 000 00 01');
    await phone.expectField('Phone', '+32 9 000 00 02');

    await phone.panel.getByRole('button', { name: 'Look' }).click();
    const problem = phone.panel.getByTestId('problem');
    await eventually(() => problem.getByTestId('previous').innerText()).toBe(before);
    expect(await problem.getByTestId('mine').innerText()).toBe('+32 9 000 00 02');
    expect(await problem.getByTestId('online').innerText()).toBe('+32 9 000 00 01');

    await problem.getByRole('button', { name: 'Undo' }).click();
    await phone.expectState('upToDate');
    await phone.expectField('Phone', '+32 9 000 00 01');
    await tablet.expectField('Phone', '+32 9 000 00 01');
    expect((await online()).phone).toBe('+32 9 000 00 01');
  });

  test('A25: a reload in the middle of an upload, its answer lost, loses and doubles nothing', async () => {
    const name = `Reloaded Clinic ${account.id.slice(-6)}`;
    let decided = 0;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    // The server decides and answers; the answer does not arrive.
    await context.route(UPLOADS, async (route: Route) => {
      await route.fetch();
      decided++;
      await held;
      await route.abort().catch(() => {});
    });
    await phone.createAccount(name);
    await eventually(() => decided).toBe(1);
    await eventually(async () => (await accountsNamed(name)).length).toBe(1);
    await phone.openAccount(account.name);
    await phone.change('City', 'Reloadville');
    await phone.expectPending(2);

    await page.reload();
    release();
    await context.unroute(UPLOADS);
    await phone.expectState('upToDate');
    expect(await accountsNamed(name)).toHaveLength(1);
    expect((await online()).city).toBe('Reloadville');
    await phone.openAccount(name);
    await eventually(() => phone.panel.getByTestId('mark').first().getAttribute('data-mark')).toBe('synced');
  });

  test('A11, A16, C8: a device that is killed with unsent changes goes on with all of them', async () => {
    await tablet.connect('Offline');
    await tablet.openAccount(account.name);
    await tablet.change('Phone', '+32 9 111 22 33');
    await tablet.change('City', 'Killtown');
    const name = `Killed Clinic ${account.id.slice(-6)}`;
    await tablet.createAccount(name);
    // Two edits of one record that wait are one.
    await tablet.expectPending(2);

    await tablet.killAndRestart();
    await tablet.expectPending(2);
    await tablet.openAccount(account.name);
    await tablet.expectField('Phone', '+32 9 111 22 33');
    expect((await online()).city).not.toBe('Killtown');

    await tablet.connect('Online');
    await tablet.expectState('upToDate');
    expect(await online()).toMatchObject({ phone: '+32 9 111 22 33', city: 'Killtown' });
    expect(await accountsNamed(name)).toHaveLength(1);
  });

  test('C2: a device that is killed while it sends repeats the upload under its number, and it counts once', async () => {
    let uploads = 0;
    await context.route(UPLOADS, async (route: Route) => {
      await route.fetch();
      uploads++;
      if (uploads > 1) await route.continue().catch(() => {});
    });
    const name = `Plugged Clinic ${account.id.slice(-6)}`;
    await phone.createAccount(name);
    await eventually(() => uploads).toBe(1);
    await phone.killAndRestart();
    await phone.expectState('upToDate');
    expect(uploads).toBeGreaterThan(1);
    expect(await accountsNamed(name)).toHaveLength(1);
  });

  test('A6, A7: an edit reaches the other device of its user by itself, another user with a download', async () => {
    await tablet.openAccount(account.name);
    await tablet.change('City', 'Feedwich');
    await eventually(() => phone.subtitleOf('Accounts', account.name)).toContain('Feedwich');

    await page.waitForResponse((response) => response.url().includes('/sync/feed') && response.request().headers().authorization === 'Bearer demo:ben');
    expect(await ben.subtitleOf('Accounts', account.name)).not.toContain('Feedwich');
    await ben.panel.getByRole('button', { name: /^Download everything/ }).click();
    await eventually(() => ben.subtitleOf('Accounts', account.name)).toContain('Feedwich');
    expect((await online()).city).toBe('Feedwich');
  });

  test('A7, A21: an edit of the back office stays off the feed, and a device that did not see it is told', async () => {
    await tablet.openAccount(account.name);
    await tablet.expectField('City', account.city ?? '');
    await demo.office('PATCH', `records/account/${account.id}`, { city: 'Officeburg' });
    await page.waitForResponse((response) => response.url().includes('/sync/feed') && response.request().headers().authorization === 'Bearer demo:ann');
    await tablet.expectField('City', account.city ?? '');
    await tablet.change('City', 'Tabletstead');
    await tablet.expectState('error');
    expect((await online()).city).toBe('Officeburg');
  });

  test('the keyboard alone reaches a list, opens a record, edits and saves it', async () => {
    const active = (): Promise<string> => page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.id ?? '');
    const tabUntil = async (isThere: (id: string) => boolean): Promise<void> => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        if (isThere(await active())) return;
      }
      throw new Error(`the Tab key did not get there; it is at ${await active()}`);
    };
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter'); // skips to the devices
    await tabUntil((id) => id === 'row');
    await page.keyboard.press('ArrowDown');
    const title = await page.evaluate(() => document.activeElement?.querySelector('.row-title')?.textContent);
    await page.keyboard.press('Enter');
    await eventually(active).toBe('record-title');
    await eventually(() => page.evaluate(() => document.activeElement?.textContent)).toBe(title);
    await tabUntil((id) => id === 'ann-tablet-account-phone');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('+32 9 333 44 55');
    await page.keyboard.press('Enter');
    await tablet.expectState('upToDate');
    await eventually(async () => (await accountsNamed(title ?? ''))[0]?.phone).toBe('+32 9 333 44 55');
    await page.keyboard.press('Escape');
    await eventually(active).toBe('row');
    expect(await page.evaluate(() => document.activeElement?.querySelector('.row-title')?.textContent)).toBe(title);
  });

  test('a narrow screen shows one place at a time and never scrolls sideways', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    for (const place of ['Ann’s tablet', 'Ann’s phone', 'Ben’s tablet', 'Back office']) {
      await page.getByRole('tablist', { name: 'Places' }).getByRole('tab', { name: place }).click();
      await eventually(() => page.locator('.panel:visible').count()).toBe(1);
      expect(await overflow()).toBe(0);
      await page.locator('.panel:visible [data-testid="row"]').first().click();
      await page.locator('.panel:visible [data-testid="record-title"]').waitFor();
      expect(await overflow()).toBe(0);
    }
    await page.locator('#guide').waitFor();
    await page.getByRole('button', { name: 'Try this' }).click();
    await page.locator('#guide').waitFor({ state: 'detached' });
    expect(await overflow()).toBe(0);
  });
});
