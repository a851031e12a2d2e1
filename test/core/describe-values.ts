import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/core/core.ts';
import type { FieldType } from '../../src/protocol/field.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { hex } from './hex.ts';
import { VALUE_EXAMPLES } from './value-examples.ts';

/** Which bytes are a canonical value of each type, and what a row is. */
export function describeValues(getCore: () => Core): void {
  for (const [type, { accepted, refused }] of Object.entries(VALUE_EXAMPLES)) {
    describe(`a ${type} field`, () => {
      const layout = createLayout('account', [{ name: 'value', type: type as FieldType }]);
      for (const [value, bytes] of Object.entries(accepted)) {
        test(`accepts ${value}`, () => {
          expect(getCore().validateRow(layout, hex(`91 ${bytes}`))).toEqual({ ok: true });
        });
      }
      for (const [value, [bytes, status]] of Object.entries(refused)) {
        test(`refuses ${value}: ${status}`, () => {
          expect(getCore().validateRow(layout, hex(`91 ${bytes}`))).toMatchObject({ ok: false, status });
        });
      }
    });
  }

  describe('a row', () => {
    const layout = createLayout('account', [{ name: 'name', type: 'text' }, { name: 'amount', type: 'integer' }]);
    const validate = (bytes: string): unknown => getCore().validateRow(layout, hex(bytes));

    test('has one value per field', () => {
      expect(validate('92 a161 05')).toEqual({ ok: true });
      expect(validate('91 a161')).toEqual({ ok: false, status: 'wrong-field-count', offset: 0 });
      expect(validate('93 a161 05 c0')).toEqual({ ok: false, status: 'wrong-field-count', offset: 0 });
    });

    test('is an array with the shortest header', () => {
      expect(validate('dc 0002 a161 05')).toEqual({ ok: false, status: 'not-canonical', offset: 0 });
      expect(validate('82 a161 05')).toMatchObject({ ok: false, status: 'unexpected-type' });
      expect(validate('c0')).toMatchObject({ ok: false, status: 'unexpected-type' });
    });

    test('ends with its last value', () => {
      expect(validate('92 a161 05 c0')).toEqual({ ok: false, status: 'trailing-bytes', offset: 4 });
    });

    test('is refused at the value that is not canonical', () => {
      expect(validate('92 a161 cc05')).toEqual({ ok: false, status: 'not-canonical', offset: 3 });
      expect(validate('92 a161')).toEqual({ ok: false, status: 'truncated', offset: 3 });
      expect(validate('')).toEqual({ ok: false, status: 'truncated', offset: 0 });
    });

    test('does not lend the next value\'s bytes to a character that is cut', () => {
      const names = createLayout('account', [{ name: 'first', type: 'text' }, { name: 'last', type: 'text' }]);
      // e2 82 ac would be a euro sign; ac begins the second text.
      expect(getCore().validateRow(names, hex('92 a2 e282 ac 616161616161616161616161'))).toEqual({ ok: false, status: 'bad-utf8', offset: 1 });
      expect(getCore().validateRow(names, hex('92 a3 f09f98 a1 61'))).toEqual({ ok: false, status: 'bad-utf8', offset: 1 });
    });

    test('of a layout without fields is an empty array', () => {
      expect(getCore().validateRow(createLayout('empty', []), hex('90'))).toEqual({ ok: true });
    });

    test('of 70,000 fields has a five-byte header', () => {
      const wide = createLayout('wide', Array.from({ length: 70_000 }, (_, index) => ({ name: `f${index}`, type: 'boolean' as const })));
      expect(getCore().validateRow(wide, hex(`dd 00011170 ${'c0'.repeat(70_000)}`))).toEqual({ ok: true });
    });
  });
}
