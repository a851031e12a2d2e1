import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), note: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

/** What the simulator has found, each as small as it gets. */
describe('found by simulation', () => {
  test('C5: of several waiting edits only the next one is rebased, even where a later one began from the same value', async () => {
    // A trigger makes something else of a note each time, so every edit that waits has to be rebased.
    let saves = 0;
    world = createWorld(schema, { objects: { account: { beforeSave: ({ next, previous }) => (next.note === (previous?.note ?? null) ? undefined : { note: `${next.note} ${++saves}` }) } } });
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary' });
    await engine.exchange();
    await engine.setLifecycle({ isOnline: false });
    for (const note of ['b', 'c', 'b', 'd']) await engine.update('account', id, { note });
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', id))?.values.note).toBe('d 4');
  });
});
