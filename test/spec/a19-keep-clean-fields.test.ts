import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { createWorld, goOnline, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { onConflict: 'keepCleanFields', coalesce: 'never', fields: { name: text(), city: text(), phone: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());


/** A record of which the city was changed online while the phone was offline. */
async function createChangedAccount(): Promise<TestDevice> {
  const phone = await world.device('ann');
  await phone.engine.create('account', { name: 'St. Mary', city: 'Ghent', phone: '1' }, 'a1');
  await phone.engine.exchange();
  await phone.engine.setLifecycle({ isOnline: false });
  await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } }]);
  return phone;
}

describe('A19: an edit of which only some fields clash (keepCleanFields)', () => {
  test('is saved but for those, and what is left of it is a sync error with those alone', async () => {
    world = createWorld(schema);
    const phone = await createChangedAccount();
    const { entry } = await phone.engine.update('account', 'a1', { city: 'Antwerp', phone: '2' });
    expect(await goOnline(phone)).toMatchObject({ pending: 0, syncErrors: 1 });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'Bruges', phone: '2' });
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'partlySaved', refused: ['city'], syncError: entry });
    const [error] = await phone.engine.listSyncErrors();
    expect(error).toMatchObject({ id: entry, class: 'conflict', fields: [{ field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Bruges', isCause: true }] });
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Antwerp', phone: '2' });
    expect(phone.events.filter(({ type }) => type === 'upload:accepted' || type === 'sync-error:raised').slice(-2)).toMatchObject([{ type: 'upload:accepted', entry }, { type: 'sync-error:raised', syncError: entry }]);
  });

  test('undone, leaves what was saved: the outcome says so, and the journal has the refused fields alone', async () => {
    world = createWorld(schema);
    const phone = await createChangedAccount();
    const { entry } = await phone.engine.update('account', 'a1', { city: 'Antwerp', phone: '2' });
    await goOnline(phone);
    await phone.engine.undo(entry!);
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'partlySaved', refused: ['city'], syncError: null });
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Bruges', phone: '2' });
    expect(await phone.engine.readJournal()).toMatchObject([{ entry, members: [{ previous: { city: 'Ghent' }, mine: { city: 'Antwerp' } }] }]);
  });

  test('kept by the user, goes up again under another number and ends as saved', async () => {
    world = createWorld(schema);
    const phone = await createChangedAccount();
    const { entry } = await phone.engine.update('account', 'a1', { city: 'Antwerp', phone: '2' });
    await goOnline(phone);
    await phone.engine.resolve(entry!, 'keepMine');
    await phone.engine.exchange();
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'Antwerp', phone: '2' });
  });

  test('with later edits behind it: those of saved fields begin from what was saved, those of refused ones wait for the user', async () => {
    world = createWorld(schema, { objects: { account: { beforeSave: ({ next }) => (next.phone === '2' ? { phone: '+2' } : undefined) } } });
    const phone = await createChangedAccount();
    const first = await phone.engine.update('account', 'a1', { city: 'Antwerp', phone: '2' });
    const second = await phone.engine.update('account', 'a1', { phone: '3', name: 'St. Ann' });
    const third = await phone.engine.update('account', 'a1', { city: 'Liège' });
    expect(await goOnline(phone)).toMatchObject({ pending: 2, syncErrors: 1 });
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Liège', phone: '3', name: 'St. Ann' });
    await phone.engine.resolve(first.entry!, 'keepMine');
    expect(await phone.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    for (const { entry } of [first, second, third]) expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'Liège', phone: '3', name: 'St. Ann' });
  });

  test('is settled once, when its answer was lost', async () => {
    world = createWorld(schema);
    const phone = await createChangedAccount();
    const { entry } = await phone.engine.update('account', 'a1', { city: 'Antwerp', phone: '2' });
    let isLost = true;
    phone.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path === 'upload' && isLost) throw new TypeError('the answer is lost');
      return answer;
    });
    await goOnline(phone);
    // Meanwhile somebody else goes on from what was saved.
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { phone: '9' } }]);
    isLost = false;
    await phone.engine.exchange();
    expect(await phone.engine.outcome(entry!)).toMatchObject({ kind: 'partlySaved', refused: ['city'] });
    expect((await phone.engine.get('account', 'a1'))?.values).toMatchObject({ city: 'Antwerp', phone: '9' });
  });
});
