import { afterEach, describe, expect, test } from 'vitest';
import { SyncFault } from '../../src/shared/fault.ts';
import { createWorld, put, type TestDevice, type World } from '../support/world.ts';
import { defineSchema, parent, text } from '../../src/schema.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    inquiry: { fields: { question: text() } },
    response: { fields: { inquiry: parent('inquiry', { group: true }), body: text() } },
    note: { fields: { body: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

interface Devices {
  readonly tablet: TestDevice;
  readonly phone: TestDevice;
}

/** A phone whose edit of a question was refused, because the tablet had changed it together with an answer of its own; it has not read the feed since. */
async function refused(): Promise<Devices> {
  world = createWorld(schema);
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([put('create', 'inquiry', 'i1', { question: 'old' }), put('create', 'response', 'r1', { inquiry: 'i1', body: 'one' })]);
  await tablet.engine.exchange();
  await phone.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: false });
  await phone.engine.update('inquiry', 'i1', { question: 'mine' });
  await tablet.engine.save([put('update', 'inquiry', 'i1', { question: 'theirs' }), put('create', 'response', 'r2', { inquiry: 'i1', body: 'two' })]);
  await tablet.engine.exchange();
  phone.intercept((request, send) => (/^(feed|record)/.test(request.path) ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
  await phone.engine.setLifecycle({ isOnline: true });
  await phone.engine.exchange().catch(() => {});
  expect(await phone.engine.status()).toMatchObject({ syncErrors: 1 });
  return { tablet, phone };
}

async function undo({ engine }: TestDevice): Promise<void> {
  const [error] = await engine.listSyncErrors();
  await engine.undo(error!.id);
}

async function shownBy({ engine }: TestDevice): Promise<readonly unknown[]> {
  return [...await engine.query({ object: 'inquiry' }), ...await engine.query({ object: 'response' })].map(({ values }) => values.question ?? values.body);
}

describe('A35: a refusal brings a record without the rest of its group', () => {
  test('an undo does not show it before the feed has brought the rest', async () => {
    const { phone } = await refused();
    await undo(phone);
    expect(await shownBy(phone)).toEqual(['old', 'one']);
    expect(await phone.engine.status()).toMatchObject({ parked: 1, syncErrors: 0 });
    expect(await phone.engine.explain('inquiry', 'i1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [] }, { code: 'read-wanted' }]);
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await shownBy(phone)).toEqual(['theirs', 'one', 'two']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });

  test('nor after a restart of the app', async () => {
    const { phone } = await refused();
    await undo(phone);
    await phone.engine.close();
    const again = await world.device('ann', { storage: phone.disk });
    expect(await shownBy(again)).toEqual(['old', 'one']);
    await again.engine.exchange();
    expect(await shownBy(again)).toEqual(['theirs', 'one', 'two']);
  });

  test('a fetch brings the group whole, wherever the feed is', async () => {
    const { phone } = await refused();
    await undo(phone);
    phone.intercept((request, send) => (request.path.startsWith('feed') ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    await phone.engine.fetch('response', 'r1');
    expect(await shownBy(phone)).toEqual(['theirs', 'one', 'two']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });

  test('a large save shows the group as it is, what left it before included, though the feed goes on', async () => {
    world = createWorld(schema, { limits: { pageItems: 3 } });
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    const late = (...paths: readonly string[]): void => phone.intercept((request, send) => (paths.some((path) => request.path.startsWith(path)) ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    const change = async (...changes: Parameters<typeof tablet.engine.save>[0]): Promise<void> => {
      await tablet.engine.save(changes);
      await tablet.engine.exchange();
    };
    await change(put('create', 'inquiry', 'i1', { question: 'old' }), ...['r1', 'r2', 'r3', 'r4'].map((id) => put('create', 'response', id, { inquiry: 'i1', body: id })));
    await phone.engine.exchange();
    late('upload');
    await phone.engine.update('inquiry', 'i1', { question: 'mine' });
    await change({ op: 'remove', object: 'response', id: 'r1' });
    await world.clock.advance(60_000);
    await change(put('update', 'inquiry', 'i1', { question: 'theirs' }));
    await change(put('update', 'inquiry', 'i1', { question: 'newest' }));
    late('feed', 'record');
    await world.clock.advance(600_000);
    await undo(phone);
    expect(await shownBy(phone)).toEqual(['old', 'r1', 'r2', 'r3', 'r4']);
    const position = (): number => phone.requests.filter(({ path }) => path.startsWith('feed?cursor')).length;
    const asked = position();
    // Of the two saves that it has not read, the first one comes.
    phone.intercept((request, send) => (/^record|^feed\?cursor=[^&]*\.3$/.test(request.path) ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    await world.clock.advance(600_000);
    expect(position()).toBeGreaterThan(asked);
    expect(await shownBy(phone)).toEqual(['newest', 'r2', 'r3', 'r4']);
  });

  test('nor does a large save that was looked at before free it, though its last part comes after', async () => {
    world = createWorld(schema, { limits: { pageItems: 3 } });
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    const late = (...paths: readonly RegExp[]): void => phone.intercept((request, send) => (paths.some((path) => path.test(request.path)) ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    const responses = ['r1', 'r2', 'r3', 'r4'];
    await tablet.engine.save([put('create', 'inquiry', 'i1', { question: 'old' }), ...responses.map((id) => put('create', 'response', id, { inquiry: 'i1', body: id }))]);
    await tablet.engine.exchange();
    await phone.engine.download();
    await tablet.engine.update('response', 'r1', { body: 'r1 new' });
    await tablet.engine.exchange();
    late(/revision/);
    await phone.engine.exchange();
    expect(phone.events.filter(({ type }) => type === 'feed:part-staged')).toHaveLength(1);
    await phone.engine.setLifecycle({ isOnline: false });
    await phone.engine.update('inquiry', 'i1', { question: 'mine' });
    await tablet.engine.save([put('update', 'inquiry', 'i1', { question: 'theirs' }), put('create', 'response', 'r5', { inquiry: 'i1', body: 'r5' })]);
    await tablet.engine.exchange();
    late(/^feed/, /^record/);
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ syncErrors: 1 });
    await undo(phone);
    late(/^record/, /^feed.cursor=[^&]*$/);
    await phone.engine.exchange();
    expect(phone.events.some(({ type }) => type === 'feed:parts-applied')).toBe(true);
    expect(await shownBy(phone)).toEqual(['old', 'r1', 'r2', 'r3', 'r4']);
    late(/^record/);
    await phone.engine.exchange();
    expect(await shownBy(phone)).toEqual(['theirs', 'r1 new', 'r2', 'r3', 'r4', 'r5']);
  });

  test('what the feed will not bring is shown at once: others changed it, and the feed is read', async () => {
    world = createWorld(schema);
    const phone = await world.device('ann');
    await phone.engine.create('inquiry', { question: 'old' }, 'i1');
    await phone.engine.exchange();
    await phone.engine.download();
    await world.server.online.save([{ op: 'update', object: 'inquiry', id: 'i1', values: { question: 'theirs' } }]);
    await phone.engine.update('inquiry', 'i1', { question: 'mine' });
    await phone.engine.exchange();
    phone.intercept(() => Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')));
    await undo(phone);
    expect(await shownBy(phone)).toEqual(['theirs']);
  });

  test('what the feed has brought whole before does not wait for more', async () => {
    world = createWorld(schema);
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    await tablet.engine.save([put('create', 'inquiry', 'i1', { question: 'old' }), put('create', 'response', 'r1', { inquiry: 'i1', body: 'one' })]);
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await tablet.engine.save([put('update', 'inquiry', 'i1', { question: 'theirs' }), put('create', 'response', 'r2', { inquiry: 'i1', body: 'two' })]);
    await tablet.engine.exchange();
    phone.intercept((request, send) => (request.path === 'upload' ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    await phone.engine.update('inquiry', 'i1', { question: 'mine' });
    await phone.engine.exchange().catch(() => {});
    expect(await phone.engine.explain('inquiry', 'i1')).toContainEqual({ code: 'kept-aside' });
    phone.intercept((request, send) => (request.path === 'upload' ? send(request) : Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline'))));
    await world.clock.advance(10_000);
    await undo(phone);
    expect(await phone.engine.status()).toMatchObject({ parked: 0, hasFeedGap: true });
    expect(await shownBy(phone)).toEqual(['theirs', 'one', 'two']);
  });

  test('a record that is in no group is shown at once, wherever the feed is', async () => {
    world = createWorld(schema);
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    await tablet.engine.create('note', { body: 'old' }, 'n1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    await tablet.engine.update('note', 'n1', { body: 'theirs' });
    await tablet.engine.exchange();
    phone.intercept((request, send) => (request.path === 'upload' ? send(request) : Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline'))));
    await phone.engine.update('note', 'n1', { body: 'mine' });
    await phone.engine.exchange().catch(() => {});
    await undo(phone);
    expect((await phone.engine.get('note', 'n1'))?.values.body).toBe('theirs');
  });
});
