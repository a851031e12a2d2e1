import { describe, expect, test } from 'vitest';
import { autoNumber, defineSchema, parent, recordId, reference, text } from '../../src/schema.ts';
import type { FieldRightsOf } from '../../src/server/index.ts';
import { createWorld, readFault, type schema, type TestChange, type TestDevice } from '../server/harness.ts';
import { create, entry, groupSchema, header, remove, update } from './group-schema.ts';

const SECRET = 'seen-by-ann', UNSEEN = 'of-a-record-of-ann';
/** Bob may not read the city, and only read the tier. */
const fields: FieldRightsOf<typeof schema> = ({ user }) => (user === 'bob' ? { account: { city: 'hidden', tier: 'read' } } : {});
const account: TestChange = { create: 'account', id: 'a1', values: { name: 'St. Mary', city: SECRET, tier: 'A' } };

async function withAccount(options: Parameters<typeof createWorld<typeof schema>>[0] = {}) {
  const world = createWorld({ fields, ...options });
  await world.device('ann').save(1, account);
  return { ...world, bob: world.device('bob'), online: async () => (await world.server.online.get('account', 'a1'))?.values };
}

/** Every way on which a device is sent rows. */
async function everyImage(device: TestDevice) {
  const page = await device.poll(null);
  return [...(page?.images ?? []), ...(await device.snapshot()).flatMap(({ images }) => images), ...(await device.record('account', 'a1')).images];
}

