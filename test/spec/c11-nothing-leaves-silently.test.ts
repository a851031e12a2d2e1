import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, integer, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text(), staff: integer() } } } });
const DAY_MS = 24 * 3_600_000;

let world: World<typeof schema>;
afterEach(() => world.close());

/** A server that knows no city called Nowhere. */
function createStrictWorld(): World<typeof schema> {
  return createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'Nowhere' ? refuse('city', 'no-such-city') : undefined) } } });
}

describe('C11: what was taken back', () => {
  test('is in the journal with what the user saw and wrote, and why it left', async () => {
    world = createStrictWorld();
    const { engine } = await world.device('ann');
    const { id } = await engine.create('account', { name: 'St. Mary', city: 'Ghent', staff: 3 });
    await engine.exchange();
    const edit = await engine.update('account', id, { city: 'Nowhere' });
    await engine.exchange();
    const leftAt = world.clock.now();
    await engine.undo(edit.entry!);
    expect(await engine.readJournal()).toEqual([
      { entry: edit.entry, reason: 'undone', leftAt, savedAt: leftAt, members: [{ object: 'account', id, op: 'update', previous: { city: 'Ghent' }, mine: { city: 'Nowhere' } }] },
    ]);
    expect(await engine.readJournal(edit.entry!)).toHaveLength(1);
    expect(await engine.readJournal(edit.entry! - 1)).toEqual([]);
    expect(await engine.outcome(edit.entry!)).toEqual({ kind: 'undone' });
  });

  test('is known for 30 days, through restarts, and forgotten then, at an opening or while the client is open', async () => {
    world = createStrictWorld();
    const disk = memory();
    const first = await world.device('ann', { storage: disk });
    const saved = await first.engine.create('account', { name: 'kept', city: 'Ghent' });
    const bad = await first.engine.create('account', { name: 'gone', city: 'Nowhere' });
    await first.engine.exchange();
    await first.engine.undo(bad.entry!);
    await first.engine.close();
    await world.clock.advance(30 * DAY_MS);
    const second = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: true } });
    expect(await second.engine.outcome(bad.entry!)).toEqual({ kind: 'undone' });
    expect(await second.engine.readJournal()).toHaveLength(1);
    await world.clock.advance(DAY_MS);
    expect(await second.engine.readJournal()).toEqual([]);
    expect(await second.engine.outcome(bad.entry!)).toEqual({ kind: 'forgotten' });
    // What lies before a forgotten entry may have been saved or not: it is not claimed to be.
    expect(await second.engine.outcome(saved.entry!)).toEqual({ kind: 'forgotten' });
    const later = await second.engine.create('account', { name: 'new' });
    await second.engine.setLifecycle({ isOnline: true });
    expect(await second.engine.outcome(later.entry!)).toEqual({ kind: 'saved' });
    await expect(second.engine.outcome(later.entry! + 1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
