import { describe, expect, test } from 'vitest';
import { FIELD_TYPE_CODES, type FieldType } from '../../src/protocol/field.ts';
import { createLayout, layoutsOf } from '../../src/protocol/layout.ts';
import { decimal, integer, text } from '../../src/protocol/field.ts';
import { defineSchema } from '../../src/protocol/schema.ts';

describe('layouts', () => {
  // Golden, and computed by another program: stored rows and other servers name layouts by these. A change here orphans stored data.
  test.each([
    ['account', [['name', 'text'], ['size', 'integer']], '397ce6eee7b659e4'],
    ['account', [['size', 'integer'], ['name', 'text']], '2140ca47928d4234'],
    ['account', [['name', 'textKeepingEmpty'], ['size', 'integer']], '2f81575bb139e3c9'],
    ['orderLine', [['product', 'reference'], ['price', 'decimal']], '4e87910658a2fb56'],
    ['été', [['Größe "in" cm', 'number']], '08164bbb8a518479'],
  ] as const)('of %s with %j is named %s', (object, fields, hash) => {
    expect(createLayout(object, fields.map(([name, type]) => ({ name, type }))).hash).toBe(hash);
  });

  test('know the code and the place of each field', () => {
    const layout = createLayout('account', [{ name: 'a', type: 'decimal' }, { name: 'b', type: 'json' }]);
    expect([...layout.types]).toEqual([FIELD_TYPE_CODES.decimal, FIELD_TYPE_CODES.json]);
    expect([...layout.positions]).toEqual([['a', 0], ['b', 1]]);
  });

  test('are made for every object of a schema, in the order of its fields', () => {
    const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), size: integer() } }, product: { fields: { price: decimal() } } } });
    const layouts = layoutsOf(schema);
    expect([...layouts.keys()]).toEqual(['account', 'product']);
    expect(layouts.get('account')!.fields).toEqual([{ name: 'name', type: 'text' }, { name: 'size', type: 'integer' }]);
  });

  test('have type codes that never change', () => {
    expect(FIELD_TYPE_CODES satisfies Record<FieldType, number>).toEqual({
      text: 1, textKeepingEmpty: 2, integer: 3, number: 4, decimal: 5, boolean: 6, date: 7, dateTime: 8, picklist: 9, multiPicklist: 10, reference: 11, json: 12,
    });
  });
});
