import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  autoNumber, boolean, created, date, dateTime, decimal, integer, json, lastModified, multiPicklist, number, parent, picklist, recordId, reference, serverOwned, text,
  type Field, type JsonValue,
} from '../../src/protocol/field.ts';
import { defineSchema, SCHEMA_LIMITS, type CreateInput, type ObjectName, type RecordOf, type SchemaDefinition, type UpdateInput } from '../../src/protocol/schema.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: {
      fields: {
        serverId: recordId(),
        name: text({ required: true }),
        city: text(),
        notes: text({ emptyText: 'keep' }),
        size: integer({ min: 0, required: true }),
        rating: number(),
        revenue: decimal(),
        isActive: boolean(),
        founded: date(),
        visitedAt: dateTime({ required: true }),
        status: picklist('open', 'closed'),
        tags: multiPicklist('vip', 'new'),
        settings: json<{ readonly theme: string }>(),
        anything: json(),
        createdAt: created(),
        changedAt: lastModified(),
      },
    },
    order: {
      mode: 'override',
      fields: { number: autoNumber({ prefix: 'O-' }), account: reference('account', { required: true }), total: serverOwned(decimal()) },
    },
    orderLine: { fields: { order: parent('order', { group: true }), product: reference('account'), lineNo: serverOwned(integer()) } },
  },
});

type Schema = typeof schema;

describe('record types', () => {
  test('have every field, null where there may be no value', () => {
    expectTypeOf<ObjectName<Schema>>().toEqualTypeOf<'account' | 'order' | 'orderLine'>();
    expectTypeOf<RecordOf<Schema, 'account'>>().toEqualTypeOf<{
      readonly id: string;
      readonly serverId: string | null;
      readonly name: string | null;
      readonly city: string | null;
      readonly notes: string | null;
      readonly size: number | null;
      readonly rating: number | null;
      readonly revenue: string | null;
      readonly isActive: boolean | null;
      readonly founded: string | null;
      readonly visitedAt: string | null;
      readonly status: 'open' | 'closed' | null;
      readonly tags: readonly ('vip' | 'new')[] | null;
      readonly settings: { readonly theme: string } | null;
      readonly anything: JsonValue;
      readonly createdAt: string | null;
      readonly changedAt: string | null;
    }>();
    expectTypeOf<RecordOf<Schema, 'order'>>().toEqualTypeOf<{
      readonly id: string;
      readonly number: string | null;
      readonly account: string | null;
      readonly total: string | null;
    }>();
  });

  test('of a create need what is required and have nothing that the server owns', () => {
    expectTypeOf<CreateInput<Schema, 'account'>>().toEqualTypeOf<{
      readonly id?: string;
      readonly name: string;
      readonly size: number;
      readonly visitedAt: string | Date;
      readonly city?: string | null;
      readonly notes?: string | null;
      readonly rating?: number | null;
      readonly revenue?: string | null;
      readonly isActive?: boolean | null;
      readonly founded?: string | null;
      readonly status?: 'open' | 'closed' | null;
      readonly tags?: readonly ('vip' | 'new')[] | null;
      readonly settings?: { readonly theme: string } | null;
      readonly anything?: JsonValue;
    }>();
    expectTypeOf<CreateInput<Schema, 'order'>>().toEqualTypeOf<{ readonly id?: string; readonly account: string }>();
    expectTypeOf<CreateInput<Schema, 'orderLine'>>().toEqualTypeOf<{ readonly id?: string; readonly order: string; readonly product?: string | null }>();
  });

  test('of an update have any device field, all of them optional', () => {
    expectTypeOf<UpdateInput<Schema, 'order'>>().toEqualTypeOf<{ readonly account?: string | null }>();
    expectTypeOf<UpdateInput<Schema, 'orderLine'>>().toEqualTypeOf<{ readonly order?: string | null; readonly product?: string | null }>();
    expectTypeOf<{ visitedAt: Date; status: 'open'; tags: ['vip'] }>().toExtend<UpdateInput<Schema, 'account'>>();
    expectTypeOf<{ status: 'other' }>().not.toExtend<UpdateInput<Schema, 'account'>>();
    expectTypeOf<{ size: string }>().not.toExtend<UpdateInput<Schema, 'account'>>();
    expectTypeOf<'serverId'>().not.toExtend<keyof UpdateInput<Schema, 'account'>>();
    expectTypeOf<'id'>().not.toExtend<keyof UpdateInput<Schema, 'account'>>();
  });
});

