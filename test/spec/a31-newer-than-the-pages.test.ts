import { afterEach, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { createWorld, put, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

test('A31: what came in, and waits, after a page of a download was read is not given up for that page', async () => {
  world = createWorld(schema, { limits: { pageItems: 3 } });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), put('create', 'line', 'l1', { order: 'o1', product: 'gauze' })]);
  await tablet.engine.exchange();
  await phone.engine.exchange();
  await tablet.engine.create('order', { note: 'other' }, 'o2');
  await tablet.engine.create('order', { note: 'another' }, 'o3');
  await tablet.engine.exchange();
  phone.intercept((request, send) => (/^snapshot./.test(request.path) ? Promise.reject(new TypeError('no way there')) : send(request)));
  await expect(phone.engine.download()).rejects.toThrow();
  await tablet.engine.save([put('update', 'order', 'o1', { note: 'second' }), put('create', 'line', 'l2', { order: 'o1', product: 'tape' })]);
  await tablet.engine.exchange();
  const forged = forgePage((page) => holdBack(page, (id) => id === 'l2'));
  phone.intercept((request, send) => (/^(record|snapshot)/.test(request.path) ? Promise.reject(new TypeError('no way there')) : forged(request, send)));
  await phone.engine.exchange();
  expect(await phone.engine.status()).toMatchObject({ parked: 1 });
  phone.intercept((request, send) => (/^(record|feed)/.test(request.path) ? Promise.reject(new TypeError('no way there')) : send(request)));
  await phone.engine.download();
  expect((await phone.engine.query({ object: 'line' })).map(({ id }) => id)).toEqual(['l1', 'l2']);
  expect((await phone.engine.get('order', 'o1'))?.values.note).toBe('second');
  expect(await phone.engine.status()).toMatchObject({ parked: 0 });
});
