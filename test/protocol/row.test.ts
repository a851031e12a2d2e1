import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldType } from '../../src/protocol/field.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { createMask, decodeRow, encodeRow, isInMask, joinRow, mapRow, maskPositions, NO_VALUE, setInMask, splitRow } from '../../src/protocol/row.ts';
import { bytesToHex } from '../../src/shared/bytes.ts';

function layout(fields: Readonly<Record<string, FieldType>>, object = 'account') {
  return createLayout(object, Object.entries(fields).map(([name, type]) => ({ name, type })));
}

const ACCOUNT = layout({ name: 'text', size: 'integer', since: 'dateTime', tags: 'multiPicklist', extra: 'json' });

describe('rows', () => {
  test('are a list of the values in layout order', () => {
    const row = encodeRow(ACCOUNT, { extra: { a: 1 }, tags: ['y', 'x'], since: new Date(5), size: 3, name: 'N' });
    expect(bytesToHex(row)).toBe('95' + 'a14e' + '03' + '05' + '92a178a179' + '81a16101');
  });

  test('come back as every field of their layout', () => {
    const row = encodeRow(ACCOUNT, { name: 'N', since: '2026-11-21T09:30+01:00' });
    expect(decodeRow(ACCOUNT, row)).toEqual({ name: 'N', size: null, since: '2026-11-21T08:30:00.000Z', tags: null, extra: null });
  });

  test('ignore what is no field of the layout', () => {
    expect(encodeRow(ACCOUNT, { name: 'N', other: 1 })).toEqual(encodeRow(ACCOUNT, { name: 'N' }));
  });

  test('name object and field of a value that they refuse', () => {
    expect(() => encodeRow(ACCOUNT, { size: 1.5 })).toThrow(expect.objectContaining({ code: 'VALUE_INVALID', details: { field: 'account.size', value: '1.5' } }));
  });

  test('take values from the record only, where fields are named like what every object inherits', () => {
    const inherited = createLayout('account', ['constructor', 'toString', 'hasOwnProperty'].map((name) => ({ name, type: 'text' })));
    expect(decodeRow(inherited, encodeRow(inherited, {}))).toEqual({ constructor: null, toString: null, hasOwnProperty: null });
    expect(decodeRow(inherited, encodeRow(inherited, { constructor: 'mine' }))).toMatchObject({ constructor: 'mine' });
  });

  test('give a field named __proto__ from a foreign layout as data', () => {
    const foreign = createLayout('account', [{ name: '__proto__', type: 'json' }]);
    const row = joinRow([Uint8Array.of(0x81, 0xa1, 0x61, 0x01)]);
    const values = decodeRow(foreign, row);
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
    expect(Object.entries(values)).toEqual([['__proto__', { a: 1 }]]);
  });

  test('can be longer than the fifteen values of a short header', () => {
    const wide = layout(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, 'integer' as const])));
    const values = Object.fromEntries(wide.fields.map(({ name }, index) => [name, index * 1_000]));
    expect(decodeRow(wide, encodeRow(wide, values))).toEqual(values);
  });

  test('are cut into values and joined again without a change', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null)), { maxLength: 40 }), (texts) => {
        const columns = layout(Object.fromEntries(texts.map((_, index) => [`f${index}`, 'textKeepingEmpty' as const])));
        const row = encodeRow(columns, Object.fromEntries(texts.map((text, index) => [`f${index}`, text])));
        expect(splitRow(row)).toHaveLength(texts.length);
        expect(joinRow(splitRow(row))).toEqual(row);
      }),
    );
  });
});

describe('a row of another layout', () => {
  const older = layout({ name: 'text', size: 'integer', gone: 'text' });

  test('keeps the fields that both have, by name', () => {
    const newer = layout({ city: 'text', size: 'integer', name: 'text' });
    expect(decodeRow(newer, mapRow(older, newer, encodeRow(older, { name: 'N', size: 3, gone: 'x' })))).toEqual({ city: null, size: 3, name: 'N' });
  });

  test('has no value where the type of a field has changed', () => {
    const newer = layout({ name: 'text', size: 'text' });
    expect(decodeRow(newer, mapRow(older, newer, encodeRow(older, { name: 'N', size: 3 })))).toEqual({ name: 'N', size: null });
  });

  test('is the very same row when nothing has changed', () => {
    const row = encodeRow(older, { name: 'N' });
    expect(mapRow(older, layout({ name: 'text', size: 'integer', gone: 'text' }), row)).toBe(row);
  });
});

describe('masks', () => {
  test('hold any set of fields', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99), { maxLength: 100 }), (positions) => {
        const mask = createMask(layout(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, 'text' as const]))));
        expect(mask).toHaveLength(13);
        for (const position of positions) setInMask(mask, position);
        expect(maskPositions(mask)).toEqual([...positions].sort((left, right) => left - right));
        for (let position = 0; position < 100; position++) expect(isInMask(mask, position)).toBe(positions.includes(position));
      }),
    );
  });

  test('have their first field in the lowest bit, and no field beyond their end', () => {
    const mask = createMask(layout({ a: 'text', b: 'text', c: 'text', d: 'text', e: 'text', f: 'text', g: 'text', h: 'text', i: 'text' }));
    setInMask(mask, 0);
    setInMask(mask, 8);
    expect([...mask]).toEqual([1, 1]);
    expect(isInMask(mask, 99)).toBe(false);
  });

  test('and rows agree on what no value looks like', () => {
    expect(bytesToHex(NO_VALUE)).toBe('c0');
  });
});
