import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Core, FeedPlanInput, PlanGroup } from '../../src/core/core.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import type { Layout } from '../../src/protocol/layout.ts';
import { createMask, decodeRow, encodeRow, isInMask, setInMask } from '../../src/protocol/row.ts';
import { NO_VERSION, type RecordVersion } from '../../src/protocol/version.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import {
  anyBytes,
  anyChangeItems,
  anyImage,
  anyImageItems,
  anyLayout,
  anyLayouts,
  anyRecord,
  anyVersion,
  editOf,
  mutated,
  recordAndEdit,
} from './arbitraries.ts';
import { isCanonicalRow, isSameValue, planObviously, readImagesObviously } from './oracle.ts';
import { readTable } from './read-table.ts';

const RUNS = 100;

/** What holds of every build for any input: compared with the obvious version on decoded values, and with the twin. */
export function describeProperties(getCore: () => Core): void {
  const twin = createTwinCore();

  describe('for any input', () => {
    test('accepts a row exactly when writing the values that it holds gives the same bytes', () => {
      const rowOrMutant = anyLayout().chain((layout) =>
        anyRecord(layout).chain((record) => {
          const row = encodeRow(layout, record);
          return fc.oneof({ weight: 1, arbitrary: fc.constant(row) }, { weight: 6, arbitrary: mutated(row) }).map((bytes) => ({ layout, bytes }));
        }),
      );
      check(rowOrMutant, ({ layout, bytes }) => {
        expect(getCore().validateRow(layout, bytes).ok).toBe(isCanonicalRow(layout, bytes));
      });
    });

    test('accepts images exactly when writing what they say gives the same bytes', () => {
      check(withMutants(anyImageItems), ({ layouts, items }) => {
        const table = getCore().readImages(items, layouts);
        expect(table.ok ? readTable(table) : null).toEqual(readImagesObviously(items, layouts));
      });
    });

    test('refuses bytes of a row for the same reason, at the same byte, as the twin', () => {
      check(fc.tuple(anyLayout(), anyBytes), ([layout, bytes]) => {
        expect(getCore().validateRow(layout, bytes)).toEqual(twin.validateRow(layout, bytes));
      });
    });

    test('reads any images as the twin does', () => {
      check(withMutants(anyImageItems), ({ layouts, items }) => {
        expect(readTable(getCore().readImages(items, layouts))).toEqual(readTable(twin.readImages(items, layouts)));
      });
    });

    test('reads any changes as the twin does', () => {
      check(withMutants(anyChangeItems), ({ layouts, items }) => {
        expect(readTable(getCore().readChanges(items, layouts))).toEqual(readTable(twin.readChanges(items, layouts)));
      });
    });

    test('scans any message as the twin does', () => {
      const message = fc.oneof(anyBytes, anyImageItems.chain(({ items }) => mutated(items)));
      check(message, (bytes) => {
        expect(getCore().scanMessage(bytes)).toEqual(twin.scanMessage(bytes));
      });
    });

    test('compares, checks and applies any bytes as the twin does', () => {
      const input = anyLayout().chain((layout) =>
        fc.tuple(recordAndEdit(layout), fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })).chain(([[before, after], isEdited]) => {
          const row = encodeRow(layout, before), other = encodeRow(layout, after);
          const edit = editOf(layout, row, other, isEdited);
          const orMutant = (bytes: Uint8Array) => fc.oneof({ weight: 3, arbitrary: fc.constant(bytes) }, { weight: 1, arbitrary: mutated(bytes) });
          return fc.record({
            layout: fc.constant(layout),
            row: orMutant(row),
            other: orMutant(other),
            edit: fc.record({ mask: orMutant(edit.mask), previous: orMutant(edit.previous), next: orMutant(edit.next) }),
          });
        }),
      );
      check(input, ({ layout, row, other, edit }) => {
        for (const call of [
          (core: Core) => core.diffRows(layout, row, other),
          (core: Core) => core.checkEdit(layout, edit, row),
          (core: Core) => core.applyEdit(layout, edit, edit.mask, row),
        ]) {
          expect(outcomeOf(() => call(getCore()))).toEqual(outcomeOf(() => call(twin)));
        }
      });
    });

    test('finds exactly the fields whose values differ', () => {
      check(pairOfRecords, ({ layout, before, after }) => {
        const mask = getCore().diffRows(layout, encodeRow(layout, before), encodeRow(layout, after));
        const left = decodeRow(layout, encodeRow(layout, before)), right = decodeRow(layout, encodeRow(layout, after));
        expect(fieldsOf(layout, mask)).toEqual(namesOf(layout).filter((name) => !isSameValue(left[name], right[name])));
      });
    });

    test('compares many pairs at once as it compares each', () => {
      const pairs = anyLayout().chain((layout) => fc.tuple(fc.constant(layout), fc.array(recordAndEdit(layout), { maxLength: 8 })));
      check(pairs, ([layout, records]) => {
        const rows = records.map((pair) => pair.map((record) => encodeRow(layout, record)) as [Uint8Array, Uint8Array]);
        const [before, after] = [rows.map(([row]) => row), rows.map(([, row]) => row)];
        const masks = concatBytes(rows.map((pair) => getCore().diffRows(layout, ...pair)));
        expect(getCore().diffBatch(layout, rows.length, concatBytes(before), concatBytes(after))).toEqual(masks);
        const ends = { before: endsOf(before), after: endsOf(after) };
        expect(getCore().diffBatch(layout, rows.length, concatBytes(before), concatBytes(after), ends)).toEqual(masks);
      });
    });

    test('checks each field of an edit against the current value', () => {
      check(editAndCurrent, ({ layout, previous, next, current, isEdited }) => {
        const check = getCore().checkEdit(layout, editOf(layout, previous, next, isEdited), current);
        const [was, will, is] = [previous, next, current].map((row) => decodeRow(layout, row)) as [Values, Values, Values];
        const open = namesOf(layout).filter((name, position) => isEdited[position] && !isSameValue(is[name], will[name]));
        expect(fieldsOf(layout, check.writes)).toEqual(open.filter((name) => isSameValue(is[name], was[name])));
        expect(fieldsOf(layout, check.conflicts)).toEqual(open.filter((name) => !isSameValue(is[name], was[name])));
        expect([check.hasWrites, check.hasConflicts]).toEqual([check.writes.some(Boolean), check.conflicts.some(Boolean)]);
      });
    });

    test('checks many edits at once as it checks each', () => {
      const edits = anyLayout().chain((layout) => fc.tuple(fc.constant(layout), fc.array(editOfLayout(layout), { maxLength: 6 })));
      check(edits, ([layout, cases]) => {
        const parts = cases.map(({ previous, next, isEdited }) => editOf(layout, previous, next, isEdited));
        const joined = {
          mask: concatBytes(parts.map(({ mask }) => mask)),
          previous: concatBytes(parts.map((edit) => edit.previous)),
          next: concatBytes(parts.map((edit) => edit.next)),
        };
        const batch = getCore().checkBatch(layout, cases.length, joined, concatBytes(cases.map(({ current }) => current)));
        const each = cases.map(({ current }, index) => getCore().checkEdit(layout, parts[index]!, current));
        expect(batch.conflicts).toEqual(concatBytes(each.map(({ conflicts }) => conflicts)));
        expect(batch.writes).toEqual(concatBytes(each.map(({ writes }) => writes)));
      });
    });

    test('applies the asked fields of an edit and leaves the others', () => {
      check(editAndCurrent, ({ layout, previous, next, current, isEdited, isApplied }) => {
        const mask = createMask(layout);
        namesOf(layout).forEach((_, position) => isEdited[position] && isApplied[position] && setInMask(mask, position));
        const row = getCore().applyEdit(layout, editOf(layout, previous, next, isEdited), mask, current);
        const asked = namesOf(layout).filter((_, position) => isInMask(mask, position));
        const merged = { ...decodeRow(layout, current), ...Object.fromEntries(asked.map((name) => [name, decodeRow(layout, next)[name]])) };
        expect(row).toEqual(encodeRow(layout, merged));
      });
    });

    test('an applied edit differs from the current row in the fields it wrote, and is equal when checked again', () => {
      check(editAndCurrent, ({ layout, previous, next, current, isEdited }) => {
        const edit = editOf(layout, previous, next, isEdited);
        const { writes, conflicts } = getCore().checkEdit(layout, edit, current);
        const row = getCore().applyEdit(layout, edit, writes, current);
        expect(getCore().diffRows(layout, current, row)).toEqual(writes);
        const again = getCore().checkEdit(layout, edit, row);
        expect([again.hasWrites, again.conflicts]).toEqual([false, conflicts]);
      });
    });

    test('plans a feed batch as the rules say', () => {
      check(feedBatch, ({ images, ...input }) => {
        expect(getCore().planFeed({ ...input, items: encodeImages(images) })).toEqual({ ok: true, verdicts: planObviously(images, input) });
      });
    });

    test('merges of a group the newer images all at once or none of them', () => {
      check(feedBatch, ({ images, groups = [], groupOf = [], ...input }) => {
        const plan = getCore().planFeed({ ...input, groups, groupOf, items: encodeImages(images) });
        if (!plan.ok) throw new Error(plan.status);
        for (const group of groups.keys()) {
          const verdicts = plan.verdicts.filter((verdict, index) => groupOf[index] === group && verdict !== 'stale' && verdict !== 'superseded');
          expect(new Set(verdicts).size).toBeLessThanOrEqual(1);
        }
      });
    });

    test('merges the same images however a batch is split and shuffled', () => {
      const batch = feedBatch.chain((input) => {
        const count = input.images.length;
        return fc.tuple(fc.constant(input), fc.shuffledSubarray([...input.images], { minLength: count }), fc.nat(count));
      });
      check(batch, ([input, shuffled, middle]) => {
        const whole = mergeBatches(getCore(), input, [input.images]);
        const parts = mergeBatches(getCore(), input, [shuffled.slice(0, middle), shuffled.slice(middle)]);
        expect(parts).toEqual(whole);
      });
    });

    test('reads images one part after another as it reads them whole', () => {
      check(fc.tuple(anyImageItems, fc.nat()), ([{ layouts, items }, place]) => {
        const whole = getCore().readImages(items, layouts);
        if (!whole.ok) throw new Error(whole.status);
        const images = readTable(whole) as Image[];
        const middle = images.length === 0 ? 0 : place % images.length;
        const parts = [images.slice(0, middle), images.slice(middle)].map((part) => getCore().readImages(encodeImages(part), layouts));
        expect(parts.flatMap((part) => readTable(part) as Image[])).toEqual(images);
      });
    });
  });
}

