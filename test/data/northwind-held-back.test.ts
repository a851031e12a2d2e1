import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineSchema } from '../../src/schema.ts';
import { forgePage, holdBack } from '../support/forged-page.ts';
import { findRealData, groupBy, nextValuesOf, readAll, SchemaFromData, valuesOf, type DataEdit, type DataRecord } from '../support/real-data.ts';
import { createWorld, goOnline } from '../support/world.ts';
import { canonicalRowsOn, canonicalRowsOnline, differences, NONE } from './canonical-rows.ts';

/** Orders to play; the server never sends half of one, so each page has to be cut by hand. */
const ORDERS = 60;

const folder = findRealData('northwind');
if (folder === null) console.warn('skipped: the data set northwind is not beside the project');

describe('northwind, an order of which a line is held back', () => {
  test.skipIf(folder === null)('A34, A35: neither the order nor any line of it is seen before its third line arrives; then all of it is, in one event', { timeout: 120_000 }, async () => {
    const first = await readAll<DataRecord>(join(folder!, 'snapshot-first.ndjson.gz'));
    const edits = await readAll<DataEdit>(join(folder!, 'edits.ndjson.gz'));
    const collected = new SchemaFromData();
    for (const { object, master, fields } of first) collected.add(object, master, Object.entries(fields));
    for (const { object, master, fields } of edits) collected.add(object, master, Object.entries(fields).map(([name, [previous, next]]) => [name, next ?? previous]));
    const schema = defineSchema({ version: 1, objects: collected.objects('group') });
    const world = createWorld(schema);
    try {
      expect((await world.server.online.save(first.map((record) => ({ op: 'create', object: record.object, id: record.id, values: valuesOf(record) })))).kind).toBe('saved');
      const [desk, phone] = [await world.device('u'), await world.device('u')];
      for (const { engine } of [desk, phone]) await engine.download();
      const seen: number[] = [];
      await phone.engine.watchQuery({ object: 'orderLine' }, (lines) => seen.push(lines.length));

      const orders = [...groupBy(edits.filter(({ op }) => op === 'create'), ({ commit }) => commit).values()].filter((order) => order.length > 3);
      let lines = 0;
      for (const [index, order] of orders.slice(0, ORDERS).entries()) {
        const { id } = order.find(({ object }) => object === 'order')!;
        const third = order.filter(({ object }) => object === 'orderLine')[2]!;
        await desk.engine.save(order.map((edit) => ({ op: 'create', object: edit.object, id: edit.id, values: nextValuesOf(edit) })));
        await goOnline(desk);
        phone.intercept(forgePage((page) => holdBack(page, (name) => name === third.id)));
        expect(await goOnline(phone)).toMatchObject({ parked: 1, pending: 0 });
        for (const edit of order) expect(await phone.engine.get(edit.object, edit.id)).toBeNull();
        for (const edit of order) if (edit !== third) expect(await phone.engine.explain(edit.object, edit.id)).toEqual([waitsFor(third)]);

        // The next save of the order puts it on the feed again; of what came before, this page has nothing.
        await desk.engine.update('order', id, { ShipName: `again ${index}` });
        await goOnline(desk);
        phone.intercept(forgePage((page) => holdBack(page, (name) => name !== third.id && name !== id)));
        const before = seen.length;
        expect(await goOnline(phone)).toMatchObject({ parked: 0, pending: 0 });
        lines += order.length - 1;
        expect(seen.slice(before)).toEqual([lines]);
        for (const edit of order) expect(await phone.engine.get(edit.object, edit.id)).not.toBeNull();
      }
      expect(differences(await canonicalRowsOn(phone.engine, schema), await canonicalRowsOnline(world.server, schema))).toEqual(NONE);
      expect(seen).toHaveLength(1 + ORDERS);
    } finally {
      await world.close();
    }
  });
});

const waitsFor = ({ object, id }: DataEdit) => ({ code: 'newer-version-waits', because: 'incomplete', missing: [{ object, id }] });
