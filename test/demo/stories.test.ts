import { beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './device-panel.ts';
import { useStage } from './stage.ts';

type Row = Readonly<Record<string, string | number | null>> & { readonly id: string };

describe('the stories of the demo', { timeout: 120_000 }, () => {
  const stage = useStage();
  /** Records of this test's account, made by the back office before any device downloads. */
  let survey: { readonly id: string; readonly title: string; readonly quality: string; readonly speed: string };
  let call: { readonly id: string; readonly subject: string };
  let order: { readonly id: string; readonly number: string; readonly line: string };

  const online = (object: string, id: string): Promise<Row> => stage.demo.office('GET', `records/${object}/${id}`);
  const onlineWhere = (object: string, where: object): Promise<Row[]> => stage.demo.office('POST', 'query', { object, where });
  const make = async (object: string, values: object): Promise<string> => (await stage.demo.office<{ id: string }>('POST', `records/${object}`, values)).id;

  beforeEach(async () => {
    const { account } = stage;
    const name = account.id.slice(-6);
    const surveyId = await make('survey', { title: `Survey ${name}`, account: account.id });
    const [quality, speed] = [await make('surveyAnswer', { survey: surveyId, question: 'Quality', rating: 6 }), await make('surveyAnswer', { survey: surveyId, question: 'Speed', rating: 7 })];
    survey = { id: surveyId, title: `Survey ${name}`, quality, speed };
    call = { id: await make('call', { subject: `Visit ${name}`, account: account.id, status: 'Planned' }), subject: `Visit ${name}` };
    const [product] = await onlineWhere('product', {});
    const orderId = await make('order', { account: account.id, status: 'Draft' });
    const line = await make('orderLine', { order: orderId, product: product!.id, quantity: 2, price: '10' });
    order = { id: orderId, number: String((await online('order', orderId)).number), line };
    await stage.open();
  }, 120_000);

  test('A12: a draft of an order and its lines survives a kill, shows in the status, and leaves as one transaction', async () => {
    const { phone } = stage;
    await phone.openRecord('Orders', order.number);
    await phone.line(0).getByLabel('Quantity').fill('5');
    await phone.button('Add order line').click();
    await eventually(() => phone.panel.getByTestId('line').count()).toBe(2);
    await phone.line(1).getByLabel('Product').selectOption({ index: 3 });
    await phone.button('1 draft').waitFor();
    await phone.panel.getByTestId('log').getByText('The draft was written down.').first().waitFor();
    await eventually(() => phone.line(1).getByLabel('Product').inputValue()).not.toBe('');

    await phone.killAndRestart();
    await phone.panel.getByRole('tab', { name: 'Orders' }).click();
    await phone.button('1 draft').click();
    await phone.button('Go on').click();
    await eventually(() => phone.line(0).getByLabel('Quantity').inputValue()).toBe('5');
    expect((await online('orderLine', order.line)).quantity).toBe(2);
    await phone.button('Why is this not synced?').click();
    await phone.panel.locator('[data-reason="draft"]').waitFor();

    await phone.save();
    await phone.expectState('upToDate');
    await eventually(async () => (await onlineWhere('orderLine', { order: order.id })).length).toBe(2);
    expect((await online('orderLine', order.line)).quantity).toBe(5);
    await phone.button('1 draft').waitFor({ state: 'detached' });
  });

  test('A15, A19, B13: a group conflict is one sync error that names member and field, and keep mine puts all of it through', async () => {
    const { tablet, phone } = stage;
    for (const [device, rating] of [[tablet, '8'], [phone, '9']] as const) {
      await device.connect('Offline');
      await device.openRecord('Surveys', survey.title);
      await device.line(0).getByLabel('Rating').fill(rating);
    }
    await phone.line(1).getByLabel('Rating').fill('10');
    // One after the other: a page has one mouse.
    await tablet.save();
    await phone.save();
    await phone.expectPending(1);
    await phone.button('Why is this not synced?').click();
    await eventually(() => phone.panel.locator('[data-reason]').first().getAttribute('data-reason')).toBe('offline');

    await tablet.connect('Online');
    await tablet.expectState('upToDate');
    await phone.connect('Online');
    await phone.expectState('error');
    expect((await online('surveyAnswer', survey.speed)).rating).toBe(7);

    await phone.button('Look').click();
    await eventually(() => phone.panel.getByTestId('problem').count()).toBe(1);
    const refused = phone.panel.getByTestId('refused-member');
    await refused.getByText('Quality').waitFor();
    const field = refused.locator('[data-field="rating"]');
    expect([await field.getByTestId('previous').innerText(), await field.getByTestId('mine').innerText(), await field.getByTestId('online').innerText()]).toEqual(['6', '9', '8']);
    await phone.button('Keep mine').click();
    await phone.expectState('upToDate');
    expect([(await online('surveyAnswer', survey.quality)).rating, (await online('surveyAnswer', survey.speed)).rating]).toEqual([9, 10]);
  });

  test('A23: a call that was submitted on the tablet becomes a copy on the phone, with its sample, and the notice leads to both', async () => {
    const { tablet, phone } = stage;
    await phone.connect('Offline');
    await phone.openRecord('Calls', call.subject);
    await phone.button('Add sample').click();
    await phone.line(0).getByLabel('Product').selectOption({ index: 2 });
    await phone.line(0).getByLabel('Quantity').fill('3');
    await phone.save();

    await tablet.openRecord('Calls', call.subject);
    await tablet.field('Status').selectOption('Submitted');
    await tablet.save();
    await tablet.expectState('upToDate');
    await tablet.panel.getByTestId('locked').waitFor();
    expect(await tablet.field('Subject *').isDisabled()).toBe(true);

    await phone.connect('Online');
    await phone.button('1 notice').click();
    const notice = phone.panel.getByTestId('notice');
    await eventually(() => notice.getAttribute('data-kind')).toBe('duplicated');
    await eventually(async () => (await onlineWhere('call', { duplicateOf: call.id })).map(({ status, samples }) => [status, samples])).toEqual([['Planned', 3]]);
    expect(await online('call', call.id)).toMatchObject({ status: 'Submitted', samples: 0 });
    await notice.getByRole('button', { name: 'Open your copy' }).click();
    await eventually(() => phone.line(0).getByLabel('Quantity').inputValue()).toBe('3');
    await phone.button('1 notice').click();
    await notice.getByRole('button', { name: 'Open the original' }).click();
    await phone.panel.getByTestId('locked').waitFor();
    await phone.button('1 notice').click();
    await notice.getByRole('button', { name: 'Understood' }).click();
    await phone.button('1 notice').waitFor({ state: 'detached' });
  });

  test('A24: an edit of an order that was placed elsewhere is discarded; the notice outlives a kill and copies it to a new order', async () => {
    const { tablet, phone } = stage;
    await phone.connect('Offline');
    await phone.openRecord('Orders', order.number);
    await phone.line(0).getByLabel('Quantity').fill('9');
    await phone.save();

    await tablet.openRecord('Orders', order.number);
    await tablet.field('Status').selectOption('Placed');
    await tablet.save();
    await tablet.expectState('upToDate');
    await phone.connect('Online');
    await phone.button('1 notice').waitFor();
    expect(await online('order', order.id)).toMatchObject({ status: 'Placed', total: '20' });

    await phone.killAndRestart();
    await phone.button('1 notice').click();
    const notice = phone.panel.getByTestId('notice');
    await eventually(() => notice.getAttribute('data-kind')).toBe('discarded');
    await notice.getByRole('button', { name: 'View my changes' }).click();
    const entry = phone.panel.getByTestId('journal-entry');
    await eventually(() => entry.getAttribute('data-reason')).toBe('discarded');
    expect(await entry.innerText()).toMatch(/Quantity\s+9/);

    await phone.button('1 notice').click();
    await notice.getByRole('button', { name: 'Copy to a new order' }).click();
    await phone.panel.getByTestId('draft').waitFor();
    await eventually(() => phone.line(0).getByLabel('Quantity').inputValue()).toBe('9');
    await phone.button('Create order').click();
    await eventually(async () => (await onlineWhere('order', { account: stage.account.id, total: '90' })).length).toBe(1);
    expect((await online('orderLine', order.line)).quantity).toBe(2);
  });

  test('B13: undelete brings back what another device had changed, and undo all takes back the rest', async () => {
    const { tablet, phone } = stage;
    const [neighbour] = (await onlineWhere('account', {})).filter(({ id }) => id !== stage.account.id);
    const names = [stage.account.name, String(neighbour!.name)];
    for (const device of [tablet, phone]) {
      await device.connect('Offline');
      for (const name of names) {
        await device.openAccount(name);
        await device.change('City', device === tablet ? 'Firstville' : 'Secondville');
      }
    }
    await tablet.openRecord('Surveys', survey.title);
    await tablet.line(0).getByLabel('Comment').fill('Very good');
    await tablet.save();
    await phone.openRecord('Surveys', survey.title);
    await phone.button('Delete this survey').click();
    await phone.expectPending(3);
    await tablet.connect('Online');
    await tablet.expectState('upToDate');

    await phone.connect('Online');
    await phone.button('Look').click();
    await eventually(() => phone.panel.getByTestId('problem').count()).toBe(3);
    await phone.panel.locator('[data-class="delete-vs-edit"]').getByRole('button', { name: 'Undelete' }).click();
    await eventually(() => phone.panel.getByTestId('problem').count()).toBe(2);
    await phone.button('Undo all').click();
    await phone.expectState('upToDate');
    await phone.openRecord('Surveys', survey.title);
    await eventually(() => phone.line(0).getByLabel('Comment').inputValue()).toBe('Very good');
    for (const name of names) {
      await phone.openAccount(name);
      await phone.expectField('City', 'Firstville');
    }
  });

  test('A26: what the back office’s rules refuse is fixed in its form, and a record says why it waits until then', async () => {
    const { phone } = stage;
    await phone.openRecord('Surveys', survey.title);
    await phone.line(1).getByLabel('Rating').fill('2');
    await phone.save();
    await phone.expectState('error');
    await phone.button('Why is this not synced?').click();
    await phone.panel.locator('[data-reason="refused"]').waitFor();
    await phone.button('Look').click();
    await phone.panel.getByText('A rating below 5 needs a comment.').waitFor();
    await phone.button('Fix').click();
    await phone.panel.getByTestId('fixing').waitFor();
    await phone.line(1).getByLabel('Comment').fill('Two weeks late');
    await phone.button('Save').click();
    await phone.expectState('upToDate');
    expect(await online('surveyAnswer', survey.speed)).toMatchObject({ rating: 2, comment: 'Two weeks late' });
  });

  test('C11: sign-out asks what becomes of unsent work, and what is kept goes up after the next sign-in', async () => {
    const { tablet, page, account } = stage;
    await tablet.connect('Offline');
    await tablet.openAccount(account.name);
    await tablet.change('City', 'Keptwich');
    await tablet.button('Sign out of Ann’s tablet').click();
    const ask = tablet.panel.getByTestId('sign-out');
    await ask.getByText('1 change').waitFor();
    await ask.getByRole('button', { name: 'Upload now' }).click();
    await tablet.panel.getByTestId('log').getByText('Still signed in.').waitFor();
    await ask.getByRole('button', { name: 'Keep on this device' }).click();
    await tablet.panel.getByTestId('signed-out').getByText('1 change').waitFor();
    await page.reload();
    await tablet.panel.getByTestId('signed-out').waitFor();
    expect(await tablet.panel.getByTestId('row').count()).toBe(0);

    await tablet.button('Sign in as Ann Peeters').click();
    await tablet.expectPending(1);
    await tablet.connect('Online');
    await tablet.expectState('upToDate');
    expect((await online('account', account.id)).city).toBe('Keptwich');
    await tablet.button('Sign out of Ann’s tablet').click();
    await tablet.panel.getByTestId('signed-out').getByText('Everything is online.').waitFor();
  });
});
