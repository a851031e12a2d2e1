import { beforeEach, describe, expect, test } from 'vitest';
import { DevicePanel, eventually } from './device-panel.ts';
import { useStage } from './stage.ts';

type Row = Readonly<Record<string, string | number | null>> & { readonly id: string };

describe('the stories of the demo about what other devices did', { timeout: 120_000 }, () => {
  const stage = useStage();
  /** Of this test's account, made by the back office before any device downloads. */
  let order: { readonly id: string; readonly number: string; readonly line: string };

  const online = (object: string, id: string): Promise<Row> => stage.demo.office('GET', `records/${object}/${id}`);
  const onlineWhere = (object: string, where: object): Promise<Row[]> => stage.demo.office('POST', 'query', { object, where });
  const make = async (object: string, values: object): Promise<string> => (await stage.demo.office<{ id: string }>('POST', `records/${object}`, values)).id;

  beforeEach(async () => {
    const { account } = stage;
    const [product] = await onlineWhere('product', {});
    const id = await make('order', { account: account.id, status: 'Draft' });
    const line = await make('orderLine', { order: id, product: product!.id, quantity: 2, price: '10' });
    order = { id, number: String((await online('order', id)).number), line };
    await stage.open();
  }, 120_000);

  /** Saves the test's order on a device with another quantity of its line. */
  async function saveQuantity(device: DevicePanel, quantity: string): Promise<void> {
    await device.openRecord('Orders', order.number);
    await device.line(0).getByLabel('Quantity').fill(quantity);
    await device.save();
    await device.expectState('upToDate');
  }

  /** Chooses one of the things to try; answers what waits until all of its steps are ticked off. */
  async function startWalk(title: string): Promise<() => Promise<void>> {
    await stage.page.getByRole('tab', { name: title }).click();
    return () => eventually(() => stage.page.locator('.step:not(.step-done)').count()).toBe(0);
  }

  async function placeOnTablet(): Promise<void> {
    const { tablet } = stage;
    await tablet.openRecord('Orders', order.number);
    await tablet.field('Status').selectOption('Placed');
    await tablet.save();
    await tablet.expectState('upToDate');
  }

  test('A36, A38: an open order stays as it is while another device saves it, says that there is more, and is the new one on coming back', async () => {
    const { tablet, phone } = stage;
    const expectDone = await startWalk('Under your eyes');
    await phone.openRecord('Orders', order.number);
    await saveQuantity(tablet, '6');
    // What the server made of the tablet's own save is shown there: nobody else has touched it.
    await tablet.panel.getByText('€ 60.00').nth(1).waitFor();
    await tablet.button('1 kept aside').waitFor({ state: 'detached' });
    await eventually(() => phone.panel.getByTestId('newer').getAttribute('data-newer')).toBe('changed');
    expect(await phone.quantity(0)).toBe('2');
    await phone.button('1 kept aside').click();
    await phone.panel.locator('[data-testid="waiting-record"] [data-because="in-use"]').waitFor();
    await phone.button('Back to the records').click();
    expect(await phone.quantity(0)).toBe('2');

    await phone.button('Back to orders').click();
    await phone.openRecord('Orders', order.number);
    await eventually(() => phone.quantity(0)).toBe('6');
    await phone.button('1 kept aside').waitFor({ state: 'detached' });
    expect(await phone.panel.getByTestId('newer').count()).toBe(0);

    await expectDone();

    await saveQuantity(tablet, '7');
    await phone.button('Show the new version').click();
    await eventually(() => phone.quantity(0)).toBe('7');
  });

  test('A27: a save of an open record conflicts when it would overwrite what the form never showed', async () => {
    const { tablet, phone, account } = stage;
    await phone.openAccount(account.name);
    const before = await phone.field('City').inputValue();
    await tablet.openAccount(account.name);
    await tablet.change('City', 'Firstborough');
    await phone.panel.getByTestId('newer').waitFor();
    await phone.expectField('City', before);
    await phone.change('City', 'Secondborough');
    await phone.expectState('error');
    expect((await online('account', account.id)).city).toBe('Firstborough');
    await phone.button('Look').click();
    const problem = phone.panel.getByTestId('problem');
    expect([await problem.getByTestId('previous').innerText(), await problem.getByTestId('mine').innerText(), await problem.getByTestId('online').innerText()]).toEqual([before, 'Secondborough', 'Firstborough']);
    await problem.getByRole('button', { name: 'Undo' }).click();
    await phone.expectField('City', 'Firstborough');
  });

  test('A34, A35: of an order without one of its lines nothing shows, the device says what is missing, and then all of it is there', async () => {
    const { tablet, phone, account } = stage;
    const before = (await onlineWhere('order', { account: account.id })).map(({ id }) => id);
    const made = async (): Promise<Row[]> => (await onlineWhere('order', { account: account.id })).filter(({ id }) => !before.includes(id));
    const expectDone = await startWalk('Half delivered');
    await phone.field('Hold back an order line').check();
    await tablet.panel.getByRole('tab', { name: 'Orders' }).click();
    await tablet.button('New order').click();
    await tablet.field('Account *').selectOption({ label: account.name });
    for (const line of [0, 1, 2]) {
      await tablet.button('Add order line').click();
      await eventually(() => tablet.panel.getByTestId('line').count()).toBe(line + 1);
      await tablet.line(line).getByLabel('Product').selectOption({ index: line + 1 });
      await eventually(() => tablet.line(line).getByLabel('Product').inputValue()).not.toBe('');
    }
    await tablet.button('Create order').click();
    await tablet.expectState('upToDate');
    await eventually(async () => (await made()).length).toBe(1);
    const { number } = (await made())[0]!;

    await phone.button('1 kept aside').click();
    const waiting = phone.panel.getByTestId('waiting-record');
    await waiting.getByText(`${number} not on this device yet`).waitFor();
    await waiting.locator('[data-because="incomplete"]').getByText('Still missing: one order line.').waitFor();
    await phone.button('Back to the records').click();
    await phone.search('Orders', String(number));
    await phone.panel.getByText(`Nothing matches “${number}”.`).waitFor();

    await phone.field('Hold back an order line').uncheck();
    await phone.openRecord('Orders', String(number));
    await eventually(() => phone.panel.getByTestId('line').count()).toBe(3);
    await phone.button('1 kept aside').waitFor({ state: 'detached' });
    await expectDone();
  });

  test('A37: what is entered in an order that was placed elsewhere is not saved and not lost, and becomes a new order', async () => {
    const { phone, account } = stage;
    const expectDone = await startWalk('Placed meanwhile');
    await phone.openRecord('Orders', order.number);
    await phone.line(0).getByLabel('Quantity').fill('9');
    await phone.panel.getByTestId('draft').waitFor();
    await placeOnTablet();
    await eventually(() => phone.panel.getByTestId('newer').getAttribute('data-newer')).toBe('submitted');
    await phone.button('Save').click();
    await phone.panel.getByTestId('changed-elsewhere').getByText('This order was submitted on another device. Nothing was saved; what you entered is still here.').waitFor();
    expect(await phone.quantity(0)).toBe('9');
    expect(await phone.pending()).toBe(0);

    await phone.button('Copy my entries').click();
    await expectDone();
    await phone.button('Create order').click();
    await eventually(async () => (await onlineWhere('order', { account: account.id, total: '90' })).length).toBe(1);
    expect(await online('order', order.id)).toMatchObject({ status: 'Placed', total: '20' });
  });

  test('A37: a submit of an order that was submitted elsewhere is refused; showing the new version leaves the entries to the journal', async () => {
    const { phone } = stage;
    await phone.openRecord('Orders', order.number);
    await phone.line(0).getByLabel('Quantity').fill('8');
    await phone.field('Status').selectOption('Placed');
    await phone.panel.getByTestId('draft').waitFor();
    await placeOnTablet();
    await phone.panel.getByTestId('newer').waitFor();
    await phone.button('Save').click();
    await phone.panel.getByTestId('changed-elsewhere').waitFor();

    await phone.button('Show the new version').click();
    await phone.panel.getByTestId('locked').waitFor();
    expect(await phone.quantity(0)).toBe('2');
    await phone.button('Journal of Ann’s phone').click();
    expect(await phone.panel.getByTestId('journal-entry').first().innerText()).toMatch(/Quantity\s+8/);
    expect(await online('order', order.id)).toMatchObject({ status: 'Placed', total: '20' });
  });

  test('A31: a device that was away for more than a week says that news is missing, and a download brings it and touches nothing that waits', async () => {
    const { tablet, phone, page, account } = stage;
    const expectDone = await startWalk('Away too long');
    await phone.connect('Offline');
    await phone.openAccount(account.name);
    await phone.change('Phone', '+32 9 777 66 55');
    await phone.openRecord('Orders', order.number);
    await phone.line(0).getByLabel('Quantity').fill('4');
    await phone.button('1 draft').waitFor();
    await phone.button('Back to orders').click();
    const survey = await make('survey', { title: `Gap ${order.number}`, account: account.id });
    await tablet.button('Download everything to Ann’s tablet').click();
    await tablet.openRecord('Surveys', `Gap ${order.number}`);
    await tablet.field('Title *').fill(`Gone ${order.number}`);
    await tablet.save();
    await tablet.expectState('upToDate');
    await eventually(async () => (await online('survey', survey)).title).toBe(`Gone ${order.number}`);

    const office = page.locator('[data-panel="office"]');
    await office.getByLabel('Feeds').check();
    await office.getByRole('button', { name: 'Let a week pass' }).click();
    await office.getByText('Nothing: change something on a device.').waitFor();
    await phone.connect('Online');
    await phone.panel.getByText('download needed').waitFor();
    await eventually(async () => (await online('account', account.id)).phone).toBe('+32 9 777 66 55');
    await phone.panel.getByText('News is missing').waitFor();
    await phone.search('Surveys', `Gone ${order.number}`);
    await phone.panel.getByText(`Nothing matches “Gone ${order.number}”.`).waitFor();

    await phone.button('Download everything to Ann’s phone').click();
    await phone.openRecord('Surveys', `Gone ${order.number}`);
    await phone.panel.getByText('download needed').waitFor({ state: 'detached' });
    await phone.expectState('upToDate');
    await expectDone();
    await phone.button('1 draft').click();
    await phone.button('Go on').click();
    await eventually(() => phone.quantity(0)).toBe('4');
  });

  test('C10: two tabs are the same devices: both show each edit and each sign-out, and one goes on when the other is closed', async () => {
    const { tablet, ben, page, context, account, demo } = stage;
    await page.bringToFront();
    const second = await context.newPage();
    await second.goto(demo.url);
    const same = new DevicePanel(second, 'ann-tablet');
    await same.expectUpToDate();
    await same.openAccount(account.name);
    await same.change('City', 'Twotabs');
    await eventually(() => tablet.subtitleOf('Accounts', account.name)).toContain('Twotabs');
    await same.connect('Offline');
    await same.change('City', 'Onetab');
    await eventually(() => tablet.field('Offline').isChecked()).toBe(true);
    await tablet.expectPending(1);

    const sameOfBen = new DevicePanel(second, 'ben-tablet');
    await sameOfBen.button('Sign out of Ben’s tablet').click();
    await ben.panel.getByTestId('signed-out').waitFor();
    await ben.button('Sign in as Ben Okafor').click();
    await ben.expectUpToDate();
    await sameOfBen.expectUpToDate();

    await page.close();
    await same.connect('Online');
    await same.expectPending(0);
    await eventually(async () => (await online('account', account.id)).city).toBe('Onetab');
  });
});
