import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareIds,
  countOf,
  findRow,
  firstNotBelow,
  idAt,
  idBytesAt,
  isRowBlock,
  joinBlocks,
  mergeBlocks,
  pickRows,
  rowBlock,
  sliceBlock,
  splitBlock,
  valueAt,
} from '../../src/core/row-block.ts';
import { utf8 } from '../../src/shared/bytes.ts';

// A row block against a plain Map, sorted as JavaScript sorts texts.

/** Ids that share beginnings, at the edges where the orders of UTF-8 and UTF-16 part. */
const id = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '\ud7ff', '\ue000', '～', '\uffff', '\u{10000}', '😀', '\u{10ffff}'), minLength: 1, maxLength: 4 }),
  fc.uuid(),
);
const value = fc.uint8Array({ maxLength: 12 });
const rowsById = fc.array(fc.tuple(id, value), { maxLength: 24 }).map((rows) => new Map(rows));

describe('row block', () => {
  test('gives back the rows that it was made of, in the order of texts', () => {
    check(rowsById, (rows) => {
      const block = blockOf(rows);
      expect(isRowBlock(block)).toBe(true);
      expect(readRows(block)).toEqual(sorted(rows));
    });
  });

  test('is read the same at any place in memory', () => {
    check(fc.tuple(rowsById, fc.integer({ min: 0, max: 7 })), ([rows, offset]) => {
      const block = blockOf(rows);
      const moved = new Uint8Array(block.length + offset).subarray(offset);
      moved.set(block);
      expect(readRows(moved)).toEqual(sorted(rows));
    });
  });

  test('finds each row, and where a row that it lacks would stand', () => {
    check(fc.tuple(rowsById, fc.array(id, { maxLength: 8 })), ([rows, others]) => {
      const block = blockOf(rows);
      const ids = sorted(rows).map(([key]) => key);
      for (const key of [...ids, ...others]) {
        const place = ids.filter((other) => other < key).length;
        expect(firstNotBelow(block, key)).toBe(place);
        expect(firstNotBelow(block, utf8(key), Math.floor(place / 2))).toBe(place);
        expect(findRow(block, key)).toBe(ids.indexOf(key));
      }
    });
  });

  test('merges newer rows in, without those that were removed', () => {
    check(fc.tuple(rowsById, rowsById, rowsById), ([older, newer, removed]) => {
      const pick = [...older.keys()].filter((_, place) => place % 3 === 0);
      const gone = new Map([...removed.keys(), ...pick].map((key) => [key, new Uint8Array(0)]));
      const both = pick.slice(0, 2).map((key) => [key, Uint8Array.of(9)] as const);
      const changed = new Map([...newer, ...both]);
      const expected = new Map([...[...older].filter(([key]) => !gone.has(key)), ...changed]);
      const merged = mergeBlocks(blockOf(older), blockOf(changed), blockOf(gone));
      expect(isRowBlock(merged)).toBe(true);
      expect(readRows(merged)).toEqual(sorted(expected));
      expect(readRows(mergeBlocks(blockOf(older), blockOf(changed)))).toEqual(sorted(new Map([...older, ...changed])));
    });
  });

  test('is cut into slices, and joined again', () => {
    check(fc.tuple(rowsById, fc.nat(), fc.nat()), ([rows, one, other]) => {
      const block = blockOf(rows);
      const [from, to] = [one % (rows.size + 1), other % (rows.size + 1)].sort((left, right) => left - right) as [number, number];
      expect(readRows(sliceBlock(block, from, to))).toEqual(sorted(rows).slice(from, to));
      expect(joinBlocks([sliceBlock(block, 0, from), sliceBlock(block, from, to), sliceBlock(block, to, rows.size)])).toEqual(block);
    });
  });

  test('gives the rows that are asked for, and nothing for ids that it lacks', () => {
    check(fc.tuple(rowsById, rowsById), ([rows, asked]) => {
      const picked = pickRows(blockOf(rows), blockOf(asked));
      expect(isRowBlock(picked)).toBe(true);
      expect(readRows(picked)).toEqual(sorted(rows).filter(([rowId]) => asked.has(rowId)));
    });
  });

  test('is split into blocks of at most so many bytes', () => {
    check(fc.tuple(rowsById, fc.integer({ min: 1, max: 200 })), ([rows, most]) => {
      const block = blockOf(rows);
      const blocks = splitBlock(block, most);
      expect(joinBlocks(blocks)).toEqual(block);
      for (const [place, part] of blocks.entries()) {
        expect(part.length <= most || countOf(part) === 1).toBe(true);
        // As few as possible: the first row of the next one had no room.
        const next = blocks[place + 1];
        if (next !== undefined) expect(part.length + 8 + idBytesAt(next, 0).length + valueAt(next, 0).length).toBeGreaterThan(most);
      }
    });
  });

  test('orders ids as JavaScript orders texts, which is not the order of their bytes', () => {
    check(fc.tuple(id, id), ([left, right]) => {
      expect(Math.sign(compareIds(utf8(left), utf8(right)))).toBe(left < right ? -1 : left > right ? 1 : 0);
    });
    expect(compareIds(utf8('\ue000'), utf8('\u{10000}'))).toBeGreaterThan(0);
    expect(compareIds(utf8('\ud7ff'), utf8('\u{10ffff}'))).toBeLessThan(0);
  });

  test('is not made of rows that are out of order, or twice there', () => {
    const row = (key: string) => ({ id: key, bytes: new Uint8Array(0) });
    expect(() => rowBlock([row('b'), row('a')])).toThrow(RangeError);
    expect(() => rowBlock([row('a'), row('a')])).toThrow(RangeError);
    expect(() => joinBlocks([rowBlock([row('b')]), rowBlock([]), rowBlock([row('b')])])).toThrow(RangeError);
  });

  test('without rows is a block too', () => {
    const empty = rowBlock([]);
    expect(isRowBlock(empty)).toBe(true);
    expect([countOf(empty), findRow(empty, 'a'), firstNotBelow(empty, 'a'), splitBlock(empty, 100)]).toEqual([0, -1, 0, []]);
  });
});

