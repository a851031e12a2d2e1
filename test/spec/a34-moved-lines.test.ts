import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, integer, parent, serverOwned, text } from '../../src/schema.ts';
import { createWorld, listOnline, put, type TestDevice, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    order: { mode: 'override', fields: { note: text(), lines: serverOwned(integer()) } },
    line: { mode: 'override', fields: { order: parent('order', { group: true }), product: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const LINES = 15;
const nameOf = (index: number): string => `l${String(index).padStart(2, '0')}`;

/** Two devices that have both orders: all lines are of the first. */
async function createOrders(pageItems: number): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  world = createWorld(schema, { limits: { pageItems }, objects: { order: { formulas: ({ children }) => ({ lines: children.line.length }) } } });
  const [tablet, phone] = [await world.device('ann'), await world.device('ann')];
  await tablet.engine.save([put('create', 'order', 'o1', { note: 'first' }), ...Array.from({ length: LINES }, (_, index) => put('create', 'line', nameOf(index), { order: 'o1', product: 'gauze' }))]);
  await tablet.engine.create('order', { note: 'second' }, 'o2');
  for (const { engine } of [tablet, phone]) await engine.exchange();
  return { tablet, phone };
}

/** Each order with the number of lines that the server counted, and how many the device shows with it. */
async function countsOn({ engine }: TestDevice): Promise<Record<string, unknown>> {
  const lines = await engine.query({ object: 'line' });
  const orders = await engine.query({ object: 'order' });
  return Object.fromEntries(orders.map(({ id, values }) => [id, [values.lines, lines.filter((line) => line.values.order === id).length]]));
}

async function expectAlike({ engine }: TestDevice): Promise<void> {
  for (const object of ['order', 'line']) expect((await engine.query({ object })).map(({ id, values }) => ({ id, ...values }))).toEqual(await listOnline(world, object));
}

describe.each([['on one page', 500, false], ['in parts', 10, false], ['in a download', 500, true]])('A34: a line that moves between two orders %s', (_, pageItems, isDownload) => {
  test.each(['o1', 'o2'])('is seen in both or in none while %s is open', async (open) => {
    const { tablet, phone } = await createOrders(pageItems);
    const stop = await phone.engine.watchHandle('order', open, 'view', () => {});
    await tablet.engine.save([put('update', 'line', 'l00', { order: 'o2' }), ...Array.from({ length: LINES - 1 }, (_, index) => put('update', 'line', nameOf(index + 1), { product: 'tape' }))]);
    await tablet.engine.exchange();
    if (isDownload) await phone.engine.download();
    await phone.engine.exchange();
    expect(await countsOn(phone)).toEqual({ o1: [LINES, LINES], o2: [0, 0] });
    stop();
    expect(await countsOn(phone)).toEqual({ o1: [LINES - 1, LINES - 1], o2: [1, 1] });
    await expectAlike(phone);
    expect(await phone.engine.status()).toMatchObject({ parked: 0 });
  });
});