describe('A20: a field that a user may not read', () => {
  test('is in no row that the user is sent, whichever way it comes, and in those of others', async () => {
    const { device, bob } = await withAccount();
    await bob.save(1, update('account', 'a1', { name: 'St. Mary' }, { name: 'St. Anne' }));
    const seen = await everyImage(bob);
    expect(seen.map(({ state }) => state)).toEqual(['live', 'live', 'live']);
    for (const { values } of seen) {
      expect(values).toMatchObject({ name: 'St. Anne', tier: 'A' });
      expect(values).not.toHaveProperty('city');
    }
    for (const { values } of await everyImage(device('ann'))) expect(values).toHaveProperty('city', SECRET);
  });

  test('stays as it is online when the user edits another', async () => {
    const { bob, online } = await withAccount();
    const saved = await bob.save(1, update('account', 'a1', { name: 'St. Mary' }, { name: 'St. Anne' }));
    expect(saved).toMatchObject({ outcome: 'saved', committedImages: [{ values: { name: 'St. Anne' } }] });
    expect(saved.committedImages[0]!.values).not.toHaveProperty('city');
    expect(await online()).toMatchObject({ name: 'St. Anne', city: SECRET, tier: 'A' });
  });

  test('is not edited: permission, naming the field, and the same whether the previous value was right', async () => {
    const { bob, online } = await withAccount();
    const guesses = [SECRET, 'something else', null];
    const answers = [];
    for (const [index, city] of guesses.entries()) answers.push({ ...(await bob.save(index + 1, update('account', 'a1', { city, name: 'St. Mary' }, { city: 'mine', name: 'x' }))), number: 0 });
    expect(answers[0]).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { member: 0, fields: ['city'], message: 'you may not write account.city' }, onlineImage: { values: { name: 'St. Mary' } } });
    expect(answers[0]!.onlineImage!.values).not.toHaveProperty('city');
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(await online()).toMatchObject({ name: 'St. Mary', city: SECRET });
  });

  test('is not written by an edit that would make it what it is already', async () => {
    const { bob } = await withAccount();
    expect(await bob.save(1, update('account', 'a1', {}, { city: SECRET }))).toMatchObject({ class: 'permission', refusal: { fields: ['city'] } });
  });

  test('is not written by a create either, whose record then does not exist', async () => {
    const { bob, server } = await withAccount();
    expect(await bob.save(1, { create: 'account', id: 'a2', values: { name: 'x', city: 'mine' } })).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { fields: ['city'] } });
    expect(await server.online.get('account', 'a2')).toBeNull();
    expect(await bob.save(2, { create: 'account', id: 'a2', values: { name: 'x' } })).toMatchObject({ outcome: 'saved' });
  });

  test('does not keep a create from being recognised, and what it holds does not come out', async () => {
    const { bob } = await withAccount();
    const guess = (number: number, values: object) => bob.save(number, { create: 'account', id: 'a1', values: { name: 'St. Mary', ...values } });
    // Equal in all that he may read and write: his create is there already.
    const server = await withAccount({ fields: ({ user }) => (user === 'bob' ? { account: { city: 'hidden' } } : {}) });
    expect(await server.bob.save(1, { create: 'account', id: 'a1', values: { name: 'St. Mary', tier: 'A' } })).toMatchObject({ outcome: 'saved' });
    expect(await server.online()).toMatchObject({ city: SECRET });
    const differs = await server.bob.save(2, { create: 'account', id: 'a1', values: { name: 'x', tier: 'A' } });
    expect(differs).toMatchObject({ class: 'duplicate-key', refusal: { fields: ['name'] } });
    // With a value for it, it is a matter of permission, right or wrong.
    expect(await guess(3, { city: SECRET })).toEqual({ ...(await guess(4, { city: 'wrong' })), number: 3 });
  });

  test('is no reason to keep a record that the user deletes, whatever the device holds of it', async () => {
    for (const city of [null, SECRET, 'from before']) {
      const { bob, online } = await withAccount();
      expect(await bob.save(1, remove('account', 'a1', { name: 'St. Mary', city, tier: 'A' }))).toMatchObject({ outcome: 'saved', committedImages: [{ state: 'deleted' }] });
      expect(await online()).toBeUndefined();
    }
    const { bob } = await withAccount();
    expect(await bob.save(1, remove('account', 'a1', { name: 'older', tier: 'A' }))).toMatchObject({ class: 'delete-vs-edit', refusal: { fields: ['name'] } });
  });

  test('keeps its value when the user brings a deleted record back', async () => {
    const { bob, online } = await withAccount();
    await bob.save(1, remove('account', 'a1', { name: 'St. Mary', tier: 'A' }));
    expect(await bob.save(2, { create: 'account', id: 'a1', values: { name: 'again' } })).toMatchObject({ outcome: 'saved' });
    expect(await online()).toMatchObject({ name: 'again', city: SECRET, tier: 'A' });
  });

  test('is not compared with by an entry that keeps its clean fields: permission refuses all of it', async () => {
    const kept = defineSchema({ version: 1, objects: { item: { onConflict: 'keepCleanFields', fields: { a: text(), b: text(), c: text() } } } });
    const { device, server } = createWorld({ schema: kept, fields: ({ user }) => (user === 'bob' ? { item: { c: 'hidden' } } : {}) });
    await device('ann').save(1, create('item', 'i1', { a: '1', b: '1', c: SECRET }));
    expect(await device('bob').save(1, update('item', 'i1', { a: '1', c: null }, { a: '2', c: '2' }))).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { fields: ['c'] } });
    expect((await server.online.get('item', 'i1'))?.values).toEqual({ a: '1', b: '1', c: SECRET });
    expect(await device('bob').save(2, update('item', 'i1', { a: 'unlike', b: '1' }, { a: '2', b: '2' }))).toMatchObject({ outcome: 'partlySaved', refusal: { class: 'conflict', fields: ['a'] } });
  });

  test('is not among what an override replaced: not in what the device hears, and not in the row as it was', async () => {
    const { device, server } = createWorld({ schema: groupSchema, fields: ({ user }) => (user === 'bob' ? { order: { notes: 'hidden' } } : {}) });
    await device('ann').saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', { status: 'open', notes: SECRET })));
    const deleted = await device('bob').saveEntry(entry(1, [header('order', 'o1', 1)], remove('order', 'o1', { status: 'older', notes: null })));
    expect(deleted).toMatchObject({ outcome: 'saved', overwritten: [{ fields: ['status'] }], overwrittenImages: [{ values: { status: 'open' } }] });
    expect(deleted.overwrittenImages[0]!.values).not.toHaveProperty('notes');
    expect((await server.online.listOverwritten('order', 'o1')).map(({ field }) => field)).toEqual(['status']);
  });

  test('is taken out of an answer that is repeated once the right is withdrawn, and of what an override replaced', async () => {
    let mayRead = true;
    const { device } = createWorld({ schema: groupSchema, fields: () => (mayRead ? {} : { order: { notes: 'hidden' } }) });
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', { status: 'open', notes: SECRET })));
    const edit = entry(1, [header('order', 'o1', 1)], update('order', 'o1', { status: 'older', notes: 'older' }, { status: 'checked', notes: 'bob' }));
    expect(await bob.saveEntry(edit)).toMatchObject({ overwritten: [{ fields: ['status', 'notes'] }], committedImages: [{ values: { notes: 'bob' } }], overwrittenImages: [{ values: { notes: SECRET } }] });
    mayRead = false;
    for (const repeat of [await bob.saveEntry(edit), (await bob.void(1))[0]!]) {
      expect(repeat).toMatchObject({ outcome: 'saved', overwritten: [{ fields: ['status'] }] });
      for (const { values } of [...repeat.committedImages, ...repeat.currentImages, ...repeat.overwrittenImages]) {
        expect(values).toHaveProperty('status');
        expect(values).not.toHaveProperty('notes');
      }
    }
  });

  test('that is the Record ID finds no record', async () => {
    const named = defineSchema({ version: 1, objects: { item: { fields: { name: text(), serverId: recordId(), number: autoNumber() } } } });
    const { device, server } = createWorld({ schema: named, fields: ({ user }) => (user === 'bob' ? { item: { serverId: 'hidden' } } : {}) });
    await device('ann').save(1, create('item', 'i1', { name: 'x' }));
    const { serverId } = (await server.online.get('item', 'i1'))!.values;
    expect((await device('ann').record('item', serverId as string)).images).toMatchObject([{ id: 'i1' }]);
    expect((await device('bob').record('item', serverId as string)).images).toEqual([]);
    expect((await device('bob').record('item', 'i1')).images).toMatchObject([{ id: 'i1', values: { name: 'x', number: '000001' } }]);
  });

  test('may be every field of an object: its records are there, with no values', async () => {
    const bare = defineSchema({ version: 1, objects: { item: { fields: { name: text() } } } });
    const { device } = createWorld({ schema: bare, fields: ({ user }) => (user === 'bob' ? { item: { name: 'hidden' } } : {}) });
    await device('ann').save(1, create('item', 'i1', { name: 'x' }));
    expect((await device('bob').snapshot()).flatMap(({ images }) => images)).toMatchObject([{ id: 'i1', state: 'live', values: {} }]);
  });
});

