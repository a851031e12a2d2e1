import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { createWorld, put, type World } from '../support/world.ts';

const older = defineSchema({ version: 1, objects: { order: { fields: { note: text() } } } });
const newer = defineSchema({ version: 2, objects: { order: { fields: { note: text() } }, line: { fields: { order: parent('order', { group: true }), product: text() } }, memo: { fields: { title: text() } } } });

let world: World<typeof newer>;
afterEach(() => world.close());

describe('A34: a device with an older build of the app', () => {
  test.each(['polls', 'downloads', 'fetches'])('goes on when it %s records of an object that it does not know', async (how) => {
    world = createWorld(newer);
    const [tablet, phone] = [await world.device('ann'), await world.device('ann', { schema: older })];
    await tablet.engine.create('memo', { title: 'new' }, 'm1');
    await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), put('create', 'line', 'l1', { order: 'o1', product: 'gauze' })]);
    await tablet.engine.exchange();
    if (how === 'downloads') await phone.engine.download();
    if (how === 'fetches') await phone.engine.fetch('order', 'o1');
    expect((await phone.engine.exchange()).lastFault).toBeNull();
    expect((await phone.engine.get('order', 'o1'))?.values.note).toBe('first');
    await tablet.engine.update('order', 'o1', { note: 'second' });
    await tablet.engine.exchange();
    const stop = await phone.engine.watchHandle('order', 'o1', 'view', () => {});
    expect((await phone.engine.exchange()).lastFault).toBeNull();
    stop();
    expect((await phone.engine.get('order', 'o1'))?.values.note).toBe('second');
    await tablet.engine.remove('order', 'o1');
    await tablet.engine.exchange();
    await phone.engine.exchange();
    expect(await phone.engine.get('order', 'o1')).toBeNull();
  });
});
