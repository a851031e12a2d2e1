import { afterEach, describe, expect, test } from 'vitest';
import type { RecordView } from '../../src/client/engine.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, goOnline, listOnline, put, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

let world: World<typeof groupSchema>;
afterEach(() => world.close());

const namesOf = (views: readonly RecordView[]) => views.map(({ id, values }) => ({ id, ...values }));

/** A call with one child of each kind, on two devices; the tablet has submitted it, and the phone has not heard of that. */
async function createSubmittedCall(disk = memory()): Promise<{ tablet: TestDevice; phone: TestDevice }> {
  const tablet = await world.device('ann'), phone = await world.device('ann', { storage: disk });
  await tablet.engine.save([
    put('create', 'call', 'c1', { name: 'St. Mary', status: 'saved', notes: 'first' }),
    put('create', 'callSample', 's1', { call: 'c1', product: 'gauze', quantity: 1 }),
    put('create', 'sampleLot', 'lot1', { sample: 's1', lot: '77' }),
    put('create', 'callDiscussion', 'd1', { call: 'c1', topic: 'wounds' }),
    put('create', 'callAttendee', 'a1', { call: 'c1', person: 'Dr. Who' }),
  ]);
  await tablet.engine.exchange();
  await phone.engine.download();
  await phone.engine.setLifecycle({ isOnline: false });
  await tablet.engine.update('call', 'c1', { status: 'submitted' });
  await tablet.engine.exchange();
  return { tablet, phone };
}

