import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, listOnline, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text(), city: text() } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

describe('A27, A36: an order that stays open', () => {
  test('waits for nothing any more once the answer to an own save was newer than what was kept aside', async () => {
    world = createWorld(schema);
    const disk = memory();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann', { storage: disk })];
    await tablet.engine.create('order', { note: 'first' }, 'o1');
    for (const { engine } of [tablet, phone]) await engine.exchange();
    await phone.engine.watchHandle('order', 'o1', 'view', () => {});
    await tablet.engine.update('order', 'o1', { note: 'theirs' });
    for (const { engine } of [tablet, phone]) await engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ parked: 1 });
    await phone.engine.update('order', 'o1', { city: 'Ghent' });
    await phone.engine.exchange();
    expect(await phone.engine.status()).toMatchObject({ parked: 0, oldestParkedAt: null });
    expect(await phone.engine.explain('order', 'o1')).toEqual([]);
    const rows = await (await disk.open({ tenant: '', user: 'ann' })).scanState({ prefix: '', limit: 1_000 });
    expect(rows.filter(({ key }) => key.startsWith('side/') || key.startsWith('parked/'))).toEqual([]);
    expect((await phone.engine.query({ object: 'order' })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, 'order'));
  });

  test('can be closed by who only looks on, and is left as it is', async () => {
    world = createWorld(schema);
    const disk = memory();
    const [tablet, phone] = [await world.device('ann'), await world.device('ann', { storage: disk })];
    await tablet.engine.create('order', { note: 'first' }, 'o1');
    for (const { engine } of [tablet, phone]) await engine.exchange();
    await phone.engine.watchHandle('order', 'o1', 'view', () => {});
    await tablet.engine.update('order', 'o1', { note: 'theirs' });
    for (const { engine } of [tablet, phone]) await engine.exchange();
    await phone.engine.close();
    const looking = await world.device('ann', { storage: disk, readOnly: true });
    const handles: number[] = [];
    await looking.engine.watchHandle('order', 'o1', 'view', ({ handle }) => void handles.push(handle));
    expect(await looking.engine.handle({ kind: 'showNewest', handle: handles[0]! })).toMatchObject({ record: { values: { note: 'first' } }, newer: 'changed' });
    await looking.engine.handle({ kind: 'close', handle: handles[0]! });
    expect((await looking.engine.get('order', 'o1'))?.values.note).toBe('first');
  });
});
