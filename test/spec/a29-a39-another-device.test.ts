import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, integer, parent, serverOwned, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import type { TransportRequest } from '../../src/transport/transport-adapter.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { coalesce: 'never', fields: { name: text(), city: text(), phone: text() } },
    event: { fields: { name: text(), attendees: serverOwned(integer()) } },
    attendee: { fields: { event: parent('event'), name: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

async function open(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, {
    objects: {
      account: { validate: ({ next }) => (next.city === 'nowhere' ? refuse('city', 'no-such-city') : undefined) },
      event: { formulas: ({ children }) => ({ attendees: children.attendee.length }) },
    },
  });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
  for (const { engine } of [tablet, phone]) await engine.exchange();
  return { tablet, phone };
}

/** Loses what goes to these paths before it arrives. */
function block(device: TestDevice, ...paths: readonly string[]): void {
  const isBlocked = ({ path }: TransportRequest): boolean => paths.some((blocked) => path.startsWith(blocked));
  device.intercept((request, send) => (isBlocked(request) ? Promise.reject(new TypeError('no way there')) : send(request)));
}

async function valuesOn({ engine }: TestDevice, id = 'a1') {
  return (await engine.get('account', id))?.values;
}

test('A29: a save whose device dies between the server’s commit and the answer reaches the other device all the same', async () => {
  const { tablet, phone } = await open();
  const committed = new Promise<void>((resolve) => {
    tablet.intercept(async (request, send) => {
      if (request.path === 'upload') await send(request).then(() => resolve());
      throw new TypeError('the device is gone');
    });
  });
  await tablet.engine.update('account', 'a1', { phone: '1' });
  await committed;
  await tablet.engine.close();
  await phone.engine.exchange();
  expect(await valuesOn(phone)).toMatchObject({ phone: '1' });
});

test('A30: what a child’s save makes of its parent is on the other device with the next poll', async () => {
  const { tablet, phone } = await open();
  await tablet.engine.create('event', { name: 'Round table' }, 'e1');
  await tablet.engine.create('attendee', { event: 'e1', name: 'Jo' }, 'p1');
  for (const { engine } of [tablet, phone]) await engine.exchange();
  expect((await phone.engine.get('event', 'e1'))?.values).toMatchObject({ attendees: 1 });
  await phone.engine.create('attendee', { event: 'e1', name: 'Al' });
  for (const { engine } of [phone, tablet]) await engine.exchange();
  expect((await tablet.engine.get('event', 'e1'))?.values).toMatchObject({ attendees: 2 });
  await tablet.engine.remove('attendee', 'p1');
  for (const { engine } of [tablet, phone]) await engine.exchange();
  expect((await phone.engine.get('event', 'e1'))?.values).toMatchObject({ attendees: 1 });
});

const CASES = ['nothing of its own', 'a pending change', 'a sync error'].flatMap((own) => (['a newer row', 'the row it has'] as const).map((row) => [own, row] as const));

test.each(CASES)('A34: a record with %s, to which the feed brings %s, is merged only when both allow it', async (own, row) => {
  const { tablet, phone } = await open();
  // Its own save comes back through the feed: that is the row it has.
  block(phone, 'feed');
  const echoed = await phone.engine.update('account', 'a1', { phone: '2' });
  expect(await phone.engine.outcome(echoed.entry!)).toEqual({ kind: 'saved' });
  if (own === 'a pending change') block(phone, 'feed', 'upload');
  if (own !== 'nothing of its own') await phone.engine.update('account', 'a1', { city: own === 'a sync error' ? 'nowhere' : 'Antwerp' });
  await phone.engine.exchange();
  expect(await phone.engine.status()).toMatchObject({ pending: own === 'a pending change' ? 1 : 0, syncErrors: own === 'a sync error' ? 1 : 0 });
  if (row === 'a newer row') {
    await tablet.engine.exchange();
    await tablet.engine.update('account', 'a1', { name: 'St. Anne' });
    await tablet.engine.exchange();
  }
  const before = await valuesOn(phone);
  phone.events.length = 0;
  if (own === 'a pending change') block(phone, 'upload');
  else phone.intercept(null);
  await phone.engine.exchange();

  expect(phone.events).toContainEqual(expect.objectContaining({ type: 'feed:polled', transactions: row === 'a newer row' ? 2 : 1 }));
  const isSafe = own === 'nothing of its own' && row === 'a newer row';
  expect(phone.events.filter(({ type }) => type === 'feed:merged')).toHaveLength(isSafe ? 1 : 0);
  expect(await valuesOn(phone)).toEqual(isSafe ? { ...before, name: 'St. Anne' } : before);
});

describe('A39: while a change of a record waits', () => {
  test('who looks at it sees nothing of the feed, whatever comes; then all of it at once', async () => {
    const { tablet, phone } = await open();
    block(phone, 'upload');
    await phone.engine.update('account', 'a1', { city: 'Antwerp' });
    const heard: unknown[] = [];
    await phone.engine.watchRecord('account', 'a1', (record) => heard.push(record?.values));
    for (const name of ['St. Anne', 'St. Luke', 'St. John']) {
      await tablet.engine.update('account', 'a1', { name });
      await tablet.engine.exchange();
      await phone.engine.exchange();
    }
    for (const values of heard) expect(values).toEqual({ name: 'St. Mary', city: 'Antwerp', phone: null });
    phone.intercept(null);
    await phone.engine.exchange();
    expect(heard.at(-1)).toEqual({ name: 'St. John', city: 'Antwerp', phone: null });
    for (const name of ['St. Anne', 'St. Luke']) expect(heard).not.toContainEqual(expect.objectContaining({ name }));
    expect(await world.server.online.get('account', 'a1')).toMatchObject({ values: heard.at(-1) });
  });
});
