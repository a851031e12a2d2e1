import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldType } from '../../src/protocol/field.ts';
import { decodeValue, encodeValue } from '../../src/protocol/row.ts';
import { canonicalValue, VALUE_LIMITS } from '../../src/protocol/value.ts';
import { bytesToHex, utf8 } from '../../src/shared/bytes.ts';
import { isFault } from '../../src/shared/fault.ts';

const TYPES: readonly FieldType[] = [
  'text', 'textKeepingEmpty', 'integer', 'number', 'decimal', 'boolean', 'date', 'dateTime', 'picklist', 'multiPicklist', 'reference', 'json',
];

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

const withoutPrototype = Object.assign(Object.create(null) as object, { b: 1, a: 2 });
class Money {
  readonly amount = 1;
}
// eslint-disable-next-line no-sparse-arrays
const holes = ['a', , 'b'];

// [what a host gives, what it becomes]
const ACCEPTED: Readonly<Record<FieldType, readonly (readonly [given: unknown, canonical: unknown])[]>> = {
  text: [['a', 'a'], ['', null], [' ', ' '], ['é', 'é'], ['e\u0301', 'e\u0301'], ['😀', '😀'], ['\u0000', '\u0000'], ['\uFEFFx', '\uFEFFx']],
  textKeepingEmpty: [['a', 'a'], ['', '']],
  integer: [[0, 0], [-0, 0], [7, 7], [7.0, 7], [2 ** 53 - 1, 2 ** 53 - 1], [-(2 ** 53 - 1), -(2 ** 53 - 1)]],
  number: [[0.1, 0.1], [-0, 0], [5e-324, 5e-324], [1.7976931348623157e308, 1.7976931348623157e308], [2 ** 53, 2 ** 53], [3, 3]],
  decimal: [
    ['12.5', '12.5'], ['12.50', '12.5'], ['012.5', '12.5'], ['+12.5', '12.5'], ['-12.5', '-12.5'], ['0', '0'], ['-0', '0'], ['-0.00', '0'],
    ['000', '0'], ['0.10', '0.1'], ['1'.repeat(60), '1'.repeat(60)], [`${'0'.repeat(99)}1`, '1'], ['-0.001', '-0.001'],
  ],
  boolean: [[true, true], [false, false]],
  date: [['2026-11-21', '2026-11-21'], ['2024-02-29', '2024-02-29'], ['2000-02-29', '2000-02-29'], ['0000-01-01', '0000-01-01'], ['9999-12-31', '9999-12-31']],
  dateTime: [
    ['2026-11-21T08:30:00.000Z', '2026-11-21T08:30:00.000Z'],
    ['2026-11-21T08:30Z', '2026-11-21T08:30:00.000Z'],
    ['2026-11-21T08:30:05Z', '2026-11-21T08:30:05.000Z'],
    ['2026-11-21T08:30:05.1Z', '2026-11-21T08:30:05.100Z'],
    ['2026-11-21T08:30:05.120000Z', '2026-11-21T08:30:05.120Z'],
    ['2026-11-21T08:30:00.000+01:00', '2026-11-21T07:30:00.000Z'],
    ['2026-11-21T23:30:00-05:30', '2026-11-22T05:00:00.000Z'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(-1), '1969-12-31T23:59:59.999Z'],
    ['0000-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z'],
    ['0099-03-01T00:00:00.000Z', '0099-03-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ],
  picklist: [['open', 'open'], ['', null]],
  multiPicklist: [[['b', 'a', 'b'], ['a', 'b']], [[], null], [['\uFFFD', '😀'], ['\uFFFD', '😀']], [['😀', '\uFFFD'], ['\uFFFD', '😀']]],
  reference: [['a1b2', 'a1b2'], ['', null]],
  json: [
    [1, 1], [-0, 0], ['', ''], [true, true], [[], []], [{}, {}], [[null, [1.5]], [null, [1.5]]], [withoutPrototype, { a: 2, b: 1 }],
    [{ b: undefined, a: null }, { a: null }], [nested(VALUE_LIMITS.jsonDepth), nested(VALUE_LIMITS.jsonDepth)], [{ '': 1 }, { '': 1 }],
  ],
};

const REFUSED: Readonly<Record<FieldType, readonly unknown[]>> = {
  text: [1, true, ['a'], {}, '\ud800', 'a\udc00b', '\udc00\ud800', new Date(0)],
  textKeepingEmpty: [1, '\ud800'],
  integer: [1.5, 2 ** 53, -(2 ** 53), Number.NaN, Infinity, '1', true, 1n],
  number: [Number.NaN, Infinity, -Infinity, '1', 1n, true],
  decimal: [12.5, '', '.5', '5.', '1e3', '1,5', ' 1', '1\n', '--1', '0x1', '١', 'Infinity', '1'.repeat(61), `0.${'1'.repeat(60)}`],
  boolean: [0, 1, 'true', ''],
  date: ['', '2026-11-31', '2026-02-29', '1900-02-29', '2026-13-01', '2026-00-01', '2026-01-00', '26-01-01', '2026-1-1', '2026-11-21T00:00:00Z', '2026-11-21\n', '+2026-11-21', '10000-01-01', 20261121, new Date(0)],
  dateTime: [
    '', '2026-11-21', '2026-11-21T08:30:00', '2026-11-21 08:30:00Z', '2026-11-21t08:30:00z', '2026-11-21T24:00:00Z', '2026-11-21T08:60:00Z', '2026-11-21T08:30:60Z',
    '2026-02-30T00:00:00Z', '2026-11-21T08:30:00.1234Z', '2026-11-21T08:30:00.Z', '2026-11-21T08:30:00+24:00', '2026-11-21T08:30:00+01:60', '2026-11-21T08:30:00+0100',
    '0000-01-01T00:00:00+00:01', '9999-12-31T23:59:59.999-00:01', '10000-01-01T00:00:00Z', new Date(Number.NaN), new Date(VALUE_LIMITS.lastInstantMs + 1), new Date(VALUE_LIMITS.firstInstantMs - 1), 0,
  ],
  picklist: [1, ['open'], '\ud800'],
  multiPicklist: ['a', ['a', ''], ['a', 1], [null], ['\ud800'], holes, new Set(['a'])],
  reference: [1, '\ud800'],
  json: [Number.NaN, Infinity, 1n, () => 1, Symbol('s'), new Date(0), new Map(), new Set(), new Money(), new Uint8Array(1), /x/, [undefined], holes, '\ud800', { '\ud800': 1 }, [[Number.NaN]], nested(VALUE_LIMITS.jsonDepth + 1)],
};

describe('canonical values', () => {
  describe.each(TYPES)('of type %s', (type) => {
    test.each(ACCEPTED[type])('bring %o into their one form', (given, canonical) => {
      expect(canonicalValue(type, given, 'object.field')).toStrictEqual(canonical);
    });

    test.each(ACCEPTED[type])('are in their form already once they are: %o', (_given, canonical) => {
      expect(canonicalValue(type, canonical, 'object.field')).toStrictEqual(canonical);
    });

    test.each(REFUSED[type].map((value) => [value]))('refuse %o, naming field and value', (given) => {
      let thrown: unknown;
      try {
        canonicalValue(type, given, 'account.name');
      } catch (fault) {
        thrown = fault;
      }
      expect(isFault(thrown, 'VALUE_INVALID')).toBe(true);
      expect(thrown).toMatchObject({ details: { field: 'account.name', value: expect.any(String) as string } });
      expect((thrown as Error).message).toMatch(/^account\.name .+; got /s);
    });

    test('hold null and undefined as no value', () => {
      expect(canonicalValue(type, null, 'f')).toBeNull();
      expect(canonicalValue(type, undefined, 'f')).toBeNull();
    });
  });

  test('show no more than the beginning of a long text in a fault', () => {
    expect(() => canonicalValue('integer', 'secret'.repeat(1_000), 'f')).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/.{120}/) as string }));
  });

  test('refuse json that holds itself', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => canonicalValue('json', cyclic, 'f')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });

  test('take texts up to a megabyte of UTF-8, counted in bytes', () => {
    const most = VALUE_LIMITS.textBytes;
    const thirds = Math.floor(most / 3);
    for (const text of ['x'.repeat(most), '漢'.repeat(thirds)]) expect(canonicalValue('text', text, 'f') === text).toBe(true);
    for (const text of ['x'.repeat(most + 1), '漢'.repeat(thirds + 1)]) {
      expect(() => canonicalValue('text', text, 'f')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
      expect(() => canonicalValue('json', [text], 'f')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
    }
  });

  test('tell zero from minus zero nowhere', () => {
    for (const type of ['integer', 'number', 'json'] as const) expect(Object.is(canonicalValue(type, -0, 'f'), 0)).toBe(true);
  });
});

