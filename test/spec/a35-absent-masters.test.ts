import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
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
async function undone(options: Parameters<typeof createWorld>[1] = {}): Promise<Devices> {
  world = createWorld(schema, options);
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
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
    expect(await phone.engine.explain('response', 'r1')).toEqual([{ code: 'newer-version-waits', because: 'incomplete', missing: [{ object: 'inquiry', id: 'i2' }] }]);
  });

  test.each([
    ['page', 500],
    ['transaction in parts', 2],
  ])('holds back a %s with the rest of its group, or the answer would be seen where it no longer is', async (_, pageItems) => {
    const { tablet, phone } = await undone({ limits: { pageItems } });
    await tablet.engine.exchange();
    await ask(tablet);
    await phone.engine.exchange();
    expect(phone.events.some(({ type }) => type === 'feed:part-staged')).toBe(pageItems === 2);
    expect(await shownBy(phone)).toEqual(['old r1 r2 r3']);
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    phone.intercept(null);
    await phone.engine.fetch('response', 'r1');
    expect(await shownBy(phone)).toEqual(['new r2 r3', 'theirs moved']);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });
});