describe('A20: a field that a user may only read', () => {
  test('comes with every row, and is not written by edits or creates', async () => {
    const { bob, online } = await withAccount();
    expect((await bob.record('account', 'a1')).images).toMatchObject([{ values: { tier: 'A' } }]);
    expect(await bob.save(1, update('account', 'a1', { tier: 'A' }, { tier: 'B' }))).toMatchObject({ class: 'permission', refusal: { fields: ['tier'] }, onlineImage: { values: { tier: 'A' } } });
    expect(await bob.save(2, { create: 'account', id: 'a2', values: { name: 'x', tier: 'B' } })).toMatchObject({ class: 'permission', refusal: { fields: ['tier'] } });
    expect(await online()).toMatchObject({ tier: 'A' });
  });

  test('is compared when a record is deleted', async () => {
    const { bob } = await withAccount();
    expect(await bob.save(1, remove('account', 'a1', { name: 'St. Mary', tier: 'C' }))).toMatchObject({ class: 'delete-vs-edit', refusal: { fields: ['tier'] } });
  });

  test('is named together with the others that an edit may not write, and rolls back the whole entry', async () => {
    const { bob, online, server } = await withAccount();
    const refused = await bob.save(1, create('account', 'a2', { name: 'x' }), update('account', 'a1', { name: 'St. Mary' }, { name: 'y', city: 'z', tier: 'B' }));
    expect(refused).toMatchObject({ class: 'permission', refusal: { member: 1, fields: ['city', 'tier'] } });
    expect(await server.online.get('account', 'a2')).toBeNull();
    expect(await online()).toMatchObject({ name: 'St. Mary' });
  });

  test('is the back office\'s to write, and the host\'s own hooks\'', async () => {
    const { server, bob, online } = await withAccount({ objects: { account: { beforeSave: ({ next }) => ({ tier: next.name === 'up' ? 'B' : next.tier }) } } });
    expect(await server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'theirs', tier: 'C' } }], { user: 'bob' })).toMatchObject({ kind: 'saved' });
    expect(await bob.save(1, update('account', 'a1', { name: 'St. Mary' }, { name: 'up' }))).toMatchObject({ outcome: 'saved', committedImages: [{ values: { tier: 'B' } }] });
    expect(await online()).toMatchObject({ city: 'theirs', tier: 'B' });
  });
});

