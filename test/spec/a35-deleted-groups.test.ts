import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { createWorld, put, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
    batch: { mode: 'override', fields: { line: parent('line', { group: true }), lot: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

async function idsOn({ engine }: TestDevice): Promise<readonly string[]> {
  const found = await Promise.all(['order', 'line', 'batch'].map((object) => engine.query({ object })));
  return found.flat().map(({ id }) => id);
}

describe('A35: an order that is deleted with all that hangs on it', () => {
  test.each([
    ['in a page', 500],
    ['in parts', 2],
  ])('waits as one %s while somebody has it open, what the device has never seen of it included, and is gone once it is left', async (_, pageItems) => {
    world = createWorld(schema, { limits: { pageItems } });
    const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
    await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), put('create', 'line', 'l1', { order: 'o1', product: 'gauze' })]);
    await tablet.engine.exchange();
    await phone.engine.exchange();
    const leave = await phone.engine.watchHandle('line', 'l1', 'view', () => {});
    await phone.engine.setLifecycle({ isOnline: false });
    await tablet.engine.save([put('create', 'batch', 'b1', { line: 'l1', lot: '7' })]);
    await tablet.engine.exchange();
    await tablet.engine.save([{ op: 'remove', object: 'batch', id: 'b1' }, { op: 'remove', object: 'line', id: 'l1' }, { op: 'remove', object: 'order', id: 'o1' }]);
    await tablet.engine.exchange();
    await phone.engine.setLifecycle({ isOnline: true });
    await phone.engine.exchange();
    expect(await idsOn(phone)).toEqual(['o1', 'l1']);
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    leave();
    expect(await idsOn(phone)).toEqual([]);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });
});
