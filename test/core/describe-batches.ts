import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BATCH_VERDICTS, type BatchCore, type BatchVerdict, type MergedBatch, type MergeInput } from '../../src/core/batch.ts';
import { countOf, idAt, isRowBlock, rowBlock, valueAt, type PackedRows } from '../../src/core/row-block.ts';
import { createTwinBatchCore } from '../../src/core/twin-batch.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { encodeImage } from '../../src/client/store/stored.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { createMask, encodeRow, setInMask, splitRow } from '../../src/protocol/row.ts';
import { NO_VERSION } from '../../src/protocol/version.ts';
import { bytesEqual } from '../../src/shared/bytes.ts';
import { anyImageItems, mutated } from './arbitraries.ts';
import { anyBatch, sortedRows, type AnyBatch } from './batch-arbitraries.ts';
import { planObviously } from './oracle.ts';
import { readTable } from './read-table.ts';

const RUNS = 100;

const LAYOUT = createLayout('order', [{ name: 'name', type: 'text' }, { name: 'count', type: 'integer' }]);
const OLD_LAYOUT = createLayout('order', [{ name: 'name', type: 'text' }]);

/** What every build of the core for large batches must do: compared with Maps and the verdicts record by record, and with the twin. */
export function describeBatches(getCore: () => BatchCore): void {
  const twin = createTwinBatchCore();

  describe('the index of a batch', () => {
    test('reads images as every core does, and refuses the same bytes for the same reason', () => {
      const core = createTwinCore();
      check(anyImageItems.chain(({ layouts, items }) => fc.oneof(fc.constant(items), mutated(items)).map((bytes) => ({ layouts, items: bytes }))), ({ layouts, items }) => {
        expect(readTable(getCore().indexBatch(items, layouts))).toEqual(readTable(core.readImages(items, layouts)));
      });
    });

    test('has the ids of each object in the order of texts, once each', () => {
      check(anyBatch, ({ images, input: { items, layouts } }) => {
        const index = indexed(getCore(), items, layouts);
        const objects = [...new Set(layouts.map(({ object }) => object))];
        const idsOf = (object: string) => [...new Set(images.filter(({ layout }) => layouts[layout]!.object === object).map(({ id }) => id))].sort(byText);
        for (const object of objects) expect(readRows(index.ids(object))).toEqual(idsOf(object).map((id) => [id, new Uint8Array(0)]));
        expect(index.objects).toEqual(objects.filter((object) => idsOf(object).length > 0));
        expect(countOf(index.ids('unknown'))).toBe(0);
      });
    });

    test('is word for word that of the twin', () => {
      check(anyBatch, ({ input: { items, layouts } }) => {
        expect(indexed(getCore(), items, layouts).words).toEqual(indexed(twin, items, layouts).words);
      });
    });
  });

  describe('a merged batch', () => {
    test('has the verdict of each image that a look at every record gives', () => {
      check(anyBatch, (batch) => {
        expect(verdictsOf(merge(getCore(), batch.input))).toEqual(verdictsObviously(batch));
      });
    });

    test('puts the merged images as storage keeps them, and nothing else', () => {
      check(anyBatch, (batch) => {
        const { put } = merge(getCore(), batch.input);
        const merged = verdictsObviously(batch).flatMap((verdict, image) => (verdict === 'merge' ? [batch.images[image]!] : []));
        const expected = byObject(merged.map((image) => ({ object: objectOf(batch, image), id: image.id, bytes: encodeImage({ ...image, layout: batch.input.layouts[image.layout]! }) })));
        expect(unpack(put)).toEqual(expected);
      });
    });

    test('lists what is held and not in the batch, when it is asked', () => {
      check(anyBatch, (batch) => {
        const { absent } = merge(getCore(), batch.input);
        const inBatch = new Set(batch.images.map((image) => JSON.stringify([objectOf(batch, image), image.id])));
        const missing = [...batch.bases].flatMap(([object, rows]) => [...rows.keys()].filter((id) => !inBatch.has(JSON.stringify([object, id]))).map((id) => ({ object, id, bytes: new Uint8Array(0) })));
        expect(unpack(absent)).toEqual(batch.input.listAbsent ? byObject(missing) : {});
      });
    });

    test('says of each change which fields differ from what was held', () => {
      check(anyBatch, (batch) => {
        const { changes, verdicts } = merge(getCore(), batch.input);
        const seen = Array.from({ length: changes.count }, (_, change) => changes.imageOf(change));
        expect(seen.toSorted((left, right) => left - right)).toEqual([...verdicts.keys()].filter((image) => verdicts[image] === 0));
        for (const [change, index] of seen.entries()) {
          const image = batch.images[index]!;
          const held = batch.bases.get(objectOf(batch, image))?.get(image.id);
          expect(changes.isNew(change)).toBe(held === undefined);
          expect(changes.maskOf(change)).toEqual(maskObviously(batch.input.layouts[image.layout]!, held?.row ?? null, image.row!));
        }
        expect(() => changes.imageOf(changes.count)).toThrow(RangeError);
      });
    });

    test('is that of the twin, whatever bytes the rows are that are held', () => {
      const hostile = anyBatch.chain((batch) => {
        const rows = batch.input.bases.flatMap(({ object, blocks }) => blocks.flatMap((block) => readRows(block).map(([id, bytes]) => ({ object, id, bytes }))));
        return fc.tuple(...rows.map((row) => fc.oneof({ weight: 3, arbitrary: fc.constant(row.bytes) }, { weight: 1, arbitrary: mutated(row.bytes) }))).map((bytes) => {
          const changed = rows.map((row, place) => ({ ...row, bytes: bytes[place]! }));
          const bases = [...new Set(rows.map(({ object }) => object))].map((object) => ({ object, blocks: [rowBlock(sortedRows(changed.filter((row) => row.object === object)))] }));
          return { ...batch.input, bases };
        });
      });
      check(hostile, (input) => {
        const [ours, other] = [getCore(), twin].map((core) => outcomeOf(() => readMerged(merge(core, input))));
        expect(ours).toEqual(other);
      });
    });

    test('of no images changes nothing', () => {
      const empty = { items: new Uint8Array(0), layouts: [LAYOUT], bases: [], attention: [], replace: 'newer' } as const;
      expect(readMerged(merge(getCore(), empty))).toEqual({ verdicts: [], put: {}, absent: {} });
      expect(readMerged(merge(getCore(), { ...empty, layouts: [] }))).toEqual({ verdicts: [], put: {}, absent: {} });
    });

    test('keeps apart ids of which one begins the other, or that end in zeros', () => {
      const ids = ['a', 'a\0', 'a\0\0', 'abcdefg', 'abcdefg\0', 'abcdefgh', 'abcdefghijklmn', 'abcdefghijklmno'];
      const input = batchOf(ids.toReversed().map((id) => image(id, 1)));
      expect(Object.keys(unpack(merge(getCore(), input).put)['order']!)).toEqual(ids);
    });

    test('sorts many ids that begin the same', () => {
      const ids = Array.from({ length: 3000 }, (_, number) => `${'0190a1b2-c3d4-7000-8000-'.repeat(1 + (number % 4))}${String((number * 7919) % 3001)}`);
      const { put } = merge(getCore(), batchOf(ids.map((id) => image(id, 1))));
      expect(put.every(({ block }) => isRowBlock(block))).toBe(true);
      expect(Object.keys(unpack(put)['order']!)).toEqual([...new Set(ids)].sort(byText));
    });

    test('of many images is put in several blocks, and each is found again', () => {
      const images = Array.from({ length: 4000 }, (_, number) => image(`id-${String(number).padStart(6, '0')}`, 2, 'x'.repeat(800)));
      const held = rowBlock(images.slice(1000, 3000).map(({ id }) => ({ id, bytes: encodeImage({ ...image(id, 1, 'y'.repeat(800)), layout: LAYOUT }) })));
      const { put, changes } = merge(getCore(), { ...batchOf(images), bases: [{ object: 'order', blocks: [held] }] });
      expect(put.length).toBeGreaterThan(1);
      expect(Object.keys(unpack(put)['order']!)).toEqual(images.map(({ id }) => id));
      expect(Array.from({ length: changes.count }, (_, change) => changes.isNew(change)).filter((isNew) => !isNew)).toHaveLength(2000);
      expect(changes.maskOf(1500)).toEqual(Uint8Array.of(1));
    });
  });

  describe('a merge', () => {
    const valid = batchOf([image('a', 2), image('b', 2)]);
    const held = rowBlock([{ id: 'a', bytes: encodeImage({ ...image('a', 1), layout: LAYOUT }) }]);
    const later = rowBlock([{ id: 'b', bytes: encodeImage({ ...image('b', 1), layout: LAYOUT }) }]);

    test.each<[string, Partial<MergeInput>]>([
      ['a block that is none', { bases: [{ object: 'order', blocks: [Uint8Array.of(1, 2, 3)] }] }],
      ['blocks out of order', { bases: [{ object: 'order', blocks: [later, held] }] }],
      ['blocks that overlap', { bases: [{ object: 'order', blocks: [held, held] }] }],
      ['an object in two places', { bases: [{ object: 'order', blocks: [held] }, { object: 'order', blocks: [later] }] }],
      ['a held row that is no stored image', { bases: [{ object: 'order', blocks: [rowBlock([{ id: 'a', bytes: Uint8Array.of(0x95, 1) }])] }] }],
      ['attention that is no row block', { attention: [{ object: 'order', block: Uint8Array.of(1) }] }],
      ['attention without its bits', { attention: [{ object: 'order', block: rowBlock([{ id: 'a', bytes: new Uint8Array(0) }]) }] }],
      ['groups of other images', { groups: [{ flags: 0, needs: [] }], groupOf: Int32Array.of(0) }],
      ['a group that there is not', { groups: [{ flags: 0, needs: [] }], groupOf: Int32Array.of(0, 1) }],
      ['a need of an image that there is not', { groups: [{ flags: 0, needs: [{ image: 2, version: [0, 1], held: NO_VERSION }] }] }],
    ])('refuses %s', (_, wrong) => {
      expect(verdictsOf(merge(getCore(), valid))).toEqual(['merge', 'merge']);
      expect(outcomeOf(() => merge(getCore(), { ...valid, ...wrong }))).toBe('CORE_INPUT_INVALID');
    });

    test('leaves to the caller what is not live, on either side, or of another layout', () => {
      const stored = [
        { id: 'deleted', bytes: encodeImage({ layout: LAYOUT, version: [0, 1], state: 'deleted', row: null }) },
        { id: 'old-layout', bytes: encodeImage({ layout: OLD_LAYOUT, version: [0, 1], state: 'live', row: encodeRow(OLD_LAYOUT, { name: 'x' }) }) },
        { id: 'stale', bytes: encodeImage({ layout: OLD_LAYOUT, version: [0, 9], state: 'live', row: encodeRow(OLD_LAYOUT, { name: 'x' }) }) },
      ];
      const images: Image[] = [...['deleted', 'old-layout', 'stale'].map((id) => image(id, 2)), { layout: 0, id: 'gone', version: [0, 2], state: 'deleted', row: null }];
      const input = { ...batchOf(images), bases: [{ object: 'order', blocks: [rowBlock(stored)] }] };
      expect(verdictsOf(merge(getCore(), input))).toEqual(['care', 'care', 'stale', 'care']);
    });
  });

  function check<T>(input: fc.Arbitrary<T>, proof: (value: T) => void): void {
    fc.assert(fc.property(input, proof), { numRuns: RUNS });
  }
}

