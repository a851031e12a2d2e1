import { afterEach, describe, expect, test } from 'vitest';
import { createTwinCore } from '../../src/core/twin.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages } from '../../src/protocol/items.ts';
import { CONTENT_TYPE } from '../../src/protocol/messages.ts';
import { parseFeedAnswer } from '../../src/protocol/parse.ts';
import { parseLayouts } from '../../src/protocol/wire-layout.ts';
import { defineSchema, serverOwned, text } from '../../src/schema.ts';
import type { TransportResponse } from '../../src/transport/transport-adapter.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: { account: { fields: { name: text(), city: text(), phone: text(), label: serverOwned(text()) } } },
});

let world: World<typeof schema>;
afterEach(() => world.close());


async function valuesOn({ engine }: TestDevice, id: string): Promise<Record<string, unknown> | undefined> {
  return (await engine.get('account', id))?.values;
}

/** Two devices of Ann that both hold one account. */
async function pair(): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema);
  const tablet = await world.device('ann'), phone = await world.device('ann');
  await tablet.engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
  for (const { engine } of [tablet, phone]) await engine.exchange();
  for (const { engine } of [tablet, phone]) await engine.download();
  return { tablet, phone };
}

describe('merging', () => {
  test('A34, A39: while a change of the user waits nothing of the feed is merged; what came is kept aside and merged after the answer', async () => {
    const { tablet, phone } = await pair();
    phone.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new TypeError('no way up')) : send(request)));
    await phone.engine.update('account', 'a1', { city: 'Antwerp' });
    await tablet.engine.update('account', 'a1', { phone: '1' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'Antwerp', phone: null });
    expect(phone.events).toContainEqual(expect.objectContaining({ type: 'feed:kept-aside', id: 'a1', reason: 'pending' }));
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'Antwerp', phone: '1' });
  });

  test('A34, A39: a record with a sync error takes nothing either, and undo shows the newest row kept aside, even offline', async () => {
    const { tablet, phone } = await pair();
    await phone.engine.setLifecycle({ isOnline: false });
    await phone.engine.update('account', 'a1', { city: 'Antwerp' });
    await tablet.engine.update('account', 'a1', { city: 'Bruges' });
    await tablet.engine.exchange();
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'Leuven' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(phone.events).toContainEqual(expect.objectContaining({ type: 'feed:kept-aside', id: 'a1', reason: 'in-error' }));
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'Antwerp' });
    const [error] = await phone.engine.listSyncErrors();
    expect(error!.fields).toContainEqual({ field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Leuven', isCause: true });
    await phone.engine.setLifecycle({ isOnline: false });
    await phone.engine.undo(error!.id);
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'Leuven' });
  });

  test('C6, C7: a lost answer that is repeated late does not bring back older values', async () => {
    const { tablet, phone } = await pair();
    let held: TransportResponse | null = null;
    phone.intercept(async (request, send) => {
      const response = await send(request);
      if (request.path !== 'upload' || held !== null) return response;
      held = response;
      throw new TypeError('lost');
    });
    await phone.engine.update('account', 'a1', { phone: 'mine' });
    await phone.engine.exchange();
    await tablet.engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'newer' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'newer', phone: 'mine' });
  });

  test('C3, C5: an edit made while the first answer was lost is rebased onto what was committed, never onto what came since', async () => {
    const { tablet, phone } = await pair();
    let lost = false;
    phone.intercept(async (request, send) => {
      const response = await send(request);
      if (request.path !== 'upload' || lost) return response;
      lost = true;
      throw new TypeError('lost');
    });
    await phone.engine.update('account', 'a1', { city: 'first' });
    await phone.engine.exchange();
    await phone.engine.update('account', 'a1', { city: 'second' });
    await tablet.engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'of the tablet' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    // Rebased onto the current value, `second` would have replaced a value that the phone never showed.
    expect((await phone.engine.listSyncErrors())[0]).toMatchObject({ class: 'conflict', fields: [{ previous: 'first', mine: 'second', online: 'of the tablet' }] });
    expect((await world.server.online.get('account', 'a1'))?.values.city).toBe('of the tablet');
  });

  test('A29: a crash before or after any commit of a page loses nothing and repeats nothing', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann');
    for (let index = 0; index < 30; index++) await tablet.engine.create('account', { name: `n${index}` }, `a${index}`);
    await tablet.engine.exchange();
    for (const fate of ['crash-before', 'crash-after'] as const) {
      for (let at = 1; at <= 4; at++) {
        const disk = memory();
        const storage = faultyStorage(disk, { decide: ({ number }) => (number === at ? fate : 'done') });
        const phone = await world.device('ann', { storage }).catch(() => null);
        await phone?.engine.exchange().catch(() => {});
        const again = await world.device('ann', { storage: disk });
        expect(await again.engine.exchange()).toMatchObject({ pending: 0 });
        expect(await again.engine.query({ object: 'account' })).toHaveLength(30);
      }
    }
  });

  test('a delete on one device removes the record on the other, and an older row does not bring it back', async () => {
    const { tablet, phone } = await pair();
    await tablet.engine.remove('account', 'a1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toBeUndefined();
    expect(await phone.engine.fetch('account', 'a1')).toBeNull();
    await tablet.engine.create('account', { name: 'again' }, 'a1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ name: 'again', city: null });
  });
});

