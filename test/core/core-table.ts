import { beforeAll, describe, expect, test } from 'vitest';
import { ATTENTION, type Core, type CoreBuild } from '../../src/core/core.ts';
import { loadCore } from '../../src/core/load-core.ts';
import type { FieldType } from '../../src/protocol/field.ts';
import { encodeChanges, encodeImages, type Change, type Image } from '../../src/protocol/items.ts';
import { createLayout } from '../../src/protocol/layout.ts';
import { decodeRow, encodeRow } from '../../src/protocol/row.ts';
import type { CoreDiagnostic } from '../../src/core/wasm-core.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { bytesOf, VALUE_EXAMPLES } from './value-examples.ts';

/** Bytes of the builds that are not inlined. */
export interface BuildBytes {
  readonly simd: () => Promise<BufferSource>;
  readonly debug: () => Promise<BufferSource>;
}

/** Runs the table over every build. */
export function describeCores({ simd, debug }: BuildBytes): void {
  const load = async (build: CoreBuild, bytes?: BufferSource): Promise<Core> => {
    const options = { build, random: createSeededRandom(1), onDiagnostic: ({ cause }: CoreDiagnostic) => expect.unreachable(String(cause)) };
    const core = await loadCore(bytes === undefined ? options : { ...options, bytes });
    expect(core.build).toBe(build);
    return core;
  };
  describeCore('twin', () => load('twin'));
  describeCore('scalar', () => load('scalar'));
  describeCore('simd', async () => load('simd', await simd()));
  describeCore('debug', async () => load('debug', await debug()));
}

/** What every build of the core must do: one table, run over the twin and each Wasm build, in Node and in browsers. */
export function describeCore(name: string, createCore: () => Core | Promise<Core>): void {
  describe(name, () => {
    let core: Core;
    beforeAll(async () => {
      core = await createCore();
    });

    for (const [type, { accepted, refused }] of Object.entries(VALUE_EXAMPLES)) {
      describe(`a ${type} field`, () => {
        const layout = createLayout('account', [{ name: 'value', type: type as FieldType }]);
        for (const [value, hex] of Object.entries(accepted)) {
          test(`accepts ${value}`, () => {
            expect(core.validateRow(layout, bytesOf(`91${hex}`))).toEqual({ ok: true });
          });
        }
        for (const [value, [hex, status]] of Object.entries(refused)) {
          test(`refuses ${value}: ${status}`, () => {
            expect(core.validateRow(layout, bytesOf(`91${hex}`))).toMatchObject({ ok: false, status });
          });
        }
      });
    }

    const order = createLayout('order', [
      { name: 'name', type: 'text' },
      { name: 'amount', type: 'number' },
      { name: 'tags', type: 'multiPicklist' },
    ]);
    const contact = createLayout('contact', [{ name: 'name', type: 'text' }]);
    const layouts = [order, contact];

    describe('images', () => {
      const images: Image[] = [
        { layout: 0, id: 'o-1', version: [1, 7], state: 'live', row: encodeRow(order, { name: 'Näme', amount: 2 ** 40, tags: ['b', 'a'] }) },
        { layout: 1, id: 'c-ü', version: [0, 2 ** 53 - 1], state: 'deleted', row: null },
        { layout: 1, id: 'c-2', version: [2 ** 31 - 1, 1], state: 'hidden', row: null },
      ];

      test('come back as they were written', () => {
        const table = core.readImages(encodeImages(images), layouts);
        if (!table.ok) throw new Error(table.status);
        const read = Array.from({ length: table.count }, (_, index) => ({
          layout: table.layout(index),
          id: table.id(index),
          version: table.version(index),
          state: table.state(index),
          row: table.row(index),
        }));
        expect(read).toEqual(images);
      });

      test('are none in no bytes', () => {
        expect(core.readImages(new Uint8Array(0), layouts)).toMatchObject({ ok: true, count: 0 });
      });
    });

    describe('changes', () => {
      const changes: Change[] = [
        { layout: 0, id: 'o-1', op: 'create', base: [0, 0], mask: null, previous: null, next: encodeRow(order, { name: 'x' }) },
        { layout: 0, id: 'o-2', op: 'update', base: [1, 2], mask: Uint8Array.of(0b101), previous: bytesOf('92 c0 c0'), next: bytesOf('92 a161 91a162') },
        { layout: 1, id: 'c-1', op: 'remove', base: [1, 2 ** 40], mask: Uint8Array.of(1), previous: bytesOf('91 a161'), next: null },
        { layout: 1, id: 'c-2', op: 'remove', base: [1, 3], mask: Uint8Array.of(0), previous: bytesOf('90'), next: null },
      ];

      test('come back as they were written', () => {
        const table = core.readChanges(encodeChanges(changes), layouts);
        if (!table.ok) throw new Error(table.status);
        const read = Array.from({ length: table.count }, (_, index) => ({
          layout: table.layout(index),
          id: table.id(index),
          op: table.op(index),
          base: table.base(index),
          mask: table.mask(index),
          previous: table.previous(index),
          next: table.next(index),
        }));
        expect(read).toEqual(changes);
      });
    });

    describe('edits', () => {
      const current = encodeRow(order, { name: 'new', amount: 5, tags: ['a'] });
      const edit = { mask: Uint8Array.of(0b111), previous: bytesOf('93 a3 6f6c64 05 c0'), next: bytesOf('93 a3 6e6577 06 91 a162') };

      test('are checked field by field', () => {
        expect(core.checkEdit(order, edit, current)).toEqual({
          conflicts: Uint8Array.of(0b100),
          writes: Uint8Array.of(0b010),
          hasConflicts: true,
          hasWrites: true,
        });
      });

      test('write only the fields asked for', () => {
        const row = core.applyEdit(order, edit, Uint8Array.of(0b110), current);
        expect(decodeRow(order, row)).toEqual({ name: 'new', amount: 6, tags: ['b'] });
      });

      test('show in the difference of two rows', () => {
        expect(core.diffRows(order, current, core.applyEdit(order, edit, Uint8Array.of(0b110), current))).toEqual(Uint8Array.of(0b110));
      });
    });

    describe('a feed plan', () => {
      const row = encodeRow(contact, { name: 'x' });
      const image = (id: string, n: number): Image => ({ layout: 1, id, version: [1, n], state: 'live', row });

      test('gives each image its verdict', () => {
        const items = encodeImages([image('a', 1), image('a', 3), image('b', 2), image('c', 2), image('d', 2), image('e', 2), image('f', 2)]);
        const plan = core.planFeed({
          items,
          layouts,
          baseVersions: [[1, 2], [1, 2], [1, 2], [1, 1], [1, 1], [1, 1], [1, 1]],
          attention: [
            { object: 'contact', id: 'c', flags: ATTENTION.inUse },
            { object: 'contact', id: 'd', flags: ATTENTION.pending },
            { object: 'contact', id: 'e', flags: ATTENTION.inError | ATTENTION.inUse },
            { object: 'order', id: 'f', flags: ATTENTION.pending },
          ],
          replace: 'newer',
        });
        expect(plan).toEqual({ ok: true, verdicts: ['superseded', 'merge', 'stale', 'wait', 'discard', 'discard', 'merge'] });
      });
    });
  });
}
