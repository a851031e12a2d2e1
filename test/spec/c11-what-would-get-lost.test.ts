import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { CONTENT_TYPE, type FeedAnswer } from '../../src/protocol/messages.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { forgeResults } from '../support/forged-answer.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, goOnline, type World } from '../support/world.ts';

const OFFLINE = { isOnline: false, isForeground: true };
const DAY_MS = 24 * 3_600_000;

let world: World<typeof schema>;
afterEach(() => world.close());

const createStrictWorld = () => createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined) } } });

describe('B13: recreating a refused line', () => {
  test('B13, C11: leaves the rest of a later save that changes the line too', async () => {
    world = createWorld(schema);
    const phone = await world.device('ann');
    await phone.engine.save([
      { op: 'create', object: 'order', id: 'o1', values: { note: 'first' } },
      { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'gauze', quantity: 1 } },
    ]);
    await phone.engine.exchange();
    await phone.engine.setLifecycle(OFFLINE);
    await world.server.online.save([{ op: 'remove', object: 'line', id: 'l1' }]);
    const edit = await phone.engine.update('line', 'l1', { quantity: 2 });
    const later = await phone.engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, { op: 'update', object: 'line', id: 'l1', values: { quantity: 3 } }]);
    await goOnline(phone);
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ id: edit.entry, class: 'edit-vs-delete' }]);
    await phone.engine.resolve(edit.entry!, 'recreate');
    await phone.engine.exchange();
    expect(await phone.engine.outcome(later.entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('order', 'o1'))?.values.note).toBe('second');
    expect((await world.server.online.list('line')).map(({ values }) => values.quantity)).toEqual([3]);
  });
});

describe('C11: wiping a store', () => {
  test('C11, C10: that another client has taken over meanwhile leaves it to that one, with what waits there', async () => {
    world = createWorld(schema);
    const disk = memory();
    const first = await world.device('ann', { storage: disk });
    await first.engine.exchange();
    const second = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    const { id } = await second.engine.create('account', { name: 'St. Mary' });
    await expect(first.engine.wipe({ exported: false })).rejects.toMatchObject({ code: 'CLIENT_TAKEN_OVER' });
    await goOnline(second);
    expect(await world.server.online.get('account', id)).not.toBeNull();
  });
});

describe('C8: deleting a record whose edit waits', () => {
  test('C8, A17: does not overtake what was saved in between and hangs on the record', async () => {
    world = createWorld(schema, { strictReferences: true });
    const { engine, ...device } = await world.device('ann');
    await engine.create('account', { name: 'St. Mary' }, 'a1');
    await engine.exchange();
    await engine.setLifecycle(OFFLINE);
    await engine.update('account', 'a1', { city: 'Ghent' });
    const memo = await engine.create('memo', { subject: 'the last of it', account: 'a1' });
    await engine.remove('account', 'a1');
    await goOnline({ engine, ...device });
    expect(await engine.outcome(memo.entry!)).toEqual({ kind: 'saved' });
    expect(await engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.get('account', 'a1')).toBeNull();
  });

  test('B13, C11: an edit that went into a refused delete is in the journal once that is taken back', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    const { engine } = device;
    await engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'a1');
    await engine.exchange();
    await engine.setLifecycle(OFFLINE);
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { phone: '7' } }]);
    await engine.update('account', 'a1', { city: 'Bruges' });
    const { entry } = await engine.remove('account', 'a1');
    await goOnline(device);
    expect(await engine.listSyncErrors()).toMatchObject([{ id: entry, class: 'delete-vs-edit' }]);
    expect(await engine.exportEntries([entry!])).toMatchObject([{ members: [{ op: 'update', previous: { city: 'Ghent' }, mine: { city: 'Bruges' } }, { op: 'remove' }] }]);
    await engine.resolve(entry!, 'undelete');
    expect(await engine.readJournal(entry!)).toMatchObject([{ members: [{ op: 'update', previous: { city: 'Ghent' }, mine: { city: 'Bruges' } }, { op: 'remove' }] }]);
  });
});