function image(id: string, n: number, name = 'x'): Image {
  return { layout: 0, id, version: [0, n], state: 'live', row: encodeRow(LAYOUT, { name, count: 7 }) };
}

function batchOf(images: readonly Image[]): Omit<MergeInput, 'index'> {
  return { items: encodeImages(images), layouts: [LAYOUT], bases: [], attention: [], replace: 'newer' };
}

function indexed(core: BatchCore, items: Uint8Array, layouts: readonly Layout[]) {
  const index = core.indexBatch(items, layouts);
  if (!index.ok) throw new Error(`refused: ${index.status} at ${index.offset}`);
  return index;
}

function merge(core: BatchCore, input: Omit<MergeInput, 'index'>): MergedBatch {
  return core.mergeBatch({ ...input, index: indexed(core, input.items, input.layouts) });
}

function verdictsOf({ verdicts }: MergedBatch): BatchVerdict[] {
  return Array.from(verdicts, (verdict) => BATCH_VERDICTS[verdict]!);
}

function readMerged(merged: MergedBatch) {
  return { verdicts: verdictsOf(merged), put: unpack(merged.put), absent: unpack(merged.absent) };
}

function objectOf({ input }: AnyBatch, { layout }: Image): string {
  return input.layouts[layout]!.object;
}

