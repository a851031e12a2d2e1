import { describe, expect, test } from 'vitest';
import type { Core, CoreStatus } from '../../src/core/core.ts';
import { encodeChanges, encodeImages, type Change, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { bytesEqual } from '../../src/shared/bytes.ts';
import { hex } from './hex.ts';
import { readTable } from './read-table.ts';

const ORDER = createLayout('order', [
  { name: 'name', type: 'text' },
  { name: 'amount', type: 'number' },
  { name: 'tags', type: 'multiPicklist' },
]);
const CONTACT = createLayout('contact', [{ name: 'name', type: 'text' }]);
const LAYOUTS = [ORDER, CONTACT];

type Refused = Readonly<Record<string, readonly [string, CoreStatus, offset: number]>>;

// [layout, id, epoch, n, state, row] of the contact 'c'.
const IMAGES_REFUSED: Refused = {
  'five members': ['95 01 a163 01 07 00', 'unexpected-type', 0],
  'seven members': ['97 01 a163 01 07 00 91 c0 c0', 'unexpected-type', 0],
  'a map': ['86 01 a163 01 07 00 91 c0', 'unexpected-type', 0],
  'a header longer than needed': ['dc 0006 01 a163 01 07 00 91 c0', 'not-canonical', 0],
  'a layout that the message lacks': ['96 02 a163 01 07 00 91 c0', 'unknown-layout', 1],
  'a layout of 2^32': ['96 cf 0000000100000000 a163 01 07 00 91 c0', 'unknown-layout', 1],
  'a negative layout': ['96 ff a163 01 07 00 91 c0', 'unknown-layout', 1],
  'a layout in two bytes': ['96 cc01 a163 01 07 00 91 c0', 'not-canonical', 1],
  'a layout by name': ['96 a163 a163 01 07 00 91 c0', 'unexpected-type', 1],
  'an empty id': ['96 01 a0 01 07 00 91 c0', 'not-canonical', 2],
  'an id of 256 bytes': [`96 01 da0100 ${'61'.repeat(256)} 01 07 00 91 c0`, 'too-large', 2],
  'an id that is a number': ['96 01 05 01 07 00 91 c0', 'unexpected-type', 2],
  'an id that is no UTF-8': ['96 01 a1ff 01 07 00 91 c0', 'bad-utf8', 2],
  'no id': ['96 01 c0 01 07 00 91 c0', 'unexpected-type', 2],
  'a negative epoch': ['96 01 a163 ff 07 00 91 c0', 'out-of-range', 4],
  'an epoch of 2^31': ['96 01 a163 ce80000000 07 00 91 c0', 'out-of-range', 4],
  'version 0': ['96 01 a163 01 00 00 91 c0', 'out-of-range', 5],
  'version 2^53': ['96 01 a163 01 cf0020000000000000 00 91 c0', 'out-of-range', 5],
  'a version that is a float': ['96 01 a163 01 cb3ff8000000000000 00 91 c0', 'unexpected-type', 5],
  'state 3': ['96 01 a163 01 07 03 c0', 'bad-state', 6],
  'a negative state': ['96 01 a163 01 07 ff c0', 'bad-state', 6],
  'a live record without a row': ['96 01 a163 01 07 00 c0', 'bad-state', 7],
  'a deleted record with a row': ['96 01 a163 01 07 01 91 c0', 'bad-state', 7],
  'a hidden record with a row': ['96 01 a163 01 07 02 91 c0', 'bad-state', 7],
  'a row of another layout': ['96 01 a163 01 07 00 93 c0 c0 c0', 'wrong-field-count', 7],
  'a row with a value of another type': ['96 01 a163 01 07 00 91 05', 'unexpected-type', 8],
  'a row with a value that is not canonical': ['96 01 a163 01 07 00 91 a0', 'not-canonical', 8],
  'a bad image behind a good one': ['96 01 a163 01 07 00 91 c0  96 01 a163 01 07 09 c0', 'bad-state', 15],
  'a byte behind the last one': ['96 01 a163 01 07 00 91 c0  c0', 'unexpected-type', 9],
};

// [layout, id, op, epoch, n, mask, previous, next]: updates of the order 'o', fields name and amount, unless they say otherwise.
const CHANGES_REFUSED: Refused = {
  'seven members': ['97 00 a16f 01 01 07 c40103 92 c0 c0', 'unexpected-type', 0],
  'a layout that the message lacks': ['98 02 a16f 01 01 07 c40103 92c0c0 92c005', 'unknown-layout', 1],
  'an id of 256 bytes': [`98 00 da0100 ${'61'.repeat(256)} 01 01 07 c40103 92c0c0 92c005`, 'too-large', 2],
  'operation 3': ['98 00 a16f 03 01 07 c40103 92c0c0 92c005', 'bad-state', 4],
  'a negative base version': ['98 00 a16f 01 01 ff c40103 92c0c0 92c005', 'out-of-range', 6],
  'an epoch of 2^31': ['98 00 a16f 01 ce80000000 07 c40103 92c0c0 92c005', 'out-of-range', 5],
  'a create with a mask': ['98 00 a16f 00 00 00 c40107 c0 93c0c0c0', 'bad-mask', 7],
  'a create with previous values': ['98 00 a16f 00 00 00 c0 93c0c0c0 93c0c0c0', 'bad-state', 8],
  'a create without a row': ['98 00 a16f 00 00 00 c0 c0 c0', 'bad-state', 9],
  'a create with values of some fields': ['98 00 a16f 00 00 00 c0 c0 92c0c0', 'wrong-field-count', 9],
  'an update without a mask': ['98 00 a16f 01 01 07 c0 92c0c0 92c005', 'bad-mask', 7],
  'an update of no field': ['98 00 a16f 01 01 07 c40100 90 90', 'bad-mask', 7],
  'a mask of two bytes for three fields': ['98 00 a16f 01 01 07 c4020300 92c0c0 92c005', 'bad-mask', 7],
  'a mask of no byte': ['98 00 a16f 01 01 07 c400 90 90', 'bad-mask', 7],
  'a mask with a bit beyond the last field': ['98 00 a16f 01 01 07 c4010b 93c0c0c0 93c0c0c0', 'bad-mask', 7],
  'a mask that is text': ['98 00 a16f 01 01 07 a103 92c0c0 92c005', 'unexpected-type', 7],
  'a mask with a header longer than needed': ['98 00 a16f 01 01 07 c5000103 92c0c0 92c005', 'not-canonical', 7],
  'a mask that is cut': ['98 00 a16f 01 01 07 c401', 'truncated', 7],
  'an update without previous values': ['98 00 a16f 01 01 07 c40103 c0 92c005', 'bad-state', 10],
  'an update without new values': ['98 00 a16f 01 01 07 c40103 92c0c0 c0', 'bad-state', 13],
  'fewer previous values than masked fields': ['98 00 a16f 01 01 07 c40103 91c0 92c005', 'wrong-field-count', 10],
  'more new values than masked fields': ['98 00 a16f 01 01 07 c40103 92c0c0 93c005c0', 'wrong-field-count', 13],
  'a previous value of another type': ['98 00 a16f 01 01 07 c40103 9205c0 92c005', 'unexpected-type', 11],
  'a new value that is not canonical': ['98 00 a16f 01 01 07 c40103 92c0c0 92c0cc05', 'not-canonical', 15],
  'a remove with new values': ['98 00 a16f 02 01 07 c40103 92c0c0 92c005', 'bad-state', 13],
  'a remove without previous values': ['98 00 a16f 02 01 07 c40103 c0 c0', 'bad-state', 10],
  'a remove without a mask': ['98 00 a16f 02 01 07 c0 c0 c0', 'bad-mask', 7],
};

const IMAGES: readonly Image[] = [
  { layout: 0, id: 'o-1', version: [1, 7], state: 'live', row: encodeRow(ORDER, { name: 'Näme', amount: 2 ** 40, tags: ['b', 'a'] }) },
  { layout: 1, id: 'c-ü', version: [0, Number.MAX_SAFE_INTEGER], state: 'deleted', row: null },
  { layout: 1, id: 'x'.repeat(255), version: [2 ** 31 - 1, 2 ** 32], state: 'hidden', row: null },
  { layout: 1, id: 'c-3', version: [0, 1], state: 'live', row: encodeRow(CONTACT, {}) },
];

const CHANGES: readonly Change[] = [
  { layout: 0, id: 'o-1', op: 'create', base: [0, 0], mask: null, previous: null, next: encodeRow(ORDER, { name: 'x' }) },
  { layout: 0, id: 'o-2', op: 'update', base: [1, 2], mask: hex('05'), previous: hex('92 c0 c0'), next: hex('92 a161 91a162') },
  { layout: 1, id: 'c-1', op: 'remove', base: [1, Number.MAX_SAFE_INTEGER], mask: hex('01'), previous: hex('91 a161'), next: null },
  { layout: 1, id: 'c-2', op: 'remove', base: [2 ** 31 - 1, 3], mask: hex('00'), previous: hex('90'), next: null },
];

/** What items of a message are read, and which are refused. */
export function describeItems(getCore: () => Core): void {
  describe('images', () => {
    test('come back as they were written', () => {
      expect(readTable(getCore().readImages(encodeImages(IMAGES), LAYOUTS))).toEqual(IMAGES);
    });

    test('are none in no bytes', () => {
      expect(readTable(getCore().readImages(new Uint8Array(0), LAYOUTS))).toEqual([]);
      expect(readTable(getCore().readImages(new Uint8Array(0), []))).toEqual([]);
    });

    test('can be many thousands', () => {
      const many = Array.from({ length: 3_000 }, (_, index): Image => ({ ...IMAGES[1]!, id: `c-${index}`, version: [1, index + 1] }));
      expect(readTable(getCore().readImages(encodeImages(many), LAYOUTS))).toEqual(many);
    });

    test('can be one row larger than the memory that the core begins with', () => {
      const row = encodeRow(CONTACT, { name: 'x'.repeat(1_000_000) });
      const table = getCore().readImages(encodeImages([{ layout: 1, id: 'c', version: [1, 1], state: 'live', row }, IMAGES[0]!]), LAYOUTS);
      if (!table.ok) throw new Error(table.status);
      expect(bytesEqual(table.row(0)!, row)).toBe(true);
      expect(table.row(1)).toEqual(IMAGES[0]!.row);
    });

    test('are looked at by their number only', () => {
      const table = getCore().readImages(encodeImages(IMAGES), LAYOUTS);
      if (!table.ok) throw new Error(table.status);
      for (const index of [-1, IMAGES.length, Number.NaN]) expect(() => table.id(index)).toThrow(RangeError);
    });

    describeRefused(IMAGES_REFUSED, (items) => getCore().readImages(items, LAYOUTS));

    test('are refused wherever they are cut', () => {
      const byteLengths = IMAGES.map((image) => encodeImages([image]).length);
      expectCutsRefused(encodeImages(IMAGES), byteLengths, (items) => getCore().readImages(items, LAYOUTS));
    });
  });

  describe('changes', () => {
    test('come back as they were written', () => {
      expect(readTable(getCore().readChanges(encodeChanges(CHANGES), LAYOUTS))).toEqual(CHANGES);
    });

    test('of a layout without fields have a mask without bytes', () => {
      const layouts = [createLayout('empty', [])];
      const remove: Change = { layout: 0, id: 'e', op: 'remove', base: [1, 1], mask: hex(''), previous: hex('90'), next: null };
      expect(readTable(getCore().readChanges(encodeChanges([remove]), layouts))).toEqual([remove]);
    });

    test('can be many thousands', () => {
      const many = Array.from({ length: 1_500 }, (_, index): Change => ({ ...CHANGES[1]!, id: `o-${index}` }));
      expect(readTable(getCore().readChanges(encodeChanges(many), LAYOUTS))).toEqual(many);
    });

    describeRefused(CHANGES_REFUSED, (items) => getCore().readChanges(items, LAYOUTS));

    test('are refused wherever they are cut', () => {
      const byteLengths = CHANGES.map((change) => encodeChanges([change]).length);
      expectCutsRefused(encodeChanges(CHANGES), byteLengths, (items) => getCore().readChanges(items, LAYOUTS));
    });
  });
}

function describeRefused(refused: Refused, read: (items: Uint8Array) => unknown): void {
  for (const [name, [bytes, status, offset]] of Object.entries(refused)) {
    test(`are refused with ${name}: ${status}`, () => {
      expect(read(hex(bytes))).toEqual({ ok: false, status, offset });
    });
  }
}

function expectCutsRefused(items: Uint8Array, byteLengths: readonly number[], read: (items: Uint8Array) => { readonly ok: boolean }): void {
  const ends = new Set([0]);
  for (const byteLength of byteLengths) ends.add([...ends].at(-1)! + byteLength);
  for (let length = 0; length <= items.length; length++) {
    const answer = read(items.subarray(0, length));
    if (ends.has(length)) expect(answer).toMatchObject({ ok: true });
    else expect(answer).toMatchObject({ ok: false, status: 'truncated' });
  }
}
