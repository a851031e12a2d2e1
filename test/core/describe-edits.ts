import { describe, expect, test } from 'vitest';
import type { Core, EditValues } from '../../src/core/core.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { decodeRow, encodeRow, encodeValue, joinRow } from '../../src/protocol/row.ts';
import { bytesEqual, concatBytes } from '../../src/shared/bytes.ts';
import { hex } from './hex.ts';

const ORDER = createLayout('order', [
  { name: 'name', type: 'text' },
  { name: 'amount', type: 'number' },
  { name: 'tags', type: 'multiPicklist' },
]);

const row = (values: Record<string, unknown>): Uint8Array => encodeRow(ORDER, values);

/** An edit of the name alone; nil stands for no value. */
function renaming(previous: string | null, next: string | null): EditValues {
  const valueOf = (name: string | null): Uint8Array => joinRow([encodeValue('text', name, 'name')]);
  return { mask: hex('01'), previous: valueOf(previous), next: valueOf(next) };
}

const invalid = expect.objectContaining({ code: 'CORE_INPUT_INVALID' }) as Error;

/** Difference, check and merge of rows: comparisons of bytes, field by field. */
export function describeEdits(getCore: () => Core): void {
  describe('the difference of two rows', () => {
    const before = row({ name: 'a', amount: 5, tags: ['x', 'y'] });

    test('is empty when they are equal', () => {
      expect(getCore().diffRows(ORDER, before, before.slice())).toEqual(hex('00'));
    });

    test('names each field whose bytes differ', () => {
      expect(getCore().diffRows(ORDER, before, row({ name: 'b', amount: 5, tags: ['x', 'y'] }))).toEqual(hex('01'));
      expect(getCore().diffRows(ORDER, before, row({ name: 'a', amount: 6, tags: ['x', 'y'] }))).toEqual(hex('02'));
      expect(getCore().diffRows(ORDER, before, row({ name: 'a', amount: 5, tags: ['x', 'z'] }))).toEqual(hex('04'));
      expect(getCore().diffRows(ORDER, before, row({}))).toEqual(hex('07'));
    });

    test('goes on behind a value that grew or shrank', () => {
      expect(getCore().diffRows(ORDER, before, row({ name: 'a longer name than before', amount: 5, tags: ['x', 'y'] }))).toEqual(hex('01'));
      expect(getCore().diffRows(ORDER, before, row({ amount: 5, tags: ['x'] }))).toEqual(hex('05'));
    });

    test('does not take a value for another that begins with it', () => {
      expect(getCore().diffRows(ORDER, row({ tags: ['x'] }), row({ tags: ['x', 'y'] }))).toEqual(hex('04'));
    });

    test('sees a difference at any byte of a value of any length, and so does a check', () => {
      for (let length = 1; length <= 40; length++) {
        for (let place = 0; place < length; place++) {
          const name = 'a'.repeat(length), changed = `${'a'.repeat(place)}b${'a'.repeat(length - place - 1)}`;
          expect(getCore().diffRows(ORDER, row({ name, amount: 1 }), row({ name: changed, amount: 1 }))).toEqual(hex('01'));
          expect(getCore().checkEdit(ORDER, renaming(changed, 'new'), row({ name })).hasConflicts).toBe(true);
          expect(getCore().checkEdit(ORDER, renaming('old', changed), row({ name })).hasConflicts).toBe(true);
        }
      }
    });

    test('steps over values with hundreds of members', () => {
      const notes = createLayout('note', [{ name: 'content', type: 'json' }, { name: 'title', type: 'text' }]);
      const content = {
        list: Array.from({ length: 70_000 }, (_, index) => index),
        map: Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`key ${index}`, [index]])),
      };
      const note = encodeRow(notes, { content, title: 'a' });
      expect(getCore().diffRows(notes, note, encodeRow(notes, { content, title: 'b' }))).toEqual(hex('02'));
      expect(getCore().diffRows(notes, note, encodeRow(notes, { content: { ...content, list: [] }, title: 'a' }))).toEqual(hex('01'));
    });

    test('has a bit for every field of a wide layout', () => {
      const wide = createLayout('wide', Array.from({ length: 17 }, (_, index) => ({ name: `f${index}`, type: 'integer' as const })));
      expect(getCore().diffRows(wide, encodeRow(wide, { f0: 1, f8: 1, f16: 1 }), encodeRow(wide, { f0: 1, f8: 2, f16: 2 }))).toEqual(hex('00 01 01'));
    });

    test.each([
      ['a row with too few values', '92 a161 05'],
      ['a row that is cut', '93 a161 05'],
      ['a row with something behind it', '93 a161 05 c0 c0'],
      ['no array', 'c0'],
      ['no bytes', ''],
      ['a value of no known kind', '93 a161 c1 c0'],
      ['an array that claims 2^32 - 1 members', '93 a161 05 dd ffffffff'],
    ])('is a fault for %s', (_, bytes) => {
      expect(() => getCore().diffRows(ORDER, hex(bytes), before)).toThrow(invalid);
      expect(() => getCore().diffRows(ORDER, before, hex(bytes))).toThrow(invalid);
    });
  });

  describe('the difference of many rows', () => {
    const rows = Array.from({ length: 6_000 }, (_, index) => row({ name: `record ${index}`, amount: index, tags: [`${index % 7}`, 'zz'] }));
    const others = rows.map((before, index) =>
      index % 10 === 3 ? row({ name: `somebody else's record ${index}`, amount: index, tags: [`${index % 7}`, 'zz'] }) : before,
    );

    test('is that of each pair, in order', () => {
      const expected = Uint8Array.from(rows, (before, index) => (bytesEqual(before, others[index]!) ? 0 : 1));
      expect(getCore().diffBatch(ORDER, rows.length, concatBytes(rows), concatBytes(others))).toEqual(expected);
    });

    test('takes rows larger than any window on them', () => {
      const large = [row({ name: 'x'.repeat(300_000), amount: 1 }), row({ name: 'y'.repeat(700_000), amount: 2 }), row({ amount: 3 })];
      const changed = [row({ name: 'x'.repeat(300_000), amount: 2 }), row({ amount: 2 }), row({ amount: 3 })];
      expect(getCore().diffBatch(ORDER, 3, concatBytes(large), concatBytes(changed))).toEqual(hex('02 01 00'));
    });

    test('is the same where it is told where each row ends', () => {
      const [before, after] = [concatBytes(rows), concatBytes(others)];
      const ends = { before: endsOf(rows), after: endsOf(others) };
      expect(getCore().diffBatch(ORDER, rows.length, before, after, ends)).toEqual(getCore().diffBatch(ORDER, rows.length, before, after));
      const large = [row({ name: 'x'.repeat(300_000), amount: 1 }), row({ amount: 3 })], changed = [row({ amount: 1 }), row({ amount: 3 })];
      const masks = getCore().diffBatch(ORDER, 2, concatBytes(large), concatBytes(changed), { before: endsOf(large), after: endsOf(changed) });
      expect(masks).toEqual(hex('01 00'));
      expect(getCore().diffBatch(ORDER, 0, hex(''), hex(''), { before: endsOf([]), after: endsOf([]) })).toEqual(hex(''));
    });

    test('is a fault when rows do not end where it is told', () => {
      const pair = rows.slice(0, 2), changed = others.slice(2, 4);
      const [before, after] = [concatBytes(pair), concatBytes(changed)];
      const [first, second] = [...endsOf(pair)] as [number, number];
      const diff = (ends: number[], count = 2) => getCore().diffBatch(ORDER, count, before, after, { before: Uint32Array.from(ends), after: endsOf(changed) });
      expect(diff([first, second])).toEqual(hex('07 07'));
      for (const ends of [[first], [first, second - 1], [first, second, second], [first - 1, second], [first + 1, second], [second + 1, second], [0xffffffff, second]]) {
        expect(() => diff(ends)).toThrow(invalid);
      }
      expect(() => diff([first, second], 1)).toThrow(invalid);
    });

    test('is nothing for no pairs', () => {
      expect(getCore().diffBatch(ORDER, 0, hex(''), hex(''))).toEqual(hex(''));
    });

    test('is a fault when either side has fewer or more rows', () => {
      const [two, three] = [concatBytes(rows.slice(0, 2)), concatBytes(rows.slice(0, 3))];
      for (const [before, after] of [[two, three], [three, two], [two, two]] as const) {
        expect(() => getCore().diffBatch(ORDER, 3, before, after)).toThrow(invalid);
      }
      expect(() => getCore().diffBatch(ORDER, 2, three, three)).toThrow(invalid);
      expect(() => getCore().diffBatch(ORDER, 0, two, hex(''))).toThrow(invalid);
    });
  });

  describe('the check of an edit', () => {
    const checkName = (previous: string | null, next: string | null, current: string | null): string => {
      const { writes, conflicts } = getCore().checkEdit(ORDER, renaming(previous, next), row({ name: current, amount: 1 }));
      return writes[0] === 1 ? 'write' : conflicts[0] === 1 ? 'conflict' : 'already equal';
    };

    type Name = string | null;
    test.each([
      ['write', 'old', 'new', 'old', 'the current value is the previous one'],
      ['already equal', 'old', 'new', 'new', 'the current value is the new one'],
      ['conflict', 'old', 'new', 'other', 'the current value is neither'],
      ['already equal', 'old', 'old', 'old', 'nothing changed'],
      ['conflict', 'old', 'old', 'other', 'nothing changed, and the current value is another'],
      ['write', null, 'new', null, 'there was no value, and there is none'],
      ['conflict', null, 'new', 'other', 'there was no value, and there is one'],
      ['write', 'old', null, 'old', 'the value is taken away'],
      ['already equal', 'old', null, null, 'the value is gone already'],
      ['conflict', 'old', 'new', null, 'the value is gone, and another is to be set'],
    ] as readonly [string, Name, Name, Name, string][])('A19: says "%s" for %s → %s against %s: %s', (expected, previous, next, current) => {
      expect(checkName(previous, next, current)).toBe(expected);
    });

    test('judges each field by itself', () => {
      const edit = { mask: hex('07'), previous: hex('93 a3 6f6c64 05 c0'), next: hex('93 a3 6e6577 06 91 a162') };
      expect(getCore().checkEdit(ORDER, edit, row({ name: 'new', amount: 5, tags: ['a'] }))).toEqual({
        conflicts: hex('04'),
        writes: hex('02'),
        hasConflicts: true,
        hasWrites: true,
      });
    });

    test('looks at edited fields only', () => {
      const edit = { mask: hex('02'), previous: hex('91 05'), next: hex('91 06') };
      expect(getCore().checkEdit(ORDER, edit, row({ name: 'whatever', amount: 5 }))).toEqual({
        conflicts: hex('00'),
        writes: hex('02'),
        hasConflicts: false,
        hasWrites: true,
      });
    });

    test('of many edits goes window by window, and gives each its answer', () => {
      const count = 6_000;
      const edits = Array.from({ length: count }, (_, index) => renaming(`name ${index}`, `new name ${index}`));
      const current = edits.map((_, index) =>
        row({ name: [`name ${index}`, `new name ${index}`, 'other'][index % 3], tags: ['x'.repeat(index % 90)].filter(Boolean) }),
      );
      const joined = {
        mask: concatBytes(edits.map(({ mask }) => mask)),
        previous: concatBytes(edits.map(({ previous }) => previous)),
        next: concatBytes(edits.map(({ next }) => next)),
      };
      const check = getCore().checkBatch(ORDER, count, joined, concatBytes(current));
      expect(check.writes).toEqual(Uint8Array.from(edits, (_, index) => (index % 3 === 0 ? 1 : 0)));
      expect(check.conflicts).toEqual(Uint8Array.from(edits, (_, index) => (index % 3 === 2 ? 1 : 0)));
    });

    test.each([
      ['a mask of another size', { mask: hex('0100') }],
      ['a mask with a bit beyond the last field', { mask: hex('09'), previous: hex('92c0c0'), next: hex('92c0c0') }],
      ['fewer previous values than edited fields', { previous: hex('90') }],
      ['more new values than edited fields', { next: hex('92 c0 c0') }],
      ['values that are cut', { next: hex('91 a5 61') }],
      ['something behind the values', { previous: hex('91 c0 c0') }],
    ] as readonly [string, Partial<EditValues>][])('is a fault for %s', (_, part) => {
      expect(() => getCore().checkEdit(ORDER, { ...renaming('a', 'b'), ...part }, row({}))).toThrow(invalid);
    });
  });

  describe('an applied edit', () => {
    const current = row({ name: 'old', amount: 5, tags: ['a'] });
    const edit = { mask: hex('07'), previous: hex('93 c0 c0 c0'), next: hex('93 a3 6e6577 06 c0') };

    test('sets the fields asked for and keeps the others', () => {
      expect(decodeRow(ORDER, getCore().applyEdit(ORDER, edit, hex('05'), current))).toEqual({ name: 'new', amount: 5, tags: null });
      expect(decodeRow(ORDER, getCore().applyEdit(ORDER, edit, hex('02'), current))).toEqual({ name: 'old', amount: 6, tags: ['a'] });
    });

    test('without fields is the current row', () => {
      expect(getCore().applyEdit(ORDER, edit, hex('00'), current)).toEqual(current);
    });

    test('does not change the rows that it was made of', () => {
      const before = current.slice();
      const result = getCore().applyEdit(ORDER, edit, hex('07'), current);
      result.fill(0);
      expect(current).toEqual(before);
    });

    test('can grow a row beyond the memory that the core begins with', () => {
      const long = renaming('old', 'x'.repeat(500_000));
      const name = decodeRow(ORDER, getCore().applyEdit(ORDER, long, hex('01'), current)).name;
      expect(name === 'x'.repeat(500_000)).toBe(true);
    });

    test('is a fault for fields that the edit does not have', () => {
      expect(() => getCore().applyEdit(ORDER, renaming('old', 'new'), hex('02'), current)).toThrow(invalid);
      expect(() => getCore().applyEdit(ORDER, renaming('old', 'new'), hex('0100'), current)).toThrow(invalid);
    });

    test('is a fault for bytes that are no row of the layout', () => {
      for (const bytes of ['92 c0 c0', '93 c0 c0', '93 c0 c0 c0 c0', '']) {
        expect(() => getCore().applyEdit(ORDER, edit, hex('07'), hex(bytes))).toThrow(invalid);
      }
    });
  });
}

function endsOf(rows: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(rows, ({ length }) => (end += length));
}