describe('A23, A20: the copy of a call that was submitted elsewhere', () => {
  const rights: FieldRightsOf<typeof groupSchema> = ({ user }) => (user === 'bob' ? { call: { notes: 'hidden', name: 'read' }, callSample: { product: 'read', call: 'read' }, callDiscussion: { topic: 'hidden' } } : {});

  async function submitted() {
    const { device, server } = createWorld({ schema: groupSchema, fields: rights, canSee: ({ user }, { values }) => user === 'ann' || values.product !== UNSEEN });
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'visit', notes: SECRET }), create('callSample', 's1', { call: 'c1', product: 'gauze', quantity: 1 }), create('callSample', 's9', { call: 'c1', product: UNSEEN, quantity: 1 }), create('callDiscussion', 'd1', { call: 'c1', topic: SECRET })));
    await ann.saveEntry(entry(2, [header('call', 'c1', 1)], update('call', 'c1', { status: null }, { status: 'submitted' })));
    const copy = (number: number, ...changes: TestChange[]) => bob.saveEntry({ ...entry(number, [header('call', 'c2', 0)], ...changes), duplicateOf: { object: 'call', id: 'c1' } });
    return { copy, server };
  }

  test('has what its user may not write from the original, and takes along what records of the original have', async () => {
    const { copy, server } = await submitted();
    const saved = await copy(1, create('call', 'c2', { name: 'visit' }), create('callSample', 's2', { call: 'c2', product: 'gauze', quantity: 3 }), create('callDiscussion', 'd2', { call: 'c2' }));
    expect(saved).toMatchObject({ outcome: 'saved' });
    for (const { values } of saved.committedImages) expect(JSON.stringify(values)).not.toContain(SECRET);
    expect((await server.online.get('call', 'c2'))?.values).toMatchObject({ name: 'visit', notes: SECRET, copiedFrom: 'c1' });
    expect((await server.online.get('callSample', 's2'))?.values).toMatchObject({ product: 'gauze', quantity: 3 });
    expect((await server.online.get('callDiscussion', 'd2'))?.values).toMatchObject({ topic: null });
  });

  test('is opened as any copy where the user may only read whether it is submitted', async () => {
    const { device, server } = createWorld({ schema: groupSchema, fields: ({ user }) => (user === 'bob' ? { call: { status: 'read' } } : {}) });
    await device('ann').saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'visit', status: 'submitted' })));
    for (const [id, status] of [['c2', null], ['c3', 'submitted']] as const) {
      const copy = { ...entry(id === 'c2' ? 1 : 2, [header('call', id, 0)], create('call', id, { name: 'visit', status })), duplicateOf: { object: 'call', id: 'c1' } };
      expect(await device('bob').saveEntry(copy)).toMatchObject({ outcome: 'saved' });
      expect((await server.online.get('call', id))?.values).toMatchObject({ status: 'saved' });
    }
  });

  test.each([
    ['another value of a field of the header that he may only read', 'name', [create('call', 'c2', { name: 'mine' })]],
    ['a value that he may not read, right or wrong', 'notes', [create('call', 'c2', { notes: SECRET })]],
    ['what no record of the original has in a field that he may only read', 'product', [create('call', 'c2', {}), create('callSample', 's2', { call: 'c2', product: 'morphine', quantity: 1 })]],
    ['what another kind of record has there', 'product', [create('call', 'c2', {}), create('callSample', 's2', { call: 'c2', product: SECRET, quantity: 1 })]],
    ['what only a record has that he may not see', 'product', [create('call', 'c2', {}), create('callSample', 's2', { call: 'c2', product: UNSEEN, quantity: 1 })]],
    ['what a record of the original has in a field that he may not read', 'topic', [create('call', 'c2', {}), create('callDiscussion', 'd2', { call: 'c2', topic: SECRET })]],
  ])('is refused with %s', async (_name, field, changes) => {
    const { copy, server } = await submitted();
    expect(await copy(1, ...changes)).toMatchObject({ outcome: 'refused', class: 'permission', refusal: { fields: [field] } });
    expect(await server.online.get('call', 'c2')).toBeNull();
  });
});

