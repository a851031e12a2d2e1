import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

/** A phone whose edit was refused, and taken back without a network; the back office has changed the record once more since. */
async function takenBack(): Promise<TestDevice> {
  world = createWorld(schema);
  const phone = await world.device('ann');
  await phone.engine.create('account', { name: 'St. Mary' }, 'a1');
  await phone.engine.exchange();
  await phone.engine.download();
  await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { name: 'theirs' } }]);
  await phone.engine.update('account', 'a1', { name: 'mine' });
  await phone.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: false });
  await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Oslo' } }]);
  const [error] = await phone.engine.listSyncErrors();
  await phone.engine.undo(error!.id);
  expect((await phone.engine.get('account', 'a1'))?.values).toEqual({ name: 'theirs', city: null });
  return phone;
}

function recordReads({ requests }: TestDevice): string[] {
  return requests.flatMap(({ path }) => (path.startsWith('record') ? [path] : []));
}

describe('B13: a change that was taken back without a network', () => {
  test('leaves the record to be read once there is one', async () => {
    const phone = await takenBack();
    expect(await phone.engine.explain('account', 'a1')).toEqual([{ code: 'read-wanted' }]);
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    expect((await phone.engine.get('account', 'a1'))?.values).toEqual({ name: 'theirs', city: 'Oslo' });
    expect(await phone.engine.explain('account', 'a1')).toEqual([]);
    await world.clock.advance(600_000);
    expect(recordReads(phone)).toEqual(['record?object=account&id=a1']);
  });

  test('or by the next start of the app', async () => {
    const phone = await takenBack();
    await phone.engine.close();
    const again = await world.device('ann', { storage: phone.disk });
    await again.engine.exchange();
    expect((await again.engine.get('account', 'a1'))?.values).toEqual({ name: 'theirs', city: 'Oslo' });
  });

  test('is read with a later poll where the first read fails, and polls go on meanwhile', async () => {
    const phone = await takenBack();
    phone.intercept((request, send) => (request.path.startsWith('record') ? Promise.reject(new SyncFault('TRANSPORT_UNREACHABLE', 'offline')) : send(request)));
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    expect(await phone.engine.explain('account', 'a1')).toEqual([{ code: 'read-wanted' }]);
    const before = phone.requests.length;
    phone.intercept(null);
    await world.clock.advance(60_000);
    expect(phone.requests.slice(before).map(({ path }) => path.split('?', 1)[0])).toContain('feed');
    expect((await phone.engine.get('account', 'a1'))?.values).toEqual({ name: 'theirs', city: 'Oslo' });
  });
});