/** The plan of the feed, where records that need the caller's care are taken out, and their groups with them. */
function verdictsObviously(batch: AnyBatch): BatchVerdict[] {
  const { images, input, attention } = batch;
  const { layouts, groups = [], groupOf = Int32Array.of(), replace } = input;
  const heldOf = (one: Image) => batch.bases.get(objectOf(batch, one))?.get(one.id);
  const baseVersions = images.map((one) => heldOf(one)?.version ?? NO_VERSION);
  const plan = planObviously(images, { layouts, baseVersions, attention, groups, groupOf: [...groupOf], replace });
  const recordOf = (one: Image): string => JSON.stringify([objectOf(batch, one), one.id]);
  const hasOwnCare = (one: Image): boolean => attention.some(({ object, id, flags }) => JSON.stringify([object, id]) === recordOf(one) && (flags & 16) !== 0);
  const isPlain = (one: Image): boolean => {
    const held = heldOf(one);
    return one.state === 'live' && (held === undefined || (held.state === 'live' && layouts[held.layout]!.hash === layouts[one.layout]!.hash));
  };
  const isUnplain = (index: number): boolean => !['superseded', 'stale'].includes(plan[index]!) && !isPlain(images[index]!);
  const careful = new Set(images.flatMap((one, index) => (hasOwnCare(one) || isUnplain(index) ? [recordOf(one)] : [])));
  return plan.map((verdict, index) => {
    const one = images[index]!, group = groupOf[index] ?? -1;
    if (verdict === 'superseded') return verdict;
    if (hasOwnCare(one)) return 'care';
    if (verdict === 'stale') return verdict;
    const family = group < 0 ? [one] : images.filter((_, other) => groupOf[other] === group);
    const isGroupCareful = group >= 0 && (groups[group]!.flags & 16) !== 0;
    return isGroupCareful || family.some((member) => careful.has(recordOf(member))) ? 'care' : verdict;
  });
}