describe('answers that are none', () => {
  test.each([
    ['a captive portal', { status: 200, headers: { 'content-type': 'text/html' }, body: new TextEncoder().encode('<h1>Sign in</h1>') }],
    ['an empty body', { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: new Uint8Array() }],
    ['noise', { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff) }],
    ['a redirect', { status: 302, headers: { location: '/login' }, body: new Uint8Array() }],
    ['a gateway', { status: 502, headers: { 'content-type': 'text/plain' }, body: new TextEncoder().encode('bad gateway') }],
  ] satisfies [string, TransportResponse][])('%s settles nothing and is tried again', async (_name, response) => {
    const { phone } = await pair();
    let isForged = true;
    phone.intercept((request, send) => (isForged ? Promise.resolve(response) : send(request)));
    await phone.engine.update('account', 'a1', { city: 'Bruges' });
    expect(await phone.engine.exchange()).toMatchObject({ pending: 1, syncErrors: 0, needsAuth: false, lastFault: { code: 'TRANSPORT_BAD_ANSWER' } });
    isForged = false;
    expect(await phone.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
  });

  test('a page that skips a position, goes back, or is not canonical changes nothing', async () => {
    const { tablet, phone } = await pair();
    await tablet.engine.update('account', 'a1', { city: 'one' });
    await tablet.engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'two' });
    await tablet.engine.exchange();
    type Page = ReturnType<typeof parseFeedAnswer>;
    const forgeries: ((page: Page) => object)[] = [
      (page) => ({ ...page, transactions: page.transactions.slice(1) }),
      (page) => ({ ...page, next: { ...page.next, position: page.next.position + 5 } }),
      (page) => ({ ...page, next: page.from }),
      (page) => ({ ...page, from: { ...page.from, feed: 'another' }, next: { ...page.next, feed: 'another' } }),
      (page) => ({ ...page, transactions: page.transactions.map((transaction) => ({ ...transaction, items: [99] })) }),
      (page) => ({ ...page, items: page.items.slice(1) }),
      (page) => ({ ...page, store: 'another-store' }),
    ];
    for (const forge of forgeries) {
      phone.intercept(async (request, send) => {
        const response = await send(request);
        return request.path.startsWith('feed') && response.status === 200 ? { ...response, body: encodeEnvelope(forge(parseFeedAnswer(decodeEnvelope(response.body)))) } : response;
      });
      expect(await phone.engine.exchange()).toMatchObject({ lastFault: { code: 'TRANSPORT_BAD_ANSWER' } });
      expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'Ghent' });
    }
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'two' });
  });

  test('C6: a page that offers an older version of a record does not take it back', async () => {
    const { tablet, phone } = await pair();
    await tablet.engine.update('account', 'a1', { city: 'one' });
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await tablet.engine.update('account', 'a1', { city: 'two' });
    await tablet.engine.exchange();
    phone.intercept(async (request, send) => {
      const response = await send(request);
      if (!request.path.startsWith('feed') || response.status !== 200) return response;
      const page = parseFeedAnswer(decodeEnvelope(response.body));
      const table = createTwinCore().readImages(page.items, parseLayouts(page.layouts));
      if (!table.ok) throw new Error(table.status);
      const old = encodeImages(page.transactions.map(() => ({ layout: table.layout(0), id: 'a1', version: [table.version(0)[0], 1] as const, state: 'live' as const, row: table.row(0)! })));
      return { ...response, body: encodeEnvelope({ ...page, items: old }) };
    });
    await phone.engine.exchange();
    expect(await valuesOn(phone, 'a1')).toMatchObject({ city: 'one' });
    expect(phone.events).toContainEqual(expect.objectContaining({ type: 'feed:skipped', id: 'a1', reason: 'stale' }));
  });

  test('a 401 pauses without an error for any entry, and goes on where it was after a sign-in', async () => {
    const { phone } = await pair();
    let isSignedOut = true;
    phone.intercept((request, send) => (isSignedOut ? Promise.resolve({ status: 401, headers: {}, body: new Uint8Array() }) : send(request)));
    await phone.engine.update('account', 'a1', { city: 'Bruges' });
    expect(await phone.engine.exchange()).toMatchObject({ needsAuth: true, pending: 1, syncErrors: 0, state: 'error' });
    const before = phone.requests.length;
    await world.clock.advance(3_600_000);
    expect(phone.requests.length).toBe(before);
    isSignedOut = false;
    await phone.engine.wake();
    expect(await phone.engine.exchange()).toMatchObject({ needsAuth: false, pending: 0, state: 'upToDate' });
  });

  test('a token of another user sends nothing of this one', async () => {
    world = createWorld(schema, { authenticate: () => ({ user: 'ben' }) });
    const device = await world.device('ann');
    await device.engine.create('account', { name: 'mine' });
    expect(await device.engine.exchange()).toMatchObject({ needsAuth: true, pending: 1, lastFault: { code: 'AUTH_REFUSED' } });
    expect(device.requests.some(({ path }) => path === 'upload')).toBe(false);
    expect(await world.server.online.list('account')).toHaveLength(0);
  });
});
