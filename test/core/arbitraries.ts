import fc from 'fast-check';
import { FIELD_TYPE_CODES, type FieldType, type FieldValue, type JsonValue } from '../../src/protocol/field.ts';
import { encodeChanges, encodeImages, type Change, type Image } from '../../src/protocol/items.ts';
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { createMask, encodeRow, joinRow, setInMask, splitRow } from '../../src/protocol/row.ts';
import { VALUE_LIMITS } from '../../src/protocol/value.ts';
import type { RecordVersion } from '../../src/protocol/version.ts';

const FIELD_TYPES = Object.keys(FIELD_TYPE_CODES) as FieldType[];

/** Characters of one to four bytes, at the edges of each length. */
const character = fc.constantFrom(
  ...['a', 'b', 'Z', '0', '9', '-', '.', ' ', '\0', '\x7f'],
  ...['\x80', 'ü', '\u07ff', '\u0800', '€', '\ud7ff', '\ue000', '～', '\uffff', '\u{10000}', '😀', '\u{10ffff}'],
);

/** Well-formed text, around the lengths at which its header grows. */
const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: character, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 30, maxLength: 34 }) },
  { weight: 1, arbitrary: fc.tuple(character, fc.integer({ min: 60, max: 260 })).map(([unit, count]) => unit.repeat(count)) },
);

const wholeNumber = fc.oneof(
  fc.integer({ min: -200, max: 300 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
);

const anyNumber = fc.oneof(wholeNumber, fc.double({ noNaN: true, noDefaultInfinity: true }));

const instant = fc
  .date({ min: new Date(VALUE_LIMITS.firstInstantMs), max: new Date(VALUE_LIMITS.lastInstantMs), noInvalidDate: true })
  .map((date) => date.toISOString());

const jsonValue = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    anyNumber,
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const digitsAndScale = fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 10 }));

const decimal = digitsAndScale.map(([isNegative, whole, scale]) => {
  const digits = whole.toString().padStart(scale + 1, '0');
  const magnitude = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return isNegative ? `-${magnitude}` : magnitude;
});

const VALUES: Readonly<Record<FieldType, fc.Arbitrary<FieldValue>>> = {
  text,
  textKeepingEmpty: text,
  integer: wholeNumber,
  number: anyNumber,
  decimal,
  boolean: fc.boolean(),
  date: instant.map((value) => value.slice(0, 10)),
  dateTime: instant,
  picklist: text,
  multiPicklist: fc.array(text.filter((value) => value !== ''), { maxLength: 4 }),
  reference: text,
  json: jsonValue,
};

/** A value that a host may save in a field, or none. */
export function valueOf(type: FieldType): fc.Arbitrary<FieldValue> {
  return fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 5, arbitrary: VALUES[type] });
}

/** A layout of up to 20 fields. */
export function anyLayout(object = 'order'): fc.Arbitrary<Layout> {
  return fc
    .array(fc.constantFrom(...FIELD_TYPES), { maxLength: 20, size: 'medium' })
    .map((types) => createLayout(object, types.map((type, index) => ({ name: `f${index}`, type }))));
}

/** Values for every field of a layout. */
export function anyRecord(layout: Layout): fc.Arbitrary<Record<string, FieldValue>> {
  return fc.record(Object.fromEntries(layout.fields.map(({ name, type }) => [name, valueOf(type)])));
}

/** A record, and the same with some fields changed. */
export function recordAndEdit(layout: Layout): fc.Arbitrary<[Record<string, FieldValue>, Record<string, FieldValue>]> {
  return fc.tuple(anyRecord(layout), anyRecord(layout), fc.infiniteStream(fc.integer({ min: 0, max: 3 }))).map(([record, other, dice]) => {
    const edited = Object.fromEntries(layout.fields.map(({ name }) => [name, dice.next().value === 0 ? other[name]! : record[name]!]));
    return [record, edited];
  });
}

export const anyId: fc.Arbitrary<string> = fc.oneof(
  fc.uuid(),
  fc.constantFrom('a', 'b', 'ü', 'x'.repeat(255)),
  fc.string({ unit: character, minLength: 1, maxLength: 20 }),
);

export const anyVersion: fc.Arbitrary<RecordVersion> = fc.tuple(
  fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(2 ** 31 - 1)),
  fc.oneof(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  ),
);

/** An image of one of the layouts. */
export function anyImage(layouts: readonly Layout[], id: fc.Arbitrary<string> = anyId): fc.Arbitrary<Image> {
  return fc.integer({ min: 0, max: layouts.length - 1 }).chain((layout) =>
    fc.record({
      layout: fc.constant(layout),
      id,
      version: anyVersion,
      content: fc.oneof(
        { weight: 4, arbitrary: anyRecord(layouts[layout]!) },
        { weight: 1, arbitrary: fc.constantFrom('deleted' as const, 'hidden' as const) },
      ),
    }),
  ).map(({ content, ...image }) =>
    typeof content === 'string'
      ? { ...image, state: content, row: null }
      : { ...image, state: 'live', row: encodeRow(layouts[image.layout]!, content) },
  );
}

