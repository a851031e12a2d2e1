import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ATTENTION, type Core, type RowEnds } from '../../src/core/core.ts';
import { encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeChanges, encodeImages, type Change, type Image } from '../../src/protocol/items.ts';
import { createLayout, type Layout } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { NO_VERSION } from '../../src/protocol/version.ts';
import { concatBytes } from '../../src/shared/bytes.ts';
import { anyChange, anyImage, anyLayouts, editOf, recordAndEdit, type AnyEdit } from '../core/arbitraries.ts';
import { readTable } from '../core/read-table.ts';

/** Valid bytes of every kind that the core reads, all of the same layouts. */
export interface Messages {
  readonly layouts: readonly Layout[];
  readonly envelope: Uint8Array;
  readonly images: Uint8Array;
  readonly imageCount: number;
  readonly changes: Uint8Array;
  /** Rows of the first layout, one after another, and as they were edited. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly pairCount: number;
  readonly ends: RowEnds;
  readonly edits: AnyEdit;
  /** The first pair by itself. */
  readonly row: Uint8Array;
  readonly other: Uint8Array;
  readonly edit: AnyEdit;
}

const ATTENTIVE = [{ object: 'order', id: 'a', flags: ATTENTION.inUse }, { object: 'contact', id: 'ü', flags: ATTENTION.pending }];

/** One call of each kind: adding one to the core means adding it here. */
export const CORE_CALLS: { readonly [Call in Exclude<keyof Core, 'build'> | 'diffBatch, whose ends are known']: (core: Core, messages: Messages) => unknown } = {
  scanMessage: (core, { envelope }) => core.scanMessage(envelope),
  readImages: (core, { images, layouts }) => readTable(core.readImages(images, layouts)),
  readChanges: (core, { changes, layouts }) => readTable(core.readChanges(changes, layouts)),
  validateRow: (core, { row, layouts }) => core.validateRow(layouts[0]!, row),
  diffRows: (core, { row, other, layouts }) => core.diffRows(layouts[0]!, row, other),
  diffBatch: (core, { before, after, pairCount, layouts }) => core.diffBatch(layouts[0]!, pairCount, before, after),
  'diffBatch, whose ends are known': (core, { before, after, pairCount, layouts, ends }) => core.diffBatch(layouts[0]!, pairCount, before, after, ends),
  checkEdit: (core, { edit, row, layouts }) => core.checkEdit(layouts[0]!, edit, row),
  checkBatch: (core, { edits, before, pairCount, layouts }) => core.checkBatch(layouts[0]!, pairCount, edits, before),
  applyEdit: (core, { edit, row, layouts }) => core.applyEdit(layouts[0]!, edit, edit.mask, row),
  planFeed: (core, { images, imageCount, layouts }) =>
    core.planFeed({
      items: images,
      layouts,
      baseVersions: Array.from({ length: imageCount }, () => NO_VERSION),
      attention: ATTENTIVE,
      groups: [{ flags: 0, needs: imageCount === 0 ? [] : [{ image: 0, version: [1, 1], held: NO_VERSION }] }],
      groupOf: Array.from({ length: imageCount }, (_, index) => (index % 3 === 0 ? 0 : -1)),
      replace: 'newer',
    }),
};

/** What a call answered, or its fault in words: both say why bytes were refused. */
export function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    const { name, code, message } = thrown as { name?: string; code?: string; message?: string };
    return { thrown: name, code, message };
  }
}

/** What a call answered in a few bytes, where it would be long to compare value by value. */
export function digestOf(outcome: unknown): string {
  const text = JSON.stringify(outcome, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value));
  return createHash('sha256').update(text).digest('hex');
}

/** Messages of the given sizes, the same for a seed. */
export function sampleMessages(seed: number, { messages = 1, items = 6, pairs = 4 } = {}): Messages[] {
  const arbitrary = anyLayouts.chain((layouts) =>
    fc.record({
      layouts: fc.constant(layouts),
      images: fc.array(anyImage(layouts), { minLength: 1, maxLength: items }),
      changes: fc.array(anyChange(layouts), { minLength: 1, maxLength: items }),
      pairs: fc.array(recordAndEdit(layouts[0]!), { minLength: 1, maxLength: pairs }),
      isEdited: fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
    }),
  );
  return fc.sample(arbitrary, { seed, numRuns: messages }).map(({ layouts, images, changes, pairs: records, isEdited }) => {
    const rows = records.map((pair) => pair.map((record) => encodeRow(layouts[0]!, record)) as [Uint8Array, Uint8Array]);
    return messagesOf(layouts, images, changes, rows, isEdited);
  });
}

/** Messages of so many records, changes and pairs of rows, of which the first has a text of so many bytes. */
export function manyOf(count: number, textBytes = 10): Messages {
  const layout = createLayout('order', [{ name: 'name', type: 'text' }, { name: 'amount', type: 'integer' }, { name: 'notes', type: 'text' }]);
  const row = (name: string, amount: number): Uint8Array => encodeRow(layout, { name, amount, notes: 'urgent' });
  const images = Array.from({ length: count }, (_, index): Image => ({ layout: 0, id: `record ${index}`, version: [1, index + 1], state: 'live', row: row('a', index) }));
  const changes = images.map(({ id, row: next }): Change => ({ layout: 0, id, op: 'create', base: NO_VERSION, mask: null, previous: null, next }));
  const rows = images.map((_, index): readonly [Uint8Array, Uint8Array] => {
    const name = 'x'.repeat(index === 0 ? textBytes : 10);
    return [row(name, index), row(`${name}y`, index)];
  });
  return messagesOf([layout], images, changes, rows, [true, false, true]);
}

function messagesOf(
  layouts: readonly Layout[], images: readonly Image[], changes: readonly Change[], rows: readonly (readonly [Uint8Array, Uint8Array])[], isEdited: readonly boolean[],
): Messages {
  const edits = rows.map(([before, after]) => editOf(layouts[0]!, before, after, isEdited));
  const joined = (name: keyof AnyEdit): Uint8Array => concatBytes(edits.map((edit) => edit[name]));
  const items = encodeImages(images);
  return {
    layouts,
    envelope: encodeEnvelope({ layouts: layouts.map(({ object, fields }) => [object, fields.map(({ name }) => [name, 1])]), items, next: null, more: false }),
    images: items,
    imageCount: images.length,
    changes: encodeChanges(changes),
    before: concatBytes(rows.map(([before]) => before)),
    after: concatBytes(rows.map(([, after]) => after)),
    pairCount: rows.length,
    ends: { before: endsOf(rows.map(([before]) => before)), after: endsOf(rows.map(([, after]) => after)) },
    edits: { mask: joined('mask'), previous: joined('previous'), next: joined('next') },
    row: rows[0]![0],
    other: rows[0]![1],
    edit: edits[0]!,
  };
}

function endsOf(rows: readonly Uint8Array[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(rows, ({ length }) => (end += length));
}