test('A23, A20: a copy is not refused for what its original refers to, which its user neither sees nor chose', async () => {
  const visits = defineSchema({
    version: 1,
    objects: {
      site: { fields: { name: text() } },
      visit: { mode: 'override', submitted: { field: 'status', values: ['done'], elsewhere: 'duplicate' }, fields: { status: text(), site: reference('site'), notes: text() } },
    },
  });
  const { device, server } = createWorld({ schema: visits, strictReferences: true, canSee: ({ user }, { object }) => user === 'ann' || object !== 'site', fields: ({ user }) => (user === 'bob' ? { visit: { site: 'hidden' } } : {}) });
  await device('ann').save(1, create('site', 's1', { name: SECRET }));
  await device('ann').saveEntry(entry(2, [header('visit', 'v1', 0)], create('visit', 'v1', { status: 'done', site: 's1' })));
  const copy = { ...entry(1, [header('visit', 'v2', 0)], create('visit', 'v2', { notes: 'mine' })), duplicateOf: { object: 'visit', id: 'v1' } };
  expect(await device('bob').saveEntry(copy)).toMatchObject({ outcome: 'saved' });
  expect((await server.online.get('visit', 'v2'))?.values).toMatchObject({ site: 's1', notes: 'mine' });
});

describe('A20: what a host says of fields', () => {
  const grouped = defineSchema({ version: 1, objects: { order: { submitted: { field: 'status', values: ['done'] }, fields: { status: text(), notes: text() } }, line: { fields: { order: parent('order', { group: true }) } } } });

  test.each([
    ['an object that is none', { oder: {} }],
    ['a field that is none', { order: { note: 'hidden' } }],
    ['a right that is none', { order: { notes: 'none' } }],
    ['the field that says which group a record is in', { line: { order: 'hidden' } }],
    ['the field that says whether a record is submitted', { order: { status: 'hidden' } }],
    ['nothing at all', null],
    ['something later', Promise.resolve({})],
    ['a map', new Map()],
    ['a list', { order: ['notes'] }],
  ])('fails the request, and shows and saves nothing, when it names %s', async (_name, given) => {
    const { device, server } = createWorld({ schema: grouped, fields: ({ user }) => (user === 'ann' ? {} : (given as ReturnType<FieldRightsOf<typeof grouped>>)) });
    await device('ann').save(1, create('order', 'o1', { notes: SECRET }));
    const bob = device('bob');
    expect(await bob.save(1, create('order', 'o2', { notes: 'x' }))).toMatchObject({ outcome: 'tryLater' });
    expect(await server.online.get('order', 'o2')).toBeNull();
    for (const answer of [await bob.get('record', { object: 'order', id: 'o1' }), await bob.get('snapshot')]) {
      expect(readFault(answer)).toMatchObject({ status: 500, code: 'SERVER_FAILED', message: 'the server failed; try again later' });
    }
  });

  test('is asked once for each request, and not for a poll that finds nothing', async () => {
    let asked = 0;
    const { device } = createWorld({ fields: () => (asked++, {}) });
    const ann = device('ann');
    await ann.save(1, account, { create: 'account', id: 'a2', values: { name: 'x' } });
    const { next } = (await ann.poll(null))!;
    expect(asked).toBe(2);
    expect(await ann.poll(next)).toBeNull();
    expect(asked).toBe(2);
  });
});
