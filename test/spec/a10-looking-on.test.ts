import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { readAll } from '../support/stores.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

describe('A10: who looks on in the name of a user', () => {
  test('sees records, queue and sync errors, sends and asks nothing, and leaves queue, cursor and the user’s own client as they are', async () => {
    world = createWorld(schema, { objects: { account: { allow: ({ op }) => op !== 'remove' } } });
    const disk = memory();
    const own = await world.device('ann', { storage: disk });
    await own.engine.create('account', { name: 'St. Mary' }, 'a1');
    await own.engine.exchange();
    await own.engine.remove('account', 'a1');
    await own.engine.exchange();
    await own.engine.setLifecycle({ isOnline: false });
    const waiting = await own.engine.create('account', { name: 'waits' }, 'a2');
    const before = await readAll(disk, ['account']);

    const looking = await world.device('ann', { storage: disk, readOnly: true });
    expect(await looking.engine.get('account', 'a2')).toMatchObject({ values: { name: 'waits' }, syncState: 'waiting' });
    expect(await looking.engine.listSyncErrors()).toMatchObject([{ class: 'permission' }]);
    expect(await looking.engine.exportEntries('all')).toHaveLength(2);
    expect(await looking.engine.exchange()).toMatchObject({ pending: 1, syncErrors: 1, revoked: false });
    const [error] = await looking.engine.listSyncErrors();
    const changes = [
      looking.engine.create('account', { name: 'no' }), looking.engine.update('account', 'a2', { name: 'no' }), looking.engine.remove('account', 'a2'), looking.engine.undo(error!.id),
      looking.engine.resolve(error!.id, 'retry'), looking.engine.download(), looking.engine.fetch('account', 'a1'), looking.engine.wipe({ exported: true }),
    ];
    for (const change of changes) await expect(change).rejects.toMatchObject({ code: 'CLIENT_READ_ONLY' });
    await world.clock.advance(31 * 24 * 3_600_000);
    expect(looking.requests).toEqual([]);
    await looking.engine.close();
    expect(await readAll(disk, ['account'])).toEqual(before);

    await own.engine.setLifecycle({ isOnline: true });
    expect(await own.engine.outcome(waiting.entry!)).toEqual({ kind: 'saved' });
  });

  test('finds nothing where nobody was', async () => {
    world = createWorld(schema);
    const disk = memory();
    const { engine } = await world.device('ann', { storage: disk, readOnly: true });
    expect(await engine.query({ object: 'account' })).toEqual([]);
    expect(await readAll(disk, ['account'])).toEqual({ state: [], records: [] });
  });
});
