import { describe, expect, test } from 'vitest';
import { describeOnBothStores } from './both-stores.ts';
import { createWorld, type TestChange, type Values } from './harness.ts';

const ACCOUNT: Values = { name: 'St. Mary', city: 'Ghent', tier: 'A', staff: 7 };
const create: TestChange = { create: 'account', id: 'a1', values: ACCOUNT };
const order: TestChange = { create: 'order', id: 'o1', values: { status: 'open', notes: 'n' } };
const line: TestChange = { create: 'line', id: 'l1', values: { order: 'o1', quantity: 1 } };

interface SaveCase {
  readonly name: string;
  /** Saved by another device first, one entry each. */
  readonly before: readonly (readonly TestChange[])[];
  readonly save: readonly TestChange[];
  readonly expected: object;
  /** Versions of the records online after it; 0 for none. */
  readonly versions: Readonly<Record<string, number>>;
  readonly feedRows: number;
}

const refused = (refusalClass: string, more: object = {}): object => ({ outcome: 'refused', class: refusalClass, ...more });

const CASES: readonly SaveCase[] = [
  { name: 'a create', before: [], save: [create], expected: { outcome: 'saved', committedImages: [{ version: [1, 1], values: ACCOUNT }] }, versions: { 'account a1': 1 }, feedRows: 1 },
  {
    name: 'A20: a create of a record that is equal in every device field is accepted, and nothing is written',
    before: [[create]], save: [create], expected: { outcome: 'saved', currentImages: [{ version: [1, 1] }] }, versions: { 'account a1': 1 }, feedRows: 0,
  },
  {
    name: 'A20: a create of a record that exists with other values is a duplicate key',
    before: [[create]], save: [{ create: 'account', id: 'a1', values: { ...ACCOUNT, city: 'Bruges' } }],
    expected: refused('duplicate-key', { onlineImage: { values: { city: 'Ghent' } } }), versions: { 'account a1': 1 }, feedRows: 0,
  },
  {
    name: 'C6: a create of a deleted record brings it back, its version goes on, what the server gave stays',
    before: [[create], [{ remove: 'account', id: 'a1' }]], save: [{ create: 'account', id: 'a1', values: { name: 'Again' } }],
    expected: { outcome: 'saved', committedImages: [{ version: [1, 3], values: { name: 'Again', city: null, number: 'A-000001' } }] }, versions: { 'account a1': 3 }, feedRows: 1,
  },
  {
    name: 'A19: an update whose previous value is online', before: [[create]],
    save: [{ update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } }],
    expected: { outcome: 'saved', committedImages: [{ version: [1, 2], values: { ...ACCOUNT, city: 'Bruges' } }] }, versions: { 'account a1': 2 }, feedRows: 1,
  },
  {
    name: 'A19: updates of different fields are no conflict', before: [[create], [{ update: 'account', id: 'a1', from: { tier: 'A' }, to: { tier: 'B' } }]],
    save: [{ update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } }],
    expected: { outcome: 'saved', committedImages: [{ values: { city: 'Bruges', tier: 'B' } }] }, versions: { 'account a1': 3 }, feedRows: 1,
  },
  {
    name: 'A19: an update of a field that changed online is a conflict, and names it', before: [[create], [{ update: 'account', id: 'a1', from: { tier: 'A' }, to: { tier: 'B' } }]],
    save: [{ update: 'account', id: 'a1', from: { tier: 'A', city: 'Ghent' }, to: { tier: 'C', city: 'Bruges' } }],
    expected: refused('conflict', { refusal: { fields: ['tier'], member: 0 }, onlineImage: { version: [1, 2], values: { tier: 'B', city: 'Ghent' } }, currentImages: [{ version: [1, 2] }] }),
    versions: { 'account a1': 2 }, feedRows: 0,
  },
  {
    name: 'A19: a field that was changed online and back is no conflict',
    before: [[create], [{ update: 'account', id: 'a1', from: { tier: 'A' }, to: { tier: 'B' } }], [{ update: 'account', id: 'a1', from: { tier: 'B' }, to: { tier: 'A' } }]],
    save: [{ update: 'account', id: 'a1', from: { tier: 'A' }, to: { tier: 'C' } }], expected: { outcome: 'saved' }, versions: { 'account a1': 4 }, feedRows: 1,
  },
  {
    name: 'A19: an update of which all is online already is saved, and nothing is written', before: [[create]],
    save: [{ update: 'account', id: 'a1', from: { city: 'Antwerp', tier: 'B' }, to: { city: 'Ghent', tier: 'A' } }],
    expected: { outcome: 'saved', currentImages: [{ version: [1, 1] }] }, versions: { 'account a1': 1 }, feedRows: 0,
  },
  {
    name: 'A19: of an update that is online in part, the rest is written', before: [[create]],
    save: [{ update: 'account', id: 'a1', from: { city: 'Antwerp', tier: 'A' }, to: { city: 'Ghent', tier: 'B' } }],
    expected: { outcome: 'saved', committedImages: [{ values: { city: 'Ghent', tier: 'B' } }] }, versions: { 'account a1': 2 }, feedRows: 1,
  },
  {
    name: 'A19: no value and empty text are equal', before: [[{ create: 'account', id: 'a1', values: { name: 'x' } }]],
    save: [{ update: 'account', id: 'a1', from: { city: '' }, to: { city: 'Ghent' } }], expected: { outcome: 'saved' }, versions: { 'account a1': 2 }, feedRows: 1,
  },
  {
    name: 'A22: an update of an override object is not compared; other fields stay as they are online',
    before: [[order], [{ update: 'order', id: 'o1', from: { status: 'open', notes: 'n' }, to: { status: 'submitted', notes: 'online' } }]],
    save: [{ update: 'order', id: 'o1', from: { status: 'open' }, to: { status: null } }],
    expected: { outcome: 'saved', committedImages: [{ values: { status: null, notes: 'online' } }] }, versions: { 'order o1': 3 }, feedRows: 1,
  },
  {
    name: 'an update of a deleted record is edit-vs-delete', before: [[create], [{ remove: 'account', id: 'a1' }]],
    save: [{ update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } }],
    expected: refused('edit-vs-delete', { onlineImage: { state: 'deleted', version: [1, 2], values: null } }), versions: { 'account a1': 2 }, feedRows: 0,
  },
  {
    name: 'an update of a record that never was is edit-vs-delete', before: [],
    save: [{ update: 'account', id: 'a1', from: {}, to: { city: 'Bruges' } }], expected: refused('edit-vs-delete', { onlineImage: null, currentImages: [] }), versions: { 'account a1': 0 }, feedRows: 0,
  },
  {
    name: 'A22: an update of a deleted record of an override object is edit-vs-delete too', before: [[order], [{ remove: 'order', id: 'o1' }]],
    save: [{ update: 'order', id: 'o1', from: {}, to: { notes: 'x' } }], expected: refused('edit-vs-delete'), versions: { 'order o1': 2 }, feedRows: 0,
  },
  {
    name: 'a delete of what the user saw', before: [[create]], save: [{ remove: 'account', id: 'a1', was: ACCOUNT }],
    expected: { outcome: 'saved', committedImages: [{ state: 'deleted', version: [1, 2], values: null }] }, versions: { 'account a1': 2 }, feedRows: 1,
  },
  {
    name: 'a delete of a record that changed online is delete-vs-edit', before: [[create], [{ update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } }]],
    save: [{ remove: 'account', id: 'a1', was: ACCOUNT }], expected: refused('delete-vs-edit', { refusal: { fields: ['city'] }, onlineImage: { values: { city: 'Bruges' } } }), versions: { 'account a1': 2 }, feedRows: 0,
  },
  {
    name: 'a delete of an override object is not compared', before: [[order]], save: [{ remove: 'order', id: 'o1', was: { notes: 'something else' } }],
    expected: { outcome: 'saved' }, versions: { 'order o1': 2 }, feedRows: 1,
  },
  {
    name: 'a delete of what is gone already is saved, and nothing is written', before: [[create], [{ remove: 'account', id: 'a1' }]], save: [{ remove: 'account', id: 'a1', was: ACCOUNT }],
    expected: { outcome: 'saved', currentImages: [{ state: 'deleted', version: [1, 2] }] }, versions: { 'account a1': 2 }, feedRows: 0,
  },
  { name: 'a delete of what never was is saved', before: [], save: [{ remove: 'account', id: 'a1' }], expected: { outcome: 'saved', currentImages: [] }, versions: { 'account a1': 0 }, feedRows: 0 },
  {
    name: 'a delete may name the server\'s own fields, which are not compared', before: [[create]], save: [{ remove: 'account', id: 'a1', was: { ...ACCOUNT, label: 'stale', number: 'A-9' } }],
    expected: { outcome: 'saved' }, versions: { 'account a1': 2 }, feedRows: 1,
  },
  {
    name: 'A15: a header and its lines are one transaction', before: [], save: [order, line, { create: 'line', id: 'l2', values: { order: 'o1', quantity: 2 } }],
    expected: { outcome: 'saved', committedImages: [{ id: 'o1' }, { id: 'l1' }, { id: 'l2' }] }, versions: { 'order o1': 1, 'line l1': 1, 'line l2': 1 }, feedRows: 1,
  },
  {
    name: 'A15: one line that is refused refuses all of the transaction, and is named', before: [],
    save: [order, line, { create: 'line', id: 'l2', values: { order: 'o1', quantity: 0 } }],
    expected: refused('validation', { refusal: { member: 2, fields: ['quantity'], code: 'validation' }, currentImages: [] }), versions: { 'order o1': 0, 'line l1': 0, 'line l2': 0 }, feedRows: 0,
  },
  {
    name: 'a reference to a parent that does not exist is refused', before: [], save: [line],
    expected: refused('missing-reference', { refusal: { fields: ['order'] } }), versions: { 'line l1': 0 }, feedRows: 0,
  },
  {
    name: 'a reference to a parent that was deleted is refused', before: [[order], [{ remove: 'order', id: 'o1' }]], save: [line],
    expected: refused('missing-reference'), versions: { 'line l1': 0, 'order o1': 2 }, feedRows: 0,
  },
  {
    name: 'a parent may be created after its child in the same transaction', before: [], save: [line, order], expected: { outcome: 'saved' }, versions: { 'order o1': 1, 'line l1': 1 }, feedRows: 1,
  },
  {
    name: 'a parent removed in the same transaction is missing', before: [[order]], save: [line, { remove: 'order', id: 'o1' }], expected: refused('missing-reference'), versions: { 'order o1': 1, 'line l1': 0 }, feedRows: 0,
  },
  {
    name: 'a plain reference may dangle', before: [], save: [{ create: 'order', id: 'o1', values: { account: 'nobody' } }], expected: { outcome: 'saved' }, versions: { 'order o1': 1 }, feedRows: 1,
  },
  {
    name: 'a reference may name an id that no store can hold', before: [], save: [{ create: 'line', id: 'l1', values: { order: 'o\0' } }], expected: refused('missing-reference'), versions: { 'line l1': 0 }, feedRows: 0,
  },
  { name: 'an id that no store can hold is refused', before: [], save: [{ create: 'account', id: 'a\0', values: ACCOUNT }], expected: refused('validation'), versions: {}, feedRows: 0 },
  {
    name: 'text that holds U+0000 is saved as it is', before: [], save: [{ create: 'account', id: 'a1', values: { name: 'a\0b', extra: { 'k\0': ['\0'] } } }],
    expected: { outcome: 'saved', committedImages: [{ values: { name: 'a\0b', extra: { 'k\0': ['\0'] } } }] }, versions: { 'account a1': 1 }, feedRows: 1,
  },
  ...([
    ['a required field without a value', { city: 'Ghent' }, 'name'],
    ['text that is too long', { name: 'x'.repeat(21) }, 'name'],
    ['a number that is too large', { name: 'x', staff: 101 }, 'staff'],
    ['a number that is too small', { name: 'x', staff: -1 }, 'staff'],
    ['a picklist value that is no option', { name: 'x', tier: 'Z' }, 'tier'],
    ['a set with a member that is no option', { name: 'x', tags: ['x', 'q'] }, 'tags'],
  ] as const).map(([name, values, field]): SaveCase => ({
    name: `A26: ${name} is refused and named`, before: [], save: [{ create: 'account', id: 'a1', values }],
    expected: refused('validation', { refusal: { fields: [field], code: 'validation' } }), versions: { 'account a1': 0 }, feedRows: 0,
  })),
  {
    name: 'A26: an update may not take a required value away', before: [[create]], save: [{ update: 'account', id: 'a1', from: { name: 'St. Mary' }, to: { name: null } }],
    expected: refused('validation', { refusal: { fields: ['name'] }, onlineImage: { values: { name: 'St. Mary' } } }), versions: { 'account a1': 1 }, feedRows: 0,
  },
  {
    name: 'a field of the server itself may not be written', before: [[create]], save: [{ update: 'account', id: 'a1', from: { label: null }, to: { label: 'mine' } }],
    expected: refused('permission', { refusal: { fields: ['label'], code: 'permission' } }), versions: { 'account a1': 1 }, feedRows: 0,
  },
  {
    name: 'a create may not bring a value for a field of the server itself', before: [], save: [{ create: 'account', id: 'a1', values: { name: 'x', number: 'A-7' } }],
    expected: refused('permission', { refusal: { fields: ['number'] } }), versions: { 'account a1': 0 }, feedRows: 0,
  },
  {
    name: 'a record that is changed twice in one transaction is refused', before: [[create]],
    save: [{ update: 'account', id: 'a1', from: {}, to: { city: 'x' } }, { remove: 'account', id: 'a1' }], expected: refused('validation', { refusal: { member: 1 } }), versions: { 'account a1': 1 }, feedRows: 0,
  },
];