describe('A23: a call that was submitted on one device and edited on another', () => {
  test('becomes a second call with all edited and unedited children of the listed kinds; the original stays as it was submitted', async () => {
    world = createWorld(groupSchema);
    const { tablet, phone } = await createSubmittedCall();
    const original = { call: await listOnline(world, 'call'), callSample: await listOnline(world, 'callSample'), callAttendee: await listOnline(world, 'callAttendee') };
    const { engine } = phone;
    const first = await engine.save([put('update', 'call', 'c1', { notes: 'mine' }), put('create', 'callSample', 's2', { call: 'c1', product: 'tape', quantity: 2 }), { op: 'remove', object: 'callDiscussion', id: 'd1' }]);
    const second = await engine.update('callAttendee', 'a1', { person: 'Dr. No' });
    const third = await engine.update('sampleLot', 'lot1', { lot: '78' });
    expect(await goOnline(phone)).toMatchObject({ pending: 0, syncErrors: 0, notices: 1 });

    const [copy] = (await listOnline(world, 'call')).filter(({ id }) => id !== 'c1');
    expect(copy).toMatchObject({ name: 'St. Mary', status: 'saved', notes: 'mine', copiedFrom: 'c1' });
    expect((await listOnline(world, 'call')).find(({ id }) => id === 'c1')).toEqual(original.call[0]);
    const samples = (await listOnline(world, 'callSample')).filter(({ call }) => call === copy!.id);
    expect(samples.map(({ product }) => product).sort()).toEqual(['gauze', 'tape']);
    expect((await listOnline(world, 'callSample')).filter(({ call }) => call === 'c1')).toEqual(original.callSample);
    expect((await listOnline(world, 'sampleLot')).map(({ lot, sample }) => [lot, sample === 's1']).sort()).toEqual([['77', true], ['78', false]]);
    expect(await listOnline(world, 'callDiscussion')).toMatchObject([{ id: 'd1', call: 'c1' }]);
    expect(await listOnline(world, 'callAttendee')).toEqual(original.callAttendee);

    // Each of the saves ended in the copy, and the device shows both calls as they are online.
    const outcome = { kind: 'duplicated', original: { object: 'call', id: 'c1' }, duplicate: { object: 'call', id: copy!.id } };
    for (const { entry } of [first, second, third]) expect(await engine.outcome(entry!)).toEqual(outcome);
    for (const object of ['call', 'callSample', 'sampleLot', 'callDiscussion', 'callAttendee']) expect(namesOf(await engine.query({ object }))).toEqual(await listOnline(world, object));
    const [notice] = await engine.listNotices();
    expect(notice).toMatchObject({ kind: 'duplicated', object: 'call', recordId: 'c1', duplicate: outcome.duplicate, entries: [first.entry, second.entry, third.entry], notCopied: [{ object: 'callAttendee', id: 'a1' }] });
    expect(await engine.readJournal()).toMatchObject([{ entry: second.entry, reason: 'not-copied', members: [{ object: 'callAttendee', id: 'a1', mine: { person: 'Dr. No' } }] }]);

    await tablet.engine.exchange();
    expect(namesOf(await tablet.engine.query({ object: 'call' }))).toEqual(await listOnline(world, 'call'));
  });

  test('makes one copy only, whatever answer is lost, and however often', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedCall();
    const { entry } = await phone.engine.update('call', 'c1', { notes: 'mine' });
    let lost = 0;
    phone.intercept(async (request, send) => {
      const answer = await send(request);
      if (request.path === 'upload' && lost++ % 3 < 2) throw new TypeError('the answer is lost');
      return answer;
    });
    for (let attempt = 0; attempt < 6; attempt++) await goOnline(phone);
    expect(lost).toBeGreaterThan(5);
    expect(await phone.engine.outcome(entry!)).toMatchObject({ kind: 'duplicated' });
    expect(await listOnline(world, 'call')).toHaveLength(2);
    expect(await phone.engine.listNotices()).toHaveLength(1);
  });

  test('submitted on both devices, is copied as not submitted', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedCall();
    await phone.engine.update('call', 'c1', { status: 'submitted', notes: 'mine' });
    await goOnline(phone);
    expect((await listOnline(world, 'call')).map(({ status, notes }) => [status, notes]).sort()).toEqual([['saved', 'mine'], ['submitted', 'first']]);
  });

  test('opened again by an administrator in between, is saved like any other', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedCall();
    const { entry } = await phone.engine.update('call', 'c1', { notes: 'mine' });
    await world.server.online.save([{ op: 'update', object: 'call', id: 'c1', values: { status: 'saved' } }]);
    await goOnline(phone);
    expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(await listOnline(world, 'call')).toMatchObject([{ id: 'c1', notes: 'mine' }]);
  });

  test('deleted here, has nothing to copy: the delete goes to the journal, and the user is told', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedCall();
    const { entry } = await phone.engine.remove('call', 'c1');
    expect(await goOnline(phone)).toMatchObject({ pending: 0, syncErrors: 0, notices: 1 });
    expect(await phone.engine.outcome(entry!)).toMatchObject({ kind: 'discarded' });
    expect(namesOf(await phone.engine.query({ object: 'call' }))).toEqual(await listOnline(world, 'call'));
  });

  test('copied, and the copy refused, is one sync error for all of the saves; undo takes back all of them', async () => {
    let isStrict = false;
    world = createWorld(groupSchema, { objects: { call: { validate: ({ next }) => (isStrict && next.notes === 'mine' ? refuse('notes', 'too-short') : undefined) } } });
    const { phone } = await createSubmittedCall();
    isStrict = true;
    const first = await phone.engine.update('call', 'c1', { notes: 'mine' });
    const second = await phone.engine.update('callSample', 's1', { quantity: 9 });
    expect(await goOnline(phone)).toMatchObject({ pending: 0, syncErrors: 1, notices: 0 });
    const [error] = await phone.engine.listSyncErrors();
    for (const { entry } of [first, second]) expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'refused', syncError: error!.id });
    await phone.engine.undo(error!.id);
    for (const { entry } of [first, second]) expect(await phone.engine.outcome(entry!)).toEqual({ kind: 'undone' });
    expect(namesOf(await phone.engine.query({ object: 'call' }))).toEqual(await listOnline(world, 'call'));
    expect((await phone.engine.readJournal())[0]!.members.map(({ op }) => op)).toEqual(['create', 'create', 'create', 'create']);
  });

  test('keeps what was created here reachable under its id, so that other saves that refer to it still fit', async () => {
    world = createWorld(groupSchema);
    const { phone } = await createSubmittedCall();
    await phone.engine.create('callSample', { call: 'c1', product: 'tape', quantity: 2 }, 's2');
    await goOnline(phone);
    const [copy] = (await listOnline(world, 'call')).filter(({ id }) => id !== 'c1');
    expect((await listOnline(world, 'callSample')).find(({ id }) => id === 's2')).toMatchObject({ call: copy!.id, product: 'tape' });
  });

  test('shows the copy beside the original until the server has it, through a restart', async () => {
    world = createWorld(groupSchema);
    const disk = memory();
    const { phone: other } = await createSubmittedCall(disk);
    const { entry } = await other.engine.update('call', 'c1', { notes: 'mine' });
    let uploads = 0;
    other.intercept(async (request, send) => {
      if (request.path === 'upload' && ++uploads > 1) throw new TypeError('the network is gone');
      return send(request);
    });
    await goOnline(other);
    expect(await other.engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    await other.engine.close();
    const again = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: true } });
    const calls = await again.engine.query({ object: 'call' });
    expect(calls.map(({ values, syncState }) => [values.status, values.notes, syncState]).sort()).toEqual([['saved', 'mine', 'sending'], ['submitted', 'first', 'synced']]);
    await goOnline(again);
    expect(await again.engine.outcome(entry!)).toMatchObject({ kind: 'duplicated' });
    expect(await listOnline(world, 'call')).toHaveLength(2);
  });
});