describe('bytes that are no row block', () => {
  const block = blockOf(new Map([['a', Uint8Array.of(1, 2)], ['b', Uint8Array.of(3)], ['ü', Uint8Array.of(4)]]));
  const changed = (at: number, byte: number): Uint8Array => block.map((old, place) => (place === at ? byte : old));
  const data = 8 + 3 * 8;

  test.each([
    ['none', new Uint8Array(0)],
    ['too few for a header', block.subarray(0, 7)],
    ['another format', changed(0, 2)],
    ['a count without room for its ends', changed(4, 200)],
    ['a count of nearly 2^32', changed(7, 0xff)],
    ['a row behind the last that is counted', changed(4, 2)],
    ['one byte too few', block.subarray(0, -1)],
    ['one byte too many', Uint8Array.of(...block, 0)],
    ['an id that ends before it begins', changed(8 + 8, 2)],
    ['a value that ends before its id does', changed(8 + 4, 0)],
    ['an end of nearly 2^32', changed(8 + 7, 0xff)],
    ['ids out of order', changed(data, 0x63)],
    ['an id twice', changed(data, 0x62)],
    ['an id that is no UTF-8', changed(data + 6, 0x20)],
  ])('are refused: %s', (_, bytes) => {
    expect(isRowBlock(block)).toBe(true);
    expect(isRowBlock(bytes)).toBe(false);
  });

  test('are never read outside of their end, whatever they are', () => {
    const mutants = fc.tuple(rowsById, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([rows, at, byte]) => {
      const bytes = blockOf(rows);
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    check(mutants, (bytes) => {
      if (!isRowBlock(bytes)) return;
      const rows = readRows(bytes);
      // Whatever is accepted is what writing its rows gives.
      expect(blockOf(new Map(rows))).toEqual(bytes);
    });
  });
});

function check<T>(input: fc.Arbitrary<T>, proof: (value: T) => void): void {
  fc.assert(fc.property(input, proof), { numRuns: 300 });
}

function sorted(rows: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...rows].sort(([left], [right]) => (left < right ? -1 : 1));
}

function blockOf(rows: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return rowBlock(sorted(rows).map(([key, bytes]) => ({ id: key, bytes })));
}

function readRows(block: Uint8Array): [string, Uint8Array][] {
  return Array.from({ length: countOf(block) }, (_, index) => [idAt(block, index), valueAt(block, index)]);
}
