import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTwinCore } from '../../src/core/twin.ts';
import { loadCore } from '../../src/core/load-core.ts';
import { WHOLE_EDITION } from '../../src/core/wasm-session.ts';
import { FIELD_TYPE_CODES, type FieldType } from '../../src/protocol/field.ts';
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { createMask, encodeRow, encodeValue, joinRow, mapRow, maskPositions, splitRow } from '../../src/protocol/row.ts';
import { changeOf, patchRow, pickValues } from '../../src/protocol/row-patch.ts';
import { anyLayout, anyRecord, recordAndEdit, valueOf } from '../core/arbitraries.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const wasm = await loadCore(WHOLE_EDITION, { bytes: readFileSync('build/core.wasm'), build: 'scalar', random: createSeededRandom(1) });
const cores = { twin: createTwinCore(), wasm };
const FIELD_TYPES = Object.keys(FIELD_TYPE_CODES) as FieldType[];

/** Rows before and after an edit of some of their fields, or of none. */
const anyEdit = anyLayout().chain((layout) => recordAndEdit(layout).map(([before, after]) => ({ layout, before: encodeRow(layout, before), after: encodeRow(layout, after) })));

/** A row as an older build wrote it, of a layout in which some fields are missing, of another type, or unknown by now. */
const olderRow = fc
  .array(fc.record({ type: fc.constantFrom(...FIELD_TYPES), fate: fc.constantFrom('kept', 'kept', 'added', 'dropped', 'retyped') }), { maxLength: 20, size: 'medium' })
  .chain((fields) => {
    const named = fields.map(({ type, fate }, index) => ({ name: `f${index}`, type, fate }));
    const old = createLayout('order', named.filter(({ fate }) => fate !== 'added').map(({ name, type, fate }) => ({ name, type: fate === 'retyped' ? (type === 'text' ? 'integer' : 'text') : type })));
    const now = createLayout('order', named.filter(({ fate }) => fate !== 'dropped').map(({ name, type }) => ({ name, type })));
    const changes = fc.record(Object.fromEntries(now.fields.map(({ name, type }) => [name, valueOf(type)])), { requiredKeys: [] });
    return fc.tuple(anyRecord(old), changes).map(([record, edits]) => ({ old, now, record, edits }));
  });

/** The fields in which rows differ, and the values of both in them. */
function changeBetween(layout: Layout, before: Uint8Array, after: Uint8Array) {
  const nothing = joinRow([]);
  return changeOf(layout, before, new Map(splitRow(after).entries())) ?? { mask: createMask(layout), previous: nothing, next: nothing };
}

function positionsOf(layout: Layout, edits: object): number[] {
  return Object.keys(edits).map((name) => layout.positions.get(name)!);
}

describe('the patch of a row', () => {
  test('finds the fields that differ as the core does, and the values of them as they are in a row cut apart', () => {
    fc.assert(
      fc.property(anyEdit, ({ layout, before, after }) => {
        const { mask, previous, next } = changeBetween(layout, before, after);
        for (const core of Object.values(cores)) expect(mask).toEqual(core.diffRows(layout, before, after));
        for (const [row, values] of [[before, previous], [after, next]] as const) {
          const all = splitRow(row);
          expect(values).toEqual(joinRow(maskPositions(mask).map((position) => all[position]!)));
          expect(pickValues(row, mask)).toEqual(values);
        }
      }),
    );
  });

  test('gives the row that the core makes of the same edit', () => {
    fc.assert(
      fc.property(anyEdit, ({ layout, before, after }) => {
        const edit = changeBetween(layout, before, after);
        const { mask } = edit;
        const values = splitRow(after);
        const patched = patchRow(before, new Map(maskPositions(mask).map((position) => [position, values[position]!])));
        expect(patched).toEqual(after);
        for (const core of Object.values(cores)) expect(core.applyEdit(layout, edit, mask, before)).toEqual(patched);
      }),
    );
  });

  test('gives the row that encoding all of the record anew would, from whatever layout it came', () => {
    fc.assert(
      fc.property(olderRow, ({ old, now, record, edits }) => {
        const held = mapRow(old, now, encodeRow(old, record));
        const values = splitRow(held);
        const patches = new Map(Object.entries(edits).map(([name, value]) => [now.positions.get(name)!, encodeValue(now.fields[now.positions.get(name)!]!.type, value, name)]));
        const expected = joinRow(values.map((value, position) => patches.get(position) ?? value));
        const patched = patchRow(held, patches);
        expect(patched).toEqual(expected);
        const changed = maskPositions(changeBetween(now, held, patched).mask);
        expect(changed.every((position) => positionsOf(now, edits).includes(position))).toBe(true);
        expect(changeOf(now, held, patches) ?? changeBetween(now, held, held)).toEqual(changeBetween(now, held, patched));
      }),
    );
  });

  test('leaves the rows that it is given as they are, also where they are views of larger buffers', () => {
    const layout = createLayout('order', [{ name: 'a', type: 'text' }, { name: 'b', type: 'integer' }, { name: 'c', type: 'text' }]);
    const row = encodeRow(layout, { a: 'x'.repeat(100), b: 7, c: 'end' });
    const buffer = new Uint8Array(row.length + 20);
    buffer.set(row, 10);
    const view = buffer.subarray(10, 10 + row.length);
    expect(patchRow(view, new Map([[1, Uint8Array.of(9)]]))).toEqual(encodeRow(layout, { a: 'x'.repeat(100), b: 9, c: 'end' }));
    expect(view).toEqual(row);
    const picked = pickValues(view, Uint8Array.of(0b100));
    buffer.fill(0);
    expect(picked).toEqual(joinRow([encodeValue('text', 'end', 'c')]));
  });
});