const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('\ud800', '\udfff', '\uFFFF', '\uE000', '😀', '\u0000')), maxLength: 30 });
const anyKey = fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10', '2', '-1', '01'), fc.nat(300).map(String));
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, undefined, true, false, -0),
    fc.double(),
    fc.maxSafeInteger(),
    anyText,
    fc.array(tie('json'), { maxLength: 20 }),
    fc.array(fc.tuple(anyKey, tie('json')), { maxLength: 20 }).map(fromEntries),
  ),
}));

/** As an object with own properties only, `__proto__` among them. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  return object;
}

const VALUES: Readonly<Record<FieldType, fc.Arbitrary<unknown>>> = {
  text: anyText,
  textKeepingEmpty: anyText,
  integer: fc.oneof(fc.maxSafeInteger(), fc.double(), fc.constantFrom(0, -0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1)),
  number: fc.oneof(fc.double(), fc.maxSafeInteger(), fc.float()),
  decimal: fc.oneof(fc.stringMatching(/^[+-]?\d{1,40}(\.\d{1,30})?$/), anyText),
  boolean: fc.boolean(),
  date: fc.oneof(fc.date({ noInvalidDate: false }).map((date) => (Number.isNaN(date.getTime()) ? 'never' : date.toISOString().slice(0, 10))), anyText),
  dateTime: fc.oneof(fc.date({ noInvalidDate: false }), fc.stringMatching(/^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(:[0-5]\d(\.\d{1,4})?)?(Z|[+-][0-2]\d:[0-5]\d)$/)),
  picklist: anyText,
  multiPicklist: fc.array(anyText, { maxLength: 20 }),
  reference: anyText,
  json,
};

describe('the encoding of a value', () => {
  test.each(TYPES)('of type %s comes back as its canonical form, or is refused before', (type) => {
    fc.assert(
      fc.property(VALUES[type], (given) => {
        let canonical: unknown;
        try {
          canonical = canonicalValue(type, given, 'f');
        } catch (thrown) {
          expect(() => encodeValue(type, given, 'f')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
          return isFault(thrown, 'VALUE_INVALID');
        }
        const bytes = encodeValue(type, given, 'f');
        expect(decodeValue(type, bytes)).toEqual(canonical);
        // One value has one encoding: what came out goes in again as the same bytes.
        expect(encodeValue(type, canonical, 'f')).toEqual(bytes);
        return true;
      }),
      { numRuns: 500 },
    );
  });

  test('is equal for equal json, whatever the order of its keys', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer()), { selector: ([key]) => key, maxLength: 20 }), (entries) => {
        const forwards = encodeValue('json', fromEntries(entries), 'f');
        const backwards = encodeValue('json', fromEntries([...entries].reverse()), 'f');
        expect(forwards).toEqual(backwards);
      }),
    );
  });

  test('sorts keys of json by their UTF-8 bytes: integer-like and astral ones too', () => {
    const keys = ['😀', '\uFFFD', '10', '2', '1', 'b', 'a', '__proto__', ''];
    const bytes = encodeValue('json', fromEntries(keys.map((key) => [key, 1])), 'f');
    const sorted = [...keys].sort((left, right) => Buffer.compare(utf8(left), utf8(right)));
    expect(sorted).toEqual(['', '1', '10', '2', '__proto__', 'a', 'b', '\uFFFD', '😀']);
    const expected = [0x80 + sorted.length, ...sorted.flatMap((key) => [0xa0 + utf8(key).length, ...utf8(key), 1])];
    expect([...bytes]).toEqual(expected);
  });

  test('keeps a key named __proto__ as data and touches no prototype', () => {
    const given = JSON.parse('{"__proto__": {"isAdmin": true}, "a": 1}') as object;
    const back = decodeValue('json', encodeValue('json', given, 'f')) as object;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.entries(back)).toEqual([['__proto__', { isAdmin: true }], ['a', 1]]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  // Golden: a server in another language must produce the same.
  test.each<[FieldType, unknown, string]>([
    ['text', null, 'c0'],
    ['text', '', 'c0'],
    ['textKeepingEmpty', '', 'a0'],
    ['text', 'é', 'a2c3a9'],
    ['text', 'x'.repeat(32), `d920${'78'.repeat(32)}`],
    ['text', 'x'.repeat(256), `da0100${'78'.repeat(256)}`],
    ['integer', 0, '00'],
    ['integer', 127, '7f'],
    ['integer', 128, 'cc80'],
    ['integer', 256, 'cd0100'],
    ['integer', 65_536, 'ce00010000'],
    ['integer', 2 ** 32, 'cf0000000100000000'],
    ['integer', 2 ** 53 - 1, 'cf001fffffffffffff'],
    ['integer', -1, 'ff'],
    ['integer', -32, 'e0'],
    ['integer', -33, 'd0df'],
    ['integer', -129, 'd1ff7f'],
    ['integer', -32_769, 'd2ffff7fff'],
    ['integer', -(2 ** 31) - 1, 'd3ffffffff7fffffff'],
    ['integer', -(2 ** 53 - 1), 'd3ffe0000000000001'],
    ['number', 0.5, 'cb3fe0000000000000'],
    ['number', 3, '03'],
    ['number', 2 ** 53, 'cb4340000000000000'],
    ['decimal', '12.50', 'a431322e35'],
    ['boolean', true, 'c3'],
    ['boolean', false, 'c2'],
    ['date', '2026-11-21', 'aa323032362d31312d3231'],
    ['dateTime', '1970-01-01T00:00:00.001Z', '01'],
    ['dateTime', '2026-11-21T08:30:00.000Z', 'cf000001a1fd3a0340'],
    ['dateTime', '1969-12-31T23:59:59.999Z', 'ff'],
    ['multiPicklist', ['b', 'a'], '92a161a162'],
    ['json', { b: [1, null], a: 'x' }, '82a161a178a1629201c0'],
    ['json', [], '90'],
    ['json', {}, '80'],
  ])('of type %s writes %o as %s', (type, value, hex) => {
    expect(bytesToHex(encodeValue(type, value, 'f'))).toBe(hex);
  });
});
