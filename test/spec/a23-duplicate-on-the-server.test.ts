import { describe, expect, test } from 'vitest';
import { memory, type CommitStep } from '../../src/server/store/memory.ts';
import { describeOnBothStores } from '../server/both-stores.ts';
import { createWorld, type TestChange, type TestDevice, type TestEntry } from '../server/harness.ts';
import { create, entry, groupSchema, header, remove, update } from './group-schema.ts';

const c1 = (n: number) => [header('call', 'c1', n)];
const submit = (number: number, base: number): TestEntry => entry(number, c1(base), update('call', 'c1', { status: 'saved' }, { status: 'submitted' }));

async function aCall(tablet: TestDevice): Promise<void> {
  const made = await tablet.saveEntry(entry(1, c1(0),
    create('call', 'c1', { name: 'visit', status: 'saved', notes: 'n' }),
    create('callSample', 's1', { call: 'c1', product: 'p', quantity: 1 }),
    create('sampleLot', 'k1', { sample: 's1', lot: 'A' }),
    create('callDiscussion', 'd1', { call: 'c1', topic: 't' }),
    create('callAttendee', 'e1', { call: 'c1', person: 'x' }),
  ));
  expect(made.outcome).toBe('saved');
}

/** The copy that the editing device sends: its header and its children of the kinds that go along, under ids of their own. */
function aCopy(number: number, name: string, status = 'saved', more: readonly TestChange[] = []): TestEntry {
  const id = `c-${name}`;
  const changes = [
    create('call', id, { name: 'visit', status, notes: `of ${name}` }),
    create('callSample', `s-${name}`, { call: id, product: 'p', quantity: 5 }),
    create('sampleLot', `k-${name}`, { sample: `s-${name}`, lot: 'A' }),
    create('callDiscussion', `d-${name}`, { call: id, topic: 't' }),
    ...more,
  ];
  return { number, headers: [header('call', id, 0)], duplicateOf: { object: 'call', id: 'c1' }, changes };
}

describeOnBothStores('calls submitted elsewhere, on the server', (newWorld) => {
  test('A23: edits of a call that another device submitted ask for a copy; the copy is a call of its own, and the original stays as it is', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    const original = await server.online.get('call', 'c1', scope);
    const { head } = (await tablet.hello()).server;

    const edit = entry(2, c1(1), update('callSample', 's1', { quantity: 1 }, { quantity: 5 }));
    const asked = await tablet.saveEntry(edit);
    expect(asked).toMatchObject({ outcome: 'needsDuplicate', header: 0 });
    expect(asked.currentImages.map(({ object, id }) => `${object} ${id}`)).toEqual(['call c1', 'callSample s1', 'callDiscussion d1', 'callAttendee e1', 'sampleLot k1']);
    expect(asked.currentImages[0]).toMatchObject({ state: 'live', version: [1, 2], values: { status: 'submitted' } });
    expect((await tablet.hello()).server.head).toBe(head);
    // That number is dead, however often it comes.
    expect(await tablet.saveEntry(edit)).toMatchObject({ outcome: 'needsDuplicate', currentImages: asked.currentImages });

    const copy = aCopy(3, 'tablet');
    const saved = await tablet.saveEntry(copy);
    expect(saved).toMatchObject({ outcome: 'saved', committedImages: [{ id: 'c-tablet', version: [1, 1], values: { status: 'saved', notes: 'of tablet', copiedFrom: 'c1', number: 'C-000002' } }, { id: 's-tablet' }, { id: 'k-tablet' }, { id: 'd-tablet' }] });
    for (let again = 0; again < 3; again++) expect(await tablet.saveEntry(copy)).toMatchObject({ outcome: 'saved', committedImages: saved.committedImages });
    expect((await server.online.list('call', scope)).map(({ id }) => id)).toEqual(['c-tablet', 'c1']);
    expect(await server.online.get('call', 'c1', scope)).toEqual(original);
    // The feed has the records of the copy, once.
    const page = (await phone.poll(null))!;
    expect(page.saves.slice(head).map(({ images }) => images.map(({ id }) => id))).toEqual([['c-tablet', 's-tablet', 'k-tablet', 'd-tablet']]);
  });

  test('A23: two more devices edited the call: each makes a copy of its own', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone'), third = device('ann', 'third');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    for (const each of [tablet, third]) {
      expect(await each.saveEntry(entry(2, c1(1), update('call', 'c1', {}, { notes: 'x' })))).toMatchObject({ outcome: 'needsDuplicate' });
      expect(await each.saveEntry(aCopy(3, each.store))).toMatchObject({ outcome: 'saved' });
    }
    expect((await server.online.list('call', scope)).map(({ id, values }) => [id, values.copiedFrom])).toEqual([[`c-${tablet.store}`, 'c1'], [`c-${third.store}`, 'c1'], ['c1', null]]);
  });

  test('A23: both devices submitted: the copy is open again, for its samples count once', async () => {
    const { device, server, scope } = newWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    expect(await tablet.saveEntry(submit(2, 1))).toMatchObject({ outcome: 'needsDuplicate' });
    expect(await tablet.saveEntry(aCopy(3, 'tablet', 'submitted'))).toMatchObject({ outcome: 'saved', committedImages: [{ values: { status: 'saved', copiedFrom: 'c1' } }, {}, {}, {}] });
    // It is open for everybody: submitted by the user once it was looked at.
    const again = entry(4, [header('call', 'c-tablet', 1)], update('call', 'c-tablet', { status: 'saved' }, { status: 'submitted' }));
    expect(await tablet.saveEntry(again)).toMatchObject({ outcome: 'saved' });
    expect(await server.online.get('call', 'c-tablet', scope)).toMatchObject({ values: { status: 'submitted' } });
  });
});

