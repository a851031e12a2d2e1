import { describe, expect, test } from 'vitest';
import { newerThanShown, shownAfter, type Beside, type RecordNow } from '../../../src/client/handles/handle-state.ts';
import { newEntry } from '../../../src/client/queue/queue-entries.ts';
import type { QueueEntry } from '../../../src/client/queue/queue-entry.ts';
import { editRow, memberBetween } from '../../../src/client/queue/save.ts';
import type { HeldImage } from '../../../src/client/store/rows.ts';
import { layoutsOf } from '../../../src/protocol/layout.ts';
import { decodeRow, encodeCanonical, joinRow } from '../../../src/protocol/row.ts';
import { defineSchema, serverOwned, text } from '../../../src/schema.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), total: serverOwned(text()) } } } });
const layout = layoutsOf(schema).get('account')!;

type Values = { readonly name?: string; readonly city?: string; readonly total?: string };

const row = (values: Values): Uint8Array =>
  joinRow(layout.fields.map(({ name, type }) => encodeCanonical(type, values[name as keyof Values] ?? null)));

/** An own save that waits: from what was seen to what it makes of it. */
function waiting(seq: number, before: Values, after: Values | null): QueueEntry {
  const member = memberBetween(schema, layout, 'a1', row(before), after === null ? null : editRow(schema, layout, row(before), after), [1, 1])!;
  return newEntry(seq, 0, { members: [member], headers: [] });
}

/** The same once the server has taken it, and the record as that save left it. */
const taken = (entry: QueueEntry, onto: Values | null) => {
  const image: HeldImage = { layout, version: [1, 2], state: onto === null ? 'deleted' : 'live', row: onto === null ? null : row(onto) };
  return { sent: entry.members[0]!, onto: image };
};

const SHOWN: Values = { name: 'St. Mary', city: 'Ghent', total: '1' };
const toBruges = waiting(1, SHOWN, { city: 'Bruges' });

function after(shown: { readonly row: Values; readonly entries?: readonly QueueEntry[] }, now: Omit<Partial<RecordNow>, 'row'> & { readonly row: Values | null }) {
  const next = shownAfter(schema, layout, { row: row(shown.row), entries: shown.entries ?? [] }, { key: 'account/a1', entries: [], saved: [], ...now, row: now.row && row(now.row) });
  return decodeRow(layout, next.row);
}

describe('what a handle shows', () => {
  test.each<[what: string, shown: Parameters<typeof after>[0], now: Parameters<typeof after>[1], expected: Values]>([
    ['stays, whatever has become of the record', { row: SHOWN }, { row: { name: 'Other', city: 'Ypres', total: '9' } }, SHOWN],
    ['stays when the record is gone', { row: SHOWN }, { row: null }, SHOWN],
    ['takes what the user saves, in its fields alone', { row: SHOWN }, { row: { name: 'Other', city: 'Bruges', total: '9' }, entries: [toBruges] }, { ...SHOWN, city: 'Bruges' }],
    [
      'takes of an answer what the server made of the save, and what only it writes',
      { row: { ...SHOWN, city: 'Bruges' }, entries: [toBruges] },
      { row: { name: 'Other', city: 'Ypres', total: '9' }, saved: [taken(toBruges, { name: 'Other', city: 'BRUGES', total: '2' })] },
      { name: 'St. Mary', city: 'BRUGES', total: '2' },
    ],
    [
      'keeps what waits in a later save of the field',
      { row: { ...SHOWN, city: 'Ypres' }, entries: [toBruges, waiting(2, { ...SHOWN, city: 'Bruges' }, { city: 'Ypres' })] },
      { row: { ...SHOWN, city: 'Ypres', total: '2' }, entries: [waiting(2, { ...SHOWN, city: 'Bruges' }, { city: 'Ypres' })], saved: [taken(toBruges, { ...SHOWN, city: 'BRUGES', total: '2' })] },
      { ...SHOWN, city: 'Ypres', total: '2' },
    ],
    ['shows what the record holds once a change is taken back, in its fields alone', { row: { ...SHOWN, city: 'Bruges' }, entries: [toBruges] }, { row: { name: 'Other', city: 'Ypres', total: '9' } }, { ...SHOWN, city: 'Ypres' }],
    ['keeps all of it while the user deletes the record', { row: SHOWN }, { row: null, entries: [waiting(1, SHOWN, null)] }, SHOWN],
    ['keeps all of it when the delete is taken back', { row: SHOWN, entries: [waiting(1, SHOWN, null)] }, { row: { name: 'Other', city: 'Ypres', total: '9' } }, SHOWN],
    ['keeps all of it when the server takes the record away with the save', { row: { ...SHOWN, city: 'Bruges' }, entries: [toBruges] }, { row: null, saved: [taken(toBruges, null)] }, { ...SHOWN, city: 'Bruges' }],
    [
      'shows the later of two answers',
      { row: { ...SHOWN, city: 'Bruges' }, entries: [toBruges] },
      { row: SHOWN, saved: [taken(toBruges, { ...SHOWN, city: 'BRUGES', total: '2' }), taken(waiting(2, SHOWN, { name: 'Mary' }), { ...SHOWN, name: 'MARY', total: '3' })] },
      { name: 'MARY', city: 'BRUGES', total: '3' },
    ],
  ])('%s', (_, shown, now, expected) => {
    expect(after(shown, now)).toEqual(expected);
  });
});

describe('what is newer than a handle shows', () => {
  const ALL: Beside = { shown: row(SHOWN), row: row(SHOWN), baseState: 'live', aside: null, isSubmitted: false, isGroupAside: false };
  test.each<[what: string, beside: Partial<Beside>, expected: ReturnType<typeof newerThanShown>]>([
    ['nothing, where it shows all there is', {}, null],
    ['other values that wait', { aside: 'live' }, 'changed'],
    ['other values that are here already', { row: row({ ...SHOWN, name: 'Other' }) }, 'changed'],
    ['something of its group that waits', { isGroupAside: true }, 'changed'],
    ['a submission elsewhere', { aside: 'live', isSubmitted: true }, 'submitted'],
    ['a delete that waits, submitted or not', { aside: 'deleted', isSubmitted: true }, 'deleted'],
    ['that the user may not see it any more', { aside: 'hidden' }, 'hidden'],
    ['that it was deleted here', { row: null }, 'deleted'],
    ['that it went out of the user’s sight', { row: null, baseState: 'hidden' }, 'hidden'],
    ['that it is gone without a trace', { row: null, baseState: undefined }, 'deleted'],
  ])('%s', (_, beside, expected) => {
    expect(newerThanShown({ ...ALL, ...beside })).toBe(expected);
  });
});
