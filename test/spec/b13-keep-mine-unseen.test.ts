import { afterEach, describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

const online = async (): Promise<unknown> => (await world.server.online.get('account', 'st-mary'))?.values.city;
const saveOnline = (city: string): Promise<unknown> => world.server.online.save([{ op: 'update', object: 'account', id: 'st-mary', values: { city } }]);

/** A device whose edit of the city was refused: online it is Antwerp, and the user wrote Bruges. */
async function refuse(): Promise<SyncEngine> {
  world = createWorld(schema);
  const { engine } = await world.device('ann');
  await engine.outcome((await engine.create('account', { name: 'St. Mary', city: 'Ghent' }, 'st-mary')).entry!);
  await engine.setLifecycle({ isOnline: false });
  const { entry } = await engine.update('account', 'st-mary', { city: 'Bruges' });
  await saveOnline('Antwerp');
  await engine.setLifecycle({ isOnline: true });
  expect(await engine.outcome(entry!)).toMatchObject({ kind: 'refused' });
  return engine;
}

describe('keeping one’s own value', () => {
  test('B13, A19: overwrites what the sync error showed, and nothing that came in since', async () => {
    const engine = await refuse();
    const [shown] = await engine.listSyncErrors();
    expect(shown).toMatchObject({ fields: [{ field: 'city', online: 'Antwerp', mine: 'Bruges' }] });
    await saveOnline('Leuven');
    await engine.fetch('account', 'st-mary');

    await engine.resolve(shown!.id, 'keepMine');
    await engine.exchange();
    expect(await online()).toBe('Leuven');
    const [again] = await engine.listSyncErrors();
    expect(again).toMatchObject({ id: shown!.id, fields: [{ field: 'city', online: 'Leuven', mine: 'Bruges' }] });

    await engine.resolve(again!.id, 'keepMine');
    await engine.exchange();
    expect(await online()).toBe('Bruges');
    expect(await engine.listSyncErrors()).toEqual([]);
  });

  test('B13: by somebody who follows the list, goes by what it said last', async () => {
    const engine = await refuse();
    const heard: unknown[] = [];
    await engine.watchSyncErrors(([error]) => heard.push(error?.fields[0]?.online));
    await saveOnline('Leuven');
    await engine.fetch('account', 'st-mary');
    await engine.status();
    expect(heard.at(-1)).toBe('Leuven');
    await engine.resolveAll('all', 'keepMine');
    await engine.exchange();
    expect(await online()).toBe('Bruges');
  });

  test('B13: by a program that never looked, goes by what this device knows', async () => {
    const engine = await refuse();
    await engine.resolveAll('all', 'keepMine');
    await engine.exchange();
    expect(await online()).toBe('Bruges');
  });
});