function maskObviously(layout: Layout, before: Uint8Array | null, after: Uint8Array): Uint8Array {
  const mask = createMask(layout);
  const old = before === null ? layout.fields.map(() => Uint8Array.of(0xc0)) : splitRow(before);
  for (const [position, value] of splitRow(after).entries()) if (!bytesEqual(value, old[position]!)) setInMask(mask, position);
  return mask;
}

/** All rows by object and id; the order of the ids is that of the rows. */
function unpack(packed: readonly PackedRows[]): Record<string, Record<string, Uint8Array>> {
  return byObject(packed.flatMap(({ object, block }) => readRows(block).map(([id, bytes]) => ({ object, id, bytes }))), false);
}

function byObject(rows: readonly { readonly object: string; readonly id: string; readonly bytes: Uint8Array }[], isToSort = true): Record<string, Record<string, Uint8Array>> {
  const found: Record<string, Record<string, Uint8Array>> = {};
  for (const { object, id, bytes } of isToSort ? sortedRows(rows) : rows) (found[object] ??= {})[id] = bytes;
  return found;
}

function readRows(block: Uint8Array): [string, Uint8Array][] {
  expect(isRowBlock(block)).toBe(true);
  return Array.from({ length: countOf(block) }, (_, index) => [idAt(block, index), valueAt(block, index)]);
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What a call answers, or the code of its fault. */
function outcomeOf<T>(call: () => T): T | string {
  try {
    return call();
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}