/** An edit of a record: mask, previous and new values. */
export interface AnyEdit {
  readonly mask: Uint8Array;
  readonly previous: Uint8Array;
  readonly next: Uint8Array;
}

/** Takes from two rows the values of the fields that `isEdited` names. */
export function editOf(layout: Layout, previous: Uint8Array, next: Uint8Array, isEdited: readonly boolean[]): AnyEdit {
  const mask = createMask(layout);
  const positions = layout.fields.map((_, position) => position).filter((position) => isEdited[position]);
  for (const position of positions) setInMask(mask, position);
  const valuesOf = (row: Uint8Array): Uint8Array => {
    const values = splitRow(row);
    return joinRow(positions.map((position) => values[position]!));
  };
  return { mask, previous: valuesOf(previous), next: valuesOf(next) };
}

/** A change of one of the layouts. */
export function anyChange(layouts: readonly Layout[]): fc.Arbitrary<Change> {
  return fc.integer({ min: 0, max: layouts.length - 1 }).chain((index): fc.Arbitrary<Change> => {
    const layout = layouts[index]!;
    const fieldCount = layout.fields.length;
    return fc
      .record({
        id: anyId,
        base: anyVersion,
        op: fc.constantFrom('create' as const, 'update' as const, 'remove' as const),
        rows: recordAndEdit(layout).map((records) => records.map((record) => encodeRow(layout, record))),
        isEdited: fc.array(fc.boolean(), { minLength: fieldCount, maxLength: fieldCount }),
      })
      .map(({ id, base, op, rows, isEdited }) => {
        const [before, after] = rows as [Uint8Array, Uint8Array];
        const edit = editOf(layout, before, after, isEdited);
        // An update names at least one field.
        const possible = op === 'update' && !isEdited.includes(true) ? 'remove' : op;
        const head = { layout: index, id, op: possible, base };
        if (possible === 'create') return { ...head, mask: null, previous: null, next: after };
        return { ...head, mask: edit.mask, previous: edit.previous, next: possible === 'update' ? edit.next : null };
      });
  });
}

/** Two or three layouts, the last of the same object as the first. */
export const anyLayouts: fc.Arbitrary<Layout[]> = fc.tuple(anyLayout('order'), anyLayout('contact'), anyLayout('order'));

export interface AnyItems {
  readonly layouts: readonly Layout[];
  readonly items: Uint8Array;
}

/** Images as a message carries them. */
export const anyImageItems: fc.Arbitrary<AnyItems> = anyLayouts.chain((layouts) =>
  fc.array(anyImage(layouts), { maxLength: 6 }).map((images) => ({ layouts, items: encodeImages(images) })),
);

/** Changes as a message carries them. */
export const anyChangeItems: fc.Arbitrary<AnyItems> = anyLayouts.chain((layouts) =>
  fc.array(anyChange(layouts), { maxLength: 6 }).map((changes) => ({ layouts, items: encodeChanges(changes) })),
);

/** Bytes that reach into every branch of a reader: tags, lengths near their limits, digits, parts of UTF-8. */
const telling = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(
    ...[0x00, 0x20, 0x2d, 0x2e, 0x30, 0x39, 0x7f, 0x80, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xaa, 0xbf],
    ...[0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf],
    ...[0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xed, 0xf0, 0xf4, 0xff],
  ),
);

/** Any bytes, tags more often than others. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc.array(telling, { maxLength: 64 }).map((bytes) => Uint8Array.from(bytes));

/** An array of 2^32 - 1 members, a map of 2^31, a text of nearly 4 GiB. */
const HUGE_HEADERS = [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdf, 0x80, 0, 0, 0], [0xdb, 0xff, 0xff, 0xff, 0xfe]] as const;

/** The same bytes with a few overwritten, cut out, put in, or cut off. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.integer({ min: 0, max: Math.max(0, bytes.length - 1) });
  const mutation = fc.oneof(
    fc.record({ at: place, cut: fc.constant(1), put: fc.array(telling, { minLength: 1, maxLength: 1 }) }),
    fc.record({ at: place, cut: fc.integer({ min: 0, max: 3 }), put: fc.array(telling, { maxLength: 3 }) }),
    fc.record({ at: place, cut: fc.constant(0), put: fc.constantFrom(...HUGE_HEADERS) }),
    fc.record({ at: place, cut: fc.constant(bytes.length), put: fc.constant([]) }),
  );
  return fc.array(mutation, { minLength: 1, maxLength: 3 }).map((mutations) => {
    let changed = [...bytes];
    for (const { at, cut, put } of mutations) changed = [...changed.slice(0, at), ...put, ...changed.slice(at + cut)];
    return Uint8Array.from(changed);
  });
}