type Values = ReturnType<typeof decodeRow>;

const pairOfRecords = anyLayout().chain((layout) => recordAndEdit(layout).map(([before, after]) => ({ layout, before, after })));

const editAndCurrent = anyLayout().chain((layout) => editOfLayout(layout).map((edit) => ({ layout, ...edit })));

/** Rows as an edit meets them, which share most values: as the record was seen, as it is to be, as it is. */
interface EditCase {
  readonly previous: Uint8Array;
  readonly next: Uint8Array;
  readonly current: Uint8Array;
  readonly isEdited: readonly boolean[];
  readonly isApplied: readonly boolean[];
}

function editOfLayout(layout: Layout): fc.Arbitrary<EditCase> {
  const length = layout.fields.length;
  const flags = fc.array(fc.boolean(), { minLength: length, maxLength: length });
  const dice = fc.array(fc.constantFrom(0, 1, 2, 3), { minLength: length, maxLength: length });
  return fc
    .tuple(recordAndEdit(layout), anyRecord(layout), dice, flags, flags)
    .map(([[seen, saved], other, rolled, isEdited, isApplied]) => {
      const currentOf = (name: string, position: number) => [seen, seen, saved, other][rolled[position]!]![name]!;
      const current = Object.fromEntries(layout.fields.map(({ name }, position) => [name, currentOf(name, position)]));
      return { previous: encodeRow(layout, seen), next: encodeRow(layout, saved), current: encodeRow(layout, current), isEdited, isApplied };
    });
}

