import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import { memory } from '../../src/storage/memory.ts';
import type { Commit, StorageAdapter } from '../../src/storage/storage-adapter.ts';
import { createWorld, put, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    inquiry: { fields: { question: text() } },
    response: { fields: { inquiry: parent('inquiry', { group: true }), body: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

interface Devices {
  readonly tablet: TestDevice;
  readonly phone: TestDevice;
}

/** Lets nothing through to some paths. */
function cut({ intercept }: TestDevice, ...paths: readonly string[]): void {
  intercept((request, send) => (paths.some((path) => request.path.startsWith(path)) ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
}

/**
 * A phone that took back an edit of an answer which the back office had moved below a question that the phone has never heard of: no feed
 * tells of that (rule A40), and what the phone asked after the undo did not get through.
 */
async function undone({ pageItems = 500, storage = memory() } = {}): Promise<Devices> {
  world = createWorld(schema, { limits: { pageItems } });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann', { storage })];
  await tablet.engine.save([put('create', 'inquiry', 'i1', { question: 'old' }), ...['r1', 'r2', 'r3'].map((id) => put('create', 'response', id, { inquiry: 'i1', body: id }))]);
  await tablet.engine.exchange();
  await phone.engine.download();
  await phone.engine.setLifecycle({ isOnline: false });
  await phone.engine.update('response', 'r1', { body: 'mine' });
  await world.server.online.save([{ op: 'create', object: 'inquiry', id: 'i2', values: { question: 'theirs' } }]);
  await world.server.online.save([{ op: 'update', object: 'response', id: 'r1', values: { inquiry: 'i2', body: 'moved' } }]);
  cut(phone, 'record');
  await phone.engine.setLifecycle({ isOnline: true });
  await phone.engine.exchange();
  const [error] = await phone.engine.listSyncErrors();
  await phone.engine.undo(error!.id);
  await phone.engine.exchange();
  return { tablet, phone };
}

async function shownBy({ engine }: TestDevice): Promise<readonly string[]> {
  const [inquiries, responses] = [await engine.query({ object: 'inquiry' }), await engine.query({ object: 'response' })];
  return inquiries.map(({ id, values }) => [values.question, ...responses.flatMap((one) => (one.values.inquiry === id ? [one.values.body] : []))].join(' ')).sort();
}

async function ask({ engine }: TestDevice): Promise<void> {
  await engine.update('inquiry', 'i1', { question: 'new' });
  await engine.exchange();
}

describe('A35: an answer that was moved below a question which is not here', () => {
  test('waits, and says for what', async () => {
    const { phone } = await undone();
    expect(await shownBy(phone)).toEqual(['old r1 r2 r3']);
    expect(await phone.engine.status()).toMatchObject({ parked: 1, syncErrors: 0 });
    expect(await phone.engine.explain('response', 'r1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'inquiry', id: 'i2' }] }, { code: 'read-wanted' }]);
  });

  test('is asked for again after a later poll, though nobody changes anything', async () => {
    const { phone } = await undone();
    phone.intercept(null);
    await world.clock.advance(60_000);
    expect(await shownBy(phone)).toEqual(['old r2 r3', 'theirs moved']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
    expect(await phone.engine.explain('response', 'r1')).toEqual([]);
  });

  test('and by the next start of the app', async () => {
    const { phone } = await undone();
    await phone.engine.close();
    const again = await world.device('ann', { storage: phone.disk });
    await again.engine.exchange();
    expect(await shownBy(again)).toEqual(['old r2 r3', 'theirs moved']);
  });

  test('and where nothing says so: a build that did not note what it wanted to read took the change back', async () => {
    const disk = memory();
    const forgetful: StorageAdapter = {
      async open(owner) {
        const storage = await disk.open(owner);
        const commit = storage.commit.bind(storage);
        return Object.assign(storage, { commit: (one: Commit) => commit({ ...one, putState: (one.putState ?? []).filter(({ key }) => !key.startsWith('wanted/')) }) });
      },
    };
    const { phone } = await undone({ storage: forgetful });
    await phone.engine.close();
    const again = await world.device('ann', { storage: disk });
    expect(await again.engine.explain('response', 'r1')).toMatchObject([{ code: 'newer-version-waits', because: 'incomplete' }]);
    await again.engine.exchange();
    expect(await shownBy(again)).toEqual(['old r2 r3', 'theirs moved']);
  });

  test('is asked for ever more seldom while that brings nothing', async () => {
    const { phone } = await undone();
    const reads = (): number => phone.requests.filter(({ path }) => path.startsWith('record')).length;
    const [before, polls] = [reads(), phone.requests.length];
    for (let minute = 0; minute < 240; minute++) await world.clock.advance(60_000);
    expect(reads() - before).toBeLessThan(30);
    expect(phone.requests.length - polls).toBeGreaterThan(240);
  });

  test.each([
    ['page', 500],
    ['transaction in parts', 2],
  ])('holds back a %s with the rest of its group, or the answer would be seen where it no longer is', async (_, pageItems) => {
    const { tablet, phone } = await undone({ pageItems });
    await tablet.engine.exchange();
    await ask(tablet);
    await phone.engine.exchange();
    expect(phone.events.some(({ type }) => type === 'feed:part-staged')).toBe(pageItems === 2);
    expect(await shownBy(phone)).toEqual(['old r1 r2 r3']);
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    phone.intercept(null);
    await phone.engine.exchange();
    expect(await shownBy(phone)).toEqual(['new r2 r3', 'theirs moved']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });
});