describe('calls submitted elsewhere, on the server', () => {
  test('A23: whatever was edited asks for a copy: each kind of child, a kind that does not go along, a delete, the call itself', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    const edits = [
      update('call', 'c1', {}, { notes: 'x' }), update('callSample', 's1', {}, { quantity: 2 }), update('sampleLot', 'k1', {}, { lot: 'B' }),
      update('callAttendee', 'e1', {}, { person: 'y' }), create('callDiscussion', 'd9', { call: 'c1' }), remove('callAttendee', 'e1'), remove('call', 'c1'),
    ];
    for (const [index, change] of edits.entries()) {
      expect(await tablet.saveEntry(entry(2 + index, c1(1), change))).toMatchObject({ outcome: 'needsDuplicate', header: 0 });
    }
  });

  test('A23: an admin opened the call meanwhile: the edit is an ordinary one, and a copy that was asked for is still taken', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone'), third = device('ann', 'third');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    expect(await tablet.saveEntry(entry(2, c1(1), update('call', 'c1', {}, { notes: 'x' })))).toMatchObject({ outcome: 'needsDuplicate' });
    await server.online.save([{ op: 'update', object: 'call', id: 'c1', values: { status: 'saved' } }]);
    expect(await third.saveEntry(entry(1, c1(1), update('call', 'c1', { notes: 'n' }, { notes: 'third' })))).toMatchObject({ outcome: 'saved' });
    expect(await tablet.saveEntry(aCopy(3, 'tablet'))).toMatchObject({ outcome: 'saved', committedImages: [{ values: { copiedFrom: 'c1' } }, {}, {}, {}] });
  });

  test('A23: the original was deleted meanwhile: the copy is taken all the same, for nothing else has the edits', async () => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    await server.online.save([{ op: 'remove', object: 'call', id: 'c1' }]);
    expect(await tablet.saveEntry(aCopy(2, 'tablet'))).toMatchObject({ outcome: 'saved' });
  });

  test('A23: the device that submitted the call, or saw it submitted, is refused and makes no copy', async () => {
    const { device } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    expect(await phone.saveEntry(entry(2, c1(1), update('call', 'c1', {}, { notes: 'x' })))).toMatchObject({ outcome: 'refused', class: 'locked' });
    expect(await tablet.saveEntry(entry(2, c1(2), update('call', 'c1', {}, { notes: 'x' })))).toMatchObject({ outcome: 'refused', class: 'locked' });
  });

  test('A23: lost answers and crashes make one copy', async () => {
    let failAt: CommitStep | null = null;
    const world = createWorld({ schema: groupSchema, store: memory({ intercept: (step) => { if (step === failAt) throw new Error('crash'); } }) });
    const tablet = world.device('ann'), phone = world.device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    const copy = aCopy(2, 'tablet');
    for (const step of ['before-commit', 'after-commit', 'after-commit'] as const) {
      failAt = step;
      expect((await tablet.post(tablet.encodeUpload([copy]))).status).toBe(500);
    }
    failAt = null;
    expect(await tablet.saveEntry(copy)).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1] }, {}, {}, {}] });
    expect(await world.server.online.list('call')).toHaveLength(2);
    expect((await phone.poll(null))!.saves.filter(({ images }) => images.some(({ id }) => id === 'c-tablet'))).toHaveLength(1);
  });

  test('C1: a copy that comes again after its receipt is gone is the same copy, its state as it was opened', async () => {
    const { device, server, store, clock } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    const copy = aCopy(2, 'tablet', 'submitted');
    await tablet.saveEntry(copy);
    await store.run('default', (transaction) => transaction.prune({ feedBefore: 0, receiptsBefore: clock.now() + 1 }));
    expect(await tablet.saveEntry(copy)).toMatchObject({ outcome: 'saved', currentImages: [{ version: [1, 1] }, {}, {}, {}] });
    expect(await server.online.list('call')).toHaveLength(2);
  });

  test.each<readonly [name: string, copy: TestEntry, refusal: object]>([
    ['a kind that does not go along', aCopy(2, 'x', 'saved', [create('callAttendee', 'e-x', { call: 'c-x' })]), { class: 'validation', member: 4 }],
    ['a change of something that is there', aCopy(2, 'x', 'saved', [update('callSample', 's1', {}, { quantity: 3 })]), { class: 'validation', member: 4 }],
    ['a second call', aCopy(2, 'x', 'saved', [create('call', 'c-y', { name: 'y' })]), { class: 'validation', member: 4 }],
    ['a child of the original', aCopy(2, 'x', 'saved', [create('callSample', 's-y', { call: 'c1', quantity: 1 })]), { class: 'validation', member: 4 }],
    ['a record of another object', aCopy(2, 'x', 'saved', [create('order', 'o1', {})]), { class: 'validation', member: 4 }],
    ['no call at all', { ...entry(2, [], create('callSample', 's-y', { call: 'c1', quantity: 1 })), duplicateOf: { object: 'call', id: 'c1' } }, { class: 'validation', member: 0 }],
    ['the id of its original', { ...entry(2, [], create('call', 'c1', { name: 'visit' })), duplicateOf: { object: 'call', id: 'c1' } }, { class: 'validation', member: 0 }],
    ['an object that is not copied', { ...entry(2, [], create('order', 'o9', {})), duplicateOf: { object: 'order', id: 'o1' } }, { class: 'validation', member: 0 }],
    ['an object that there is not', { ...aCopy(2, 'x'), duplicateOf: { object: 'nothing', id: 'c1' } }, { class: 'validation', member: 0 }],
    ['an original that there is not', { ...aCopy(2, 'x'), duplicateOf: { object: 'call', id: 'c9' } }, { class: 'missing-reference', member: 0, fields: ['copiedFrom'] }],
    ['an original whose id no store can hold', { ...aCopy(2, 'x'), duplicateOf: { object: 'call', id: 'c\0' } }, { class: 'missing-reference', member: 0 }],
    ['an original that was never submitted', { ...aCopy(2, 'x'), duplicateOf: { object: 'call', id: 'c2' } }, { class: 'validation', member: 0 }],
    ['a child that breaks a rule', aCopy(2, 'x', 'saved', [create('callSample', 's-y', { call: 'c-x', quantity: 0 })]), { class: 'validation', member: 4, fields: ['quantity'] }],
  ])('A23: a copy with %s is refused, and nothing of it is saved', async (_name, copy, refusal) => {
    const { device, server } = createWorld({ schema: groupSchema });
    const tablet = device('ann'), phone = device('ann', 'phone');
    await aCall(tablet);
    await phone.saveEntry(submit(1, 1));
    await phone.saveEntry(entry(2, [header('call', 'c2', 0)], create('call', 'c2', { name: 'open' })));
    expect(await tablet.saveEntry(copy)).toMatchObject({ outcome: 'refused', refusal });
    expect((await server.online.list('call')).map(({ id }) => id)).toEqual(['c1', 'c2']);
    expect(await server.online.list('callSample')).toHaveLength(1);
  });

  test('A23: an original that the user may not see is answered as one that is not there', async () => {
    const { device } = createWorld({ schema: groupSchema, canSee: ({ user }, { id }) => user === 'ann' || id !== 'c1' });
    const tablet = device('ann'), other = device('bob');
    await aCall(tablet);
    await tablet.saveEntry(submit(2, 1));
    const hidden = await other.saveEntry(aCopy(2, 'x')), missing = await other.saveEntry({ ...aCopy(3, 'x'), duplicateOf: { object: 'call', id: 'c9' } });
    expect(hidden).toMatchObject({ outcome: 'refused', class: 'missing-reference', currentImages: [] });
    expect(hidden.outcome === 'refused' && missing.outcome === 'refused' && hidden.refusal).toEqual(missing.outcome === 'refused' && missing.refusal);
  });
});