/** A batch in which records come more than once. */
interface FeedBatch extends Omit<FeedPlanInput, 'items'> {
  readonly images: readonly Image[];
}

const someId = fc.constantFrom('a', 'b', 'c', 'ü');

const anyAttention = fc.record({ object: fc.constantFrom('order', 'contact', 'nothing here'), id: someId, flags: fc.integer({ min: 0, max: 15 }) });

/** Versions as manifests, bases and what is kept aside name them: alike enough to meet, and beyond 2^32 too. */
const nearVersion = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom(0, 1, 2, 2 ** 32, 2 ** 32 + 1)) satisfies fc.Arbitrary<RecordVersion>;

const anyNeed = fc.record({ image: fc.integer({ min: -1, max: 7 }), version: fc.oneof(nearVersion, anyVersion), held: nearVersion });

const feedBatch: fc.Arbitrary<FeedBatch> = anyLayouts.chain((layouts) =>
  fc.record({
    layouts: fc.constant(layouts),
    images: fc.array(anyImage(layouts, someId), { maxLength: 8 }),
    versions: fc.array(fc.oneof(fc.constant(NO_VERSION), anyVersion), { minLength: 8, maxLength: 8 }),
    attention: fc.array(anyAttention, { maxLength: 4 }),
    groups: fc.array(fc.record({ flags: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15 })), needs: fc.array(anyNeed, { maxLength: 4 }) }), { maxLength: 3 }),
    dice: fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 8, maxLength: 8 }),
    replace: fc.constantFrom('newer' as const, 'newer-or-equal' as const),
  }),
).map(({ versions, dice, groups, ...input }) => {
  const bases = new Map<string, RecordVersion>();
  const baseVersions = input.images.map((image, index) => {
    const record = `${input.layouts[image.layout]!.object} ${image.id}`;
    if (!bases.has(record)) bases.set(record, versions[index]!);
    return bases.get(record)!;
  });
  const count = input.images.length;
  const needsOf = ({ needs }: PlanGroup) => needs.map((need) => ({ ...need, image: need.image < count ? need.image : -1 }));
  const groupOf = dice.slice(0, count).map((group) => (group < groups.length ? group : -1));
  return { ...input, baseVersions, groups: groups.map((group) => ({ ...group, needs: needsOf(group) })), groupOf };
});

