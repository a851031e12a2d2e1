import fc from 'fast-check';
import type { MergeInput } from '../../src/core/batch.ts';
import type { PlanGroup } from '../../src/core/core.ts';
import { rowBlock, sliceBlock, type PackedRows } from '../../src/core/row-block.ts';
import { encodeImage } from '../../src/client/store/stored.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { NO_VERSION } from '../../src/protocol/version.ts';
import { anyImage, anyLayouts, anyVersion } from './arbitraries.ts';

/** Few ids, so that images, rows and attention meet; at the edges where the orders of UTF-8 and UTF-16 part, with long equal beginnings. */
export const batchId: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'a\0', 'ab') },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom('\ud7ff', '\ue000', '\uffff', '😀', 'ü', '\0'), minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('0190a1b2-c3d4-7', 'x'.repeat(240)), fc.string({ unit: fc.constantFrom('0', '\0', '😀'), maxLength: 3 })).map(([start, end]) => start + end) },
);

/** A batch as a message carries it, and all that it is merged into. */
export interface AnyBatch {
  readonly images: readonly Image[];
  readonly bases: ReadonlyMap<string, ReadonlyMap<string, Image>>;
  readonly attention: readonly { readonly object: string; readonly id: string; readonly flags: number }[];
  readonly input: Omit<MergeInput, 'index'>;
}

/** What is held: rows by object and id, packed in blocks that are cut anywhere. */
function anyBases(layouts: readonly Layout[]) {
  return fc.tuple(fc.array(anyImage(layouts, batchId), { maxLength: 14 }), fc.integer({ min: 1, max: 5 })).map(([images, rowsPerBlock]) => {
    const held = new Map<string, Map<string, Image>>();
    for (const image of images) {
      const { object } = layouts[image.layout]!;
      held.set(object, (held.get(object) ?? new Map<string, Image>()).set(image.id, image));
    }
    const bases = [...held].map(([object, rows]) => {
      const block = rowBlock(sortedRows([...rows.values()].map((image) => ({ id: image.id, bytes: encodeImage({ ...image, layout: layouts[image.layout]! }) }))));
      return { object, blocks: Array.from({ length: Math.ceil(rows.size / rowsPerBlock) }, (_, part) => sliceBlock(block, part * rowsPerBlock, Math.min(rows.size, (part + 1) * rowsPerBlock))) };
    });
    return { held, bases };
  });
}

/** Records that need care, with at most one entry each in a block. */
function anyAttention(layouts: readonly Layout[]) {
  const entry = fc.record({ object: fc.constantFrom(...layouts.map(({ object }) => object), 'other'), id: batchId, flags: fc.integer({ min: 0, max: 31 }) });
  return fc.array(entry, { maxLength: 5 }).map((entries) => {
    const known = [...new Map(entries.map((attention) => [`${attention.object}/${attention.id}`, attention])).values()];
    const packed = [...new Set(known.map(({ object }) => object))].map((object): PackedRows => ({
      object,
      block: rowBlock(sortedRows(known.filter((attention) => attention.object === object).map(({ id, flags }) => ({ id, bytes: Uint8Array.of(flags) })))),
    }));
    return { known, packed };
  });
}

function anyGroups(imageCount: number): fc.Arbitrary<PlanGroup[]> {
  const need = fc.record({ image: fc.integer({ min: -1, max: imageCount - 1 }), version: anyVersion, held: fc.oneof(fc.constant(NO_VERSION), anyVersion) });
  return fc.array(fc.record({ flags: fc.constantFrom(0, 0, 0, 1, 2, 4, 8, 16), needs: fc.array(need, { maxLength: 2 }) }), { maxLength: 3 });
}

export const anyBatch: fc.Arbitrary<AnyBatch> = anyLayouts.chain((layouts) =>
  fc.array(anyImage(layouts, batchId), { maxLength: 16 }).chain((images) =>
    fc
      .record({
        bases: anyBases(layouts),
        attention: anyAttention(layouts),
        groups: anyGroups(images.length),
        dice: fc.infiniteStream(fc.nat()),
        replace: fc.constantFrom('newer' as const, 'newer-or-equal' as const),
        listAbsent: fc.boolean(),
      })
      .map(({ bases, attention, groups, dice, replace, listAbsent }): AnyBatch => {
        const groupOf = Int32Array.from(images, () => (dice.next().value % (groups.length + 1)) - 1);
        return {
          images,
          bases: bases.held,
          attention: attention.known,
          input: { items: encodeImages(images), layouts, bases: bases.bases, attention: attention.packed, groups, groupOf, replace, listAbsent },
        };
      }),
  ),
);

/** Rows in the order of their ids. */
export function sortedRows<T extends { readonly id: string }>(rows: readonly T[]): T[] {
  return [...rows].sort((left, right) => (left.id < right.id ? -1 : 1));
}