describe('C11: letting go of what is old', () => {
  test('C11: that cannot be done does not keep the client from opening: what waits can be read and sent', async () => {
    world = createStrictWorld();
    const inner = memory();
    const first = await world.device('ann', { storage: inner });
    const bad = await first.engine.create('account', { name: 'gone', city: 'Nowhere' });
    await first.engine.exchange();
    await first.engine.undo(bad.entry!);
    await first.engine.setLifecycle(OFFLINE);
    const waiting = await first.engine.create('account', { name: 'St. Mary' });
    await first.engine.close();
    await world.clock.advance(31 * DAY_MS);
    let commits = 0;
    // The first commit of an opening takes the store over, the second lets go of what is old.
    const second = await world.device('ann', { storage: faultyStorage(inner, { decide: () => (++commits === 2 ? 'full' : 'done') }) });
    expect(await second.engine.outcome(waiting.entry!)).toEqual({ kind: 'saved' });
  });

  test('C11: does not make a save forgotten that is settled only afterwards', async () => {
    world = createStrictWorld();
    const disk = memory();
    const first = await world.device('ann', { storage: disk });
    const poor = await first.engine.create('account', { name: 'fixed late', city: 'Nowhere' });
    const bad = await first.engine.create('account', { name: 'gone', city: 'Nowhere' });
    await first.engine.exchange();
    await first.engine.undo(bad.entry!);
    await first.engine.setLifecycle(OFFLINE);
    await world.clock.advance(32 * DAY_MS);
    expect(await first.engine.outcome(bad.entry!)).toEqual({ kind: 'forgotten' });
    await first.engine.resolve(poor.entry!, 'fix', { city: 'Ghent' });
    await goOnline(first);
    expect(await first.engine.outcome(poor.entry!)).toEqual({ kind: 'saved' });
  });
});

describe('C2: a server that gives up every number', () => {
  test.each([
    ['has given every number up', { outcome: 'voided' }],
    ['asks to try later, which is now', { outcome: 'tryLater', retryAfterMs: 0, message: 'busy' }],
  ])('C2, A17: and says again and again that it %s is asked less and less often', async (_what, result) => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    let uploads = 0;
    const forge = forgeResults(({ number }) => ({ number, ...result }));
    device.intercept((request, send) => {
      if (request.path === 'upload' && ++uploads > 1_000) throw new Error('it never rests');
      return forge(request, send);
    });
    const { entry } = await device.engine.create('account', { name: 'St. Mary' });
    await device.engine.exchange();
    for (let seconds = 0; seconds < 600; seconds += 10) await world.clock.advance(10_000);
    expect(uploads).toBeGreaterThan(2);
    expect(uploads).toBeLessThan(30);
    expect(await device.engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    device.intercept(null);
    await device.engine.wake();
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('A17: that asks to try a save again in a year is asked within the hour all the same', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    device.intercept(forgeResults(({ number }) => ({ number, outcome: 'tryLater', retryAfterMs: 365 * DAY_MS, message: 'busy' })));
    const { entry } = await device.engine.create('account', { name: 'St. Mary' });
    await device.engine.exchange();
    device.intercept(null);
    await world.clock.advance(3_600_000);
    await device.engine.exchange();
    expect(await device.engine.status()).toMatchObject({ pending: 0 });
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('A17: that is busy for a year is asked within the hour all the same', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    const busy = encodeEnvelope({ protocol: PROTOCOL_VERSION, error: { code: 'SERVER_BUSY', message: 'busy' }, retryAfterMs: 365 * DAY_MS });
    device.intercept(async () => ({ status: 503, headers: { 'content-type': CONTENT_TYPE }, body: busy }));
    const { entry } = await device.engine.create('account', { name: 'St. Mary' });
    await world.clock.advance(1_000);
    device.intercept(null);
    await world.clock.advance(3_700_000);
    expect(await device.engine.status()).toMatchObject({ pending: 0, retryInMs: null });
    expect(await device.engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('A29: and says of an empty page that there is more is asked less and less often', async () => {
    world = createWorld(schema);
    const tablet = await world.device('ann');
    const device = await world.device('ann');
    await device.engine.exchange();
    let polls = 0;
    device.intercept(async (request, send) => {
      const response = await send(request);
      if (!request.path.startsWith('feed')) return response;
      if (++polls > 1_000) throw new Error('it never rests');
      if (response.status !== 200) return response;
      const answer = decodeEnvelope(response.body) as FeedAnswer;
      return { ...response, body: encodeEnvelope({ ...answer, next: answer.from, transactions: [], more: true }) };
    });
    await tablet.engine.create('account', { name: 'St. Mary' }, 'a1');
    await tablet.engine.exchange();
    await device.engine.exchange();
    for (let seconds = 0; seconds < 300; seconds += 10) await world.clock.advance(10_000);
    expect(polls).toBeLessThan(50);
    device.intercept(null);
    await device.engine.exchange();
    expect(await device.engine.get('account', 'a1')).not.toBeNull();
  });
});