/** Plans batch after batch with the bases that the merges before left, and says which version of each record was merged last. */
function mergeBatches(core: Core, input: FeedBatch, batches: readonly (readonly Image[])[]): [string, RecordVersion][] {
  const { layouts, images, baseVersions, attention } = input;
  const recordOf = (image: Image): string => `${layouts[image.layout]!.object} ${image.id}`;
  const bases = new Map(images.map((image, index) => [recordOf(image), baseVersions[index]!]));
  for (const batch of batches) {
    const plan = core.planFeed({
      items: encodeImages(batch), layouts, attention, replace: 'newer', baseVersions: batch.map((image) => bases.get(recordOf(image))!),
    });
    if (!plan.ok) throw new Error(plan.status);
    batch.forEach((image, index) => plan.verdicts[index] === 'merge' && bases.set(recordOf(image), image.version));
  }
  return [...bases].sort(([left], [right]) => (left < right ? -1 : 1));
}

function withMutants<T extends { items: Uint8Array }>(valid: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return valid.chain((input) =>
    fc
      .oneof(
        { weight: 1, arbitrary: fc.constant(input.items) },
        { weight: 3, arbitrary: mutated(input.items) },
        { weight: 1, arbitrary: anyBytes },
      )
      .map((items) => ({ ...input, items })),
  );
}

function namesOf(layout: Layout): string[] {
  return layout.fields.map(({ name }) => name);
}

function fieldsOf(layout: Layout, mask: Uint8Array): string[] {
  return namesOf(layout).filter((_, position) => isInMask(mask, position));
}

/** What a call answered, or the code of its fault. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return (thrown as { code?: string }).code ?? thrown;
  }
}

function check<T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, property), { numRuns: RUNS });
}

function endsOf(rows: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(rows, ({ length }) => (end += length));
}