describe('a schema', () => {
  test('is plain data that survives cloning to a worker', () => {
    expect(structuredClone(schema)).toEqual(schema);
  });

  test('carries what its fields were declared with', () => {
    expect(schema.objects.account.fields.notes).toEqual({ type: 'textKeepingEmpty', owner: 'device', required: false });
    expect(schema.objects.account.fields.size).toEqual({ type: 'integer', owner: 'device', required: true, min: 0 });
    expect(schema.objects.account.fields.status).toEqual({ type: 'picklist', owner: 'device', required: false, options: ['open', 'closed'] });
    expect(schema.objects.order.fields.number).toEqual({ type: 'text', owner: 'auto-number', required: false, prefix: 'O-' });
    expect(schema.objects.order.fields.total).toEqual({ type: 'decimal', owner: 'server', required: false });
    expect(schema.objects.orderLine.fields.order).toEqual({ type: 'reference', owner: 'device', required: true, target: 'order', parent: true, group: true });
    expect([recordId(), created(), lastModified()].map(({ owner, type }) => [owner, type])).toEqual([['record-id', 'text'], ['created', 'dateTime'], ['last-modified', 'dateTime']]);
  });

  describe('is named by its content', () => {
    const hashOf = (fields: Record<string, Field>, mode?: 'checked' | 'override') => defineSchema({ version: 1, objects: { a: { ...(mode ? { mode } : {}), fields }, b: { fields: { x: text() } } } }).hash;
    const base = hashOf({ name: text({ max: 10 }), size: integer() });

    test('whatever the version and the order in which options are written', () => {
      expect(hashOf({ name: { max: 10, required: false, owner: 'device', type: 'text' }, size: integer() })).toBe(base);
      expect(defineSchema({ version: 9, objects: { a: { fields: { name: text({ max: 10 }), size: integer() } }, b: { fields: { x: text() } } } }).hash).toBe(base);
      expect(hashOf({ name: text({ max: 10 }), size: integer() }, 'checked')).toBe(base);
      expect(base).toMatch(/^[0-9a-f]{16}$/);
    });

    test.each<[string, Record<string, Field>, 'override'?]>([
      ['another order of fields', { size: integer(), name: text({ max: 10 }) }],
      ['another type', { name: text({ max: 10, emptyText: 'keep' }), size: integer() }],
      ['another name', { named: text({ max: 10 }), size: integer() }],
      ['another limit', { name: text({ max: 11 }), size: integer() }],
      ['another owner', { name: text({ max: 10 }), size: serverOwned(integer()) }],
      ['a required field', { name: text({ max: 10, required: true }), size: integer() }],
      ['another mode', { name: text({ max: 10 }), size: integer() }, 'override'],
    ])('and %s is another one', (_case, fields, mode) => {
      expect(hashOf(fields, mode)).not.toBe(base);
    });
  });

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, text()]));
  const one = (fields: Record<string, Field>, name = 'a'): SchemaDefinition => ({ version: 1, objects: { [name]: { fields } } });

  test.each<[string, SchemaDefinition, string]>([
    ['version 0', { version: 0, objects: one({ x: text() }).objects }, 'version'],
    ['a version that is no whole number', { version: 1.5, objects: one({ x: text() }).objects }, 'version'],
    ['no objects', { version: 1, objects: {} }, 'objects'],
    ['too many objects', { version: 1, objects: Object.fromEntries(Object.keys(many(501)).map((name) => [name, { fields: { x: text() } }])) }, 'objects'],
    ['an object without fields', one({}), 'a'],
    ['too many fields', one(many(501)), 'a'],
    ['an object name with a space', one({ x: text() }, 'my object'), 'my object'],
    ['an object name that begins with a digit', one({ x: text() }, '1a'), '1a'],
    ['an object name that is too long', one({ x: text() }, 'a'.repeat(SCHEMA_LIMITS.nameLength + 1)), 'a'.repeat(SCHEMA_LIMITS.nameLength + 1)],
    ['a field without a name', one({ '': text() }), 'a.'],
    ['a field name with a line end', one({ 'x\ny': text() }), 'a.x\ny'],
    ['a field name that is half a surrogate pair', one({ '\ud800': text() }), 'a.\ud800'],
    ['a field name that is too long', one({ ['x'.repeat(SCHEMA_LIMITS.nameLength + 1)]: text() }), `a.${'x'.repeat(SCHEMA_LIMITS.nameLength + 1)}`],
    ['a field named __proto__', one(JSON.parse('{"__proto__": {"type": "text", "owner": "device", "required": false}}') as Record<string, Field>), 'a.__proto__'],
    ['a field named id', one({ id: text() }), 'a.id'],
    ['an unknown type', one({ x: { type: 'money', owner: 'device', required: false } as unknown as Field }), 'a.x'],
    ['a type that every object inherits', one({ x: { type: 'toString', owner: 'device', required: false } as unknown as Field }), 'a.x'],
    ['a reference to no object', one({ x: reference('b') }), 'a.x'],
    ['a reference to what every object inherits', one({ x: reference('constructor') }), 'a.x'],
    ['two parents', one({ x: parent('a'), y: parent('a') }), 'a.y'],
    ['a picklist without options', one({ x: picklist() }), 'a.x'],
    ['a picklist with an option twice', one({ x: picklist('o', 'o') }), 'a.x'],
    ['a picklist with an empty option', one({ x: multiPicklist('o', '') }), 'a.x'],
    ['an unknown mode', { version: 1, objects: { a: { mode: 'merge' as 'checked', fields: { x: text() } } } }, 'a'],
  ])('is refused with %s, and the fault names the place', (_case, definition, path) => {
    expect(() => defineSchema(definition)).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID', details: { path } }));
  });

  test('may name fields as the columns of tables that exist already', () => {
    expect(() => defineSchema(one({ 'Größe (cm)': text(), 'order-date': date(), constructor: text(), '1': text(), '漢字': text() }))).not.toThrow();
    expect(() => defineSchema(one(many(SCHEMA_LIMITS.fields)))).not.toThrow();
  });
});