describeOnBothStores('save', (newWorld) => {
  test.each(CASES)('$name', async ({ before, save, expected, versions, feedRows }) => {
    const { device, scope, store } = newWorld();
    const other = device('ann', 'ann-phone'), tablet = device('ann');
    for (const [index, changes] of before.entries()) expect((await other.save(index + 1, ...changes)).outcome).toBe('saved');
    const { head } = (await tablet.hello()).server;

    const result = await tablet.save(1, ...save);
    expect(result).toMatchObject(expected);
    for (const [name, n] of Object.entries(versions)) {
      const [object = '', id = ''] = name.split(' ');
      const [record] = await store.read(scope.tenant ?? 'default', (view) => view.getRecords([{ object, id }]));
      expect([name, record?.version[1] ?? 0]).toEqual([name, n]);
    }
    expect((await tablet.hello()).server.head - head).toBe(feedRows);

    // C2: whatever was decided, a repeat says the same and changes nothing.
    const repeat = await tablet.save(1, ...save);
    expect(repeat).toMatchObject(expected);
    expect(repeat.currentImages).toEqual(result.currentImages);
    expect((await tablet.hello()).server.head - head).toBe(feedRows);
  });
});

describe('save', () => {
  test('A14: entries of one upload are settled by themselves, in order', async () => {
    const { device } = createWorld();
    const { results } = await device('ann').upload(
      { number: 1, changes: [create] },
      { number: 2, changes: [{ update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } }] },
      { number: 3, changes: [{ create: 'account', id: 'a2', values: {} }] },
      { number: 4, changes: [{ create: 'account', id: 'a3', values: { name: 'x' } }] },
    );
    expect(results.map(({ number, outcome, class: refusalClass }) => [number, outcome, refusalClass])).toEqual([
      [1, 'saved', null], [2, 'saved', null], [3, 'refused', 'validation'], [4, 'saved', null],
    ]);
    expect(results[1]!.committedImages).toMatchObject([{ version: [1, 2] }]);
  });

  test('A27: Record ID, auto-number and times come with the answer; last modified follows every save', async () => {
    const { device, clock } = createWorld();
    const saved = await device('ann').save(1, create);
    const { serverId, ...values } = saved.committedImages[0]!.values!;
    expect(values).toMatchObject({ number: 'A-000001', createdAt: '2026-01-01T00:00:00.000Z', modifiedAt: '2026-01-01T00:00:00.000Z' });
    expect(serverId).toMatch(/^[0-9a-f-]{36}$/);
    await clock.advance(60_000);
    const edited = await device('ann').save(2, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } });
    expect(edited.committedImages[0]!.values).toMatchObject({ serverId, number: 'A-000001', createdAt: '2026-01-01T00:00:00.000Z', modifiedAt: '2026-01-01T00:01:00.000Z' });
    const second = await device('ann').save(3, { create: 'account', id: 'a2', values: { name: 'x' } });
    expect(second.committedImages[0]!.values).toMatchObject({ number: 'A-000002' });
  });

  test('A30: a child\'s masters at all levels are in the answer and on the feed, also those it had before', async () => {
    const { device } = createWorld();
    await device('ann').save(1, order, { create: 'order', id: 'o2', values: {} }, line);
    const moved = await device('ann').save(2, { update: 'line', id: 'l1', from: { order: 'o1' }, to: { order: 'o2' } });
    expect(moved.committedImages.map(({ id, version }) => [id, version])).toEqual([['l1', [1, 2]], ['o2', [1, 1]], ['o1', [1, 1]]]);
    const page = (await device('ann', 'ann-phone').poll(null))!;
    expect(page.saves[1]!.images.map(({ id }) => id)).toEqual(['l1', 'o2', 'o1']);
    expect((await device('ann').save(3, { remove: 'line', id: 'l1' })).committedImages.map(({ id }) => id)).toEqual(['l1', 'o2']);
  });

  test('A21: of many saves of one field at once exactly one wins', async () => {
    const { device } = createWorld();
    await device('ann').save(1, create);
    const devices = Array.from({ length: 10 }, (_, index) => device('ann', `d${index}`));
    const results = await Promise.all(devices.map((each, index) => each.save(1, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: `City ${index}` } })));
    expect(results.filter(({ outcome }) => outcome === 'saved')).toHaveLength(1);
    expect(results.filter(({ class: refusalClass }) => refusalClass === 'conflict')).toHaveLength(9);
  });

  test('strict references refuse what does not exist', async () => {
    const { device } = createWorld({ strictReferences: true });
    expect(await device('ann').save(1, { create: 'order', id: 'o1', values: { account: 'nobody' } })).toMatchObject(refused('missing-reference'));
    expect((await device('ann').save(2, create)).outcome).toBe('saved');
    expect((await device('ann').save(3, { create: 'order', id: 'o1', values: { account: 'a1' } })).outcome).toBe('saved');
  });

  test('A7: an online edit conflicts with a later device edit of the same field, though no device saw it', async () => {
    const { device, server } = createWorld();
    await device('ann').save(1, create);
    expect(await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'Bruges' } }])).toMatchObject({ kind: 'saved', records: [{ version: [1, 2] }] });
    const conflict = await device('ann').save(2, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Aalst' } });
    expect(conflict).toMatchObject(refused('conflict', { onlineImage: { values: { city: 'Bruges' } } }));
  });

  test('C6: after a restore the epoch grows, and versions with it', async () => {
    const { device, store } = createWorld();
    await device('ann').save(1, create);
    await store.run('default', (transaction) => transaction.raiseEpoch());
    const saved = await device('ann').save(2, { update: 'account', id: 'a1', from: { city: 'Ghent' }, to: { city: 'Bruges' } });
    expect(saved.committedImages[0]!.version).toEqual([2, 2]);
  });
});
