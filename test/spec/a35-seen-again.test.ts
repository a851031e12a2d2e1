import { afterEach, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { createWorld, listOnline, put, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

test.each(['poll', 'fetch'])('A35: an order that a download took away, and that the user may see again, comes with a %s whole: with the lines that nobody has changed since', async (how) => {
  let isVisible = true;
  world = createWorld(schema, { canSee: () => isVisible });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), put('create', 'line', 'l1', { order: 'o1', product: 'gauze' }), put('create', 'line', 'l2', { order: 'o1', product: 'tape' })]);
  for (const { engine } of [tablet, phone]) await engine.exchange();
  isVisible = false;
  await phone.engine.download();
  expect(await phone.engine.query({ object: 'line' })).toEqual([]);
  isVisible = true;
  await tablet.engine.update('order', 'o1', { note: 'second' });
  await tablet.engine.exchange();
  if (how === 'fetch') await phone.engine.fetch('order', 'o1');
  await phone.engine.exchange();
  for (const object of ['order', 'line']) expect((await phone.engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
});
