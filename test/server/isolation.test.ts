import { describe, expect, test } from 'vitest';
import { create, entry, groupSchema, header, remove, update } from '../spec/group-schema.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { formatCursor } from '../../src/protocol/messages.ts';
import type { SyncResponse } from '../../src/server/sync-request.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createDevice, createWorld, readFault, type TestChange, type TestDevice } from './harness.ts';

const SECRET = 'secret-of-ann';
const account: TestChange = { create: 'account', id: 'a1', values: { name: SECRET } };
const setCity: TestChange = { update: 'account', id: 'a1', from: {}, to: { city: 'mine' } };

const textOf = ({ headers, body }: SyncResponse): string => JSON.stringify(headers) + (body === null ? '' : Buffer.from(body).toString('latin1') + JSON.stringify(decodeEnvelope(body)));

describeOnBothStores('isolation', (newWorld) => {
  test('C2: a store of somebody else is refused at every endpoint, and nothing changes', async () => {
    const { device, server, store, scope } = newWorld();
    await device('ann').save(1, account);
    const bob = device('bob', 'ann-tablet');
    const cursor = formatCursor((await device('ann').poll(null))!.next);
    const answers = [
      await bob.get('hello'),
      await bob.get('feed'),
      await bob.get('feed', { cursor }),
      await bob.get('snapshot'),
      await bob.get('record', { object: 'account', id: 'a1' }),
      await bob.post(bob.encodeUpload([{ number: 1, changes: [account] }])),
      await bob.post(bob.encodeUpload([{ number: 2, changes: [setCity] }])),
      await bob.post(encodeEnvelope({ protocol: 1, store: 'ann-tablet', attempt: 'x', numbers: [1, 3] }), {}, 'void'),
    ];
    for (const answer of answers) {
      expect(readFault(answer)).toMatchObject({ status: 403, code: 'AUTH_REFUSED', message: 'this store cannot be used here' });
      expect(textOf(answer)).not.toMatch(/ann-|a1|secret/);
    }
    const tenant = scope.tenant ?? 'default';
    expect(await store.read(tenant, (view) => view.getFeed('bob'))).toBeNull();
    expect((await store.read(tenant, (view) => view.getRecords([{ object: 'account', id: 'a1' }])))[0]!.version).toEqual([1, 1]);
    expect(await store.run(tenant, (transaction) => transaction.claimReceipt({ user: 'bob', store: 'ann-tablet', number: 1 }))).toBeNull();
    expect(await store.read(tenant, (view) => view.getReceipt({ user: 'ann', store: 'ann-tablet', number: 3 }))).toBeNull();
    expect((await server.devices.list(scope)).map(({ store: name, user }) => [name, user])).toEqual([['ann-tablet', 'ann']]);
  });

  test('a cursor of somebody else gives the own feed', async () => {
    const { device } = newWorld();
    await device('ann').save(1, account);
    const page = (await device('bob').poll((await device('ann').poll(null))!.next))!;
    expect(page).toMatchObject({ gap: 'foreign', transactions: [], images: [] });
  });

  test('another tenant has the same names, and sees nothing, at every endpoint', async () => {
    const { device, server, scope } = newWorld();
    await device('ann').save(1, account);
    const { next } = (await device('ann').poll(null))!;
    const stranger = createDevice(server, 'elsewhere/ann', 'ann-tablet');
    expect((await stranger.hello()).server.head).toBe(0);
    expect(await stranger.poll(next)).toMatchObject({ gap: 'foreign', transactions: [], from: { position: 0 } });
    expect((await stranger.snapshot()).flatMap(({ images }) => images)).toEqual([]);
    expect((await stranger.record('account', 'a1')).images).toEqual([]);
    // The same number in the same store of another tenant is another receipt; the same id another record.
    expect(await stranger.save(2, setCity)).toMatchObject({ class: 'edit-vs-delete', onlineImage: null });
    expect(await stranger.save(1, { create: 'account', id: 'a1', values: { name: 'other' } })).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1], values: { name: 'other', number: 'A-000001' } }] });
    expect((await device('ann').record('account', 'a1')).images).toMatchObject([{ values: { name: SECRET } }]);
    expect(await server.online.list('account', { tenant: 'nowhere' })).toEqual([]);
    // Nor does a number given up there say what became of it here, or end it here; nor does a device revoked there.
    expect(await stranger.void(3, 4)).toMatchObject([{ outcome: 'voided', currentImages: [] }, { outcome: 'voided' }]);
    expect(await device('ann').save(3, setCity)).toMatchObject({ outcome: 'saved' });
    expect(await stranger.void(3)).toMatchObject([{ outcome: 'voided', currentImages: [] }]);
    expect(await server.devices.revoke({ tenant: 'elsewhere', store: 'ann-tablet' })).toBe(true);
    expect((await device('ann').hello()).user).toBe('ann');
    expect(readFault(await stranger.get('hello'))).toMatchObject({ code: 'DEVICE_REVOKED' });
    expect(await server.support.listRefused({ tenant: 'elsewhere' })).toMatchObject([{ user: 'ann', number: 2 }]);
    expect(await server.support.listRefused(scope)).toEqual([]);
  });
});

describe('isolation of records by canSee', () => {
  const world = () => createWorld({ canSee: ({ user }, { values }) => user === 'ann' || (values.name !== SECRET && values.city !== SECRET) });

  test('no endpoint shows another user a record that he may not see', async () => {
    const { device } = world();
    await device('ann').save(1, account, { create: 'note', id: 'n1', values: { account: 'a1', body: 'open' } });
    const bob = device('bob');
    const answers = [
      await bob.get('feed'),
      await bob.get('snapshot'),
      await bob.get('record', { object: 'account', id: 'a1' }),
      await bob.get('record', { object: 'note', id: 'n1' }),
      await bob.post(bob.encodeUpload([{ number: 1, changes: [setCity] }])),
      await bob.post(bob.encodeUpload([{ number: 2, changes: [{ remove: 'account', id: 'a1' }] }])),
      await bob.post(bob.encodeUpload([{ number: 3, changes: [{ create: 'account', id: 'a1', values: { name: 'guess' } }] }])),
      await bob.post(bob.encodeUpload([{ number: 4, changes: [{ create: 'note', id: 'n2', values: { account: 'a1' } }] }])),
      await bob.post(bob.encodeUpload([{ number: 5, changes: [{ update: 'note', id: 'n1', from: { body: 'open' }, to: { body: 'edited' } }] }])),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(textOf(answer)).not.toContain(SECRET);
    }
  });

  test('A20: changes of what a user may not see are refused without a comparison, so values cannot be guessed', async () => {
    const { device } = world();
    await device('ann').save(1, account);
    const bob = device('bob');
    const right: TestChange = { update: 'account', id: 'a1', from: { name: SECRET }, to: { name: 'x' } };
    const wrong: TestChange = { update: 'account', id: 'a1', from: { name: 'guess' }, to: { name: 'x' } };
    for (const [index, change] of [right, wrong, { remove: 'account', id: 'a1', was: { name: SECRET } } as const].entries()) {
      expect(await bob.save(index + 1, change)).toMatchObject({ class: 'permission', refusal: { online: null, fields: [] }, currentImages: [] });
    }
    expect(await bob.save(9, account)).toMatchObject({ class: 'duplicate-key', refusal: { online: null, fields: [] }, currentImages: [] });
    expect(await bob.save(10, { create: 'note', id: 'n2', values: { account: 'a1' } })).toMatchObject({ class: 'missing-reference', currentImages: [] });
    expect(await bob.save(11, { create: 'note', id: 'n2', values: { account: 'nobody' } })).toMatchObject({ class: 'missing-reference', currentImages: [] });
  });

  test('a record that leaves a user\'s sight is hidden in the answer, also in a repeated one', async () => {
    const { device } = world();
    const bob = device('bob');
    await bob.save(1, { create: 'account', id: 'a1', values: { name: 'x', tier: 'A' } });
    const hide: TestChange = { update: 'account', id: 'a1', from: {}, to: { city: SECRET } };
    expect((await bob.save(2, hide)).committedImages).toMatchObject([{ id: 'a1', state: 'hidden', version: [1, 2], values: null }]);
    const repeat = await bob.save(1, { create: 'account', id: 'a1', values: { name: 'x', tier: 'A' } });
    expect(repeat).toMatchObject({ outcome: 'saved', committedImages: [{ state: 'hidden' }], currentImages: [{ state: 'hidden' }] });
  });
});

describe('isolation of groups by canSee', () => {
  const HIDDEN = 'hidden-by-ann';
  /** Bob sees no record whose notes, topic or product say so, deleted or not. */
  const world = () => createWorld({ schema: groupSchema, canSee: ({ user }, { values }) => user === 'ann' || ![values.notes, values.topic, values.product].includes(HIDDEN) });
  const submit = (object: string, id: string) => update(object, id, { status: null }, { status: 'submitted' });

  /** What two entries are answered, as far as the user of `device` can tell them apart. */
  async function answersOf(device: TestDevice, number: number, ...entries: readonly (readonly TestChange[])[]) {
    const named = [header('order', 'o1', 1), header('order', 'o2', 1), header('call', 'c1', 1)];
    const answers = [];
    for (const [index, changes] of entries.entries()) {
      const { refusal = null, ...result } = { ...(await device.saveEntry(entry(number + index, named, ...changes))) } as { readonly refusal?: unknown } & Awaited<ReturnType<TestDevice['saveEntry']>>;
      answers.push({ ...result, refusal, number: 0 });
    }
    return answers;
  }

  test('A24: a record that a user may not see does not tell which submitted group it is in', async () => {
    const { device } = world();
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}), create('line', 'in-o1', { order: 'o1', product: HIDDEN, quantity: 1 })));
    await ann.saveEntry(entry(2, [header('order', 'o2', 0)], create('order', 'o2', {}), create('line', 'in-o2', { order: 'o2', product: HIDDEN, quantity: 1 })));
    await ann.saveEntry(entry(3, [header('order', 'o1', 1)], submit('order', 'o1')));
    const edits = [(id: string) => update('line', id, { quantity: 1 }, { quantity: 2 }), (id: string) => remove('line', id), (id: string) => create('line', id, { order: null, quantity: 1 })];
    for (const [index, edit] of edits.entries()) {
      const [inSubmitted, inOpen] = await answersOf(bob, 10 + 10 * index, [edit('in-o1')], [edit('in-o2')]);
      expect(inSubmitted).toMatchObject({ outcome: 'refused' });
      expect(inSubmitted).toEqual(JSON.parse(JSON.stringify(inOpen).replaceAll('in-o2', 'in-o1')));
    }
  });

  test('A23: nor does a record that hangs on it, in an entry or in a copy; it is as if nothing were there', async () => {
    const { device } = world();
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'x' }), create('callSample', 'in-c1', { call: 'c1', product: HIDDEN, quantity: 1 })));
    await ann.saveEntry(entry(2, [header('call', 'c1', 1)], submit('call', 'c1')));
    const [below, nowhere] = await answersOf(bob, 1, [create('sampleLot', 'k1', { sample: 'in-c1' })], [create('sampleLot', 'k1', { sample: 'in-c2' })]);
    expect(below).toMatchObject({ outcome: 'refused', class: 'missing-reference' });
    expect(below).toEqual(nowhere);
    const copyOf = (number: number, sample: string) => ({ ...entry(number, [header('call', 'c2', 0)], create('call', 'c2', { name: 'x' }), create('sampleLot', 'k1', { sample })), duplicateOf: { object: 'call', id: 'c1' } });
    const copied = await bob.saveEntry(copyOf(11, 'in-c1'));
    expect(copied).toMatchObject({ outcome: 'refused', class: 'missing-reference', refusal: { member: 1 } });
    expect(copied).toEqual({ ...(await bob.saveEntry(copyOf(12, 'in-c2'))), number: 11 });
  });

  test('A23, A24: nothing of a header that a user may not see comes back: not by its name, nor in a discard, a copy or a number given up', async () => {
    const { device } = world();
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', { notes: HIDDEN }), create('line', 'l1', { order: 'o1', product: HIDDEN, quantity: 1 }), create('line', 'l2', { order: 'o1', quantity: 1 })));
    await ann.saveEntry(entry(2, [header('call', 'c1', 0)], create('call', 'c1', { name: HIDDEN, notes: HIDDEN }), create('callDiscussion', 'd1', { call: 'c1', topic: HIDDEN })));
    await ann.saveEntry(entry(3, [header('order', 'o1', 1)], submit('order', 'o1')));
    await ann.saveEntry(entry(4, [header('call', 'c1', 1)], submit('call', 'c1')));
    const named = [header('order', 'o1', 1), header('call', 'c1', 1)];
    const bodies = [
      entry(1, named, update('line', 'l2', { quantity: 1 }, { quantity: 2 })),
      entry(2, named, update('order', 'o1', {}, { notes: 'x' })),
      entry(3, named, create('line', 'l3', { order: 'o1', quantity: 1 })),
      entry(4, named, update('callDiscussion', 'd1', {}, { topic: 'x' })),
      { ...entry(5, [header('call', 'c2', 0)], create('call', 'c2', { name: 'x' })), duplicateOf: { object: 'call', id: 'c1' } },
      { ...entry(6, [header('call', 'c2', 0)], create('call', 'c2', { name: 'x' }), create('callDiscussion', 'd1', { call: 'c2' })), duplicateOf: { object: 'call', id: 'c1' } },
      entry(7, named, create('stock', 's1', {})),
    ];
    for (const given of bodies) {
      const answer = await bob.post(bob.encodeUpload([given]));
      expect(answer.status).toBe(200);
      expect(textOf(answer), `entry ${given.number}`).not.toContain(HIDDEN);
    }
    const voided = await bob.void(1, 2, 3, 4, 5, 6, 7);
    expect(voided.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'refused', 'refused', 'refused', 'saved']);
    for (const { currentImages, committedImages } of voided) {
      for (const { id } of [...currentImages, ...committedImages]) expect(['l2', 's1']).toContain(id);
    }
  });

  test('A24: a discard that is asked for again shows nothing of what the user may no longer see', async () => {
    const { device, server } = world();
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('order', 'o1', 0)], create('order', 'o1', {}), create('line', 'l1', { order: 'o1', quantity: 1 })));
    await ann.saveEntry(entry(2, [header('order', 'o1', 1)], submit('order', 'o1')));
    const late = entry(1, [header('order', 'o1', 1)], update('line', 'l1', { quantity: 1 }, { quantity: 2 }));
    expect((await bob.saveEntry(late)).currentImages.map(({ id }) => id)).toEqual(['o1', 'l1']);
    await server.online.save([{ op: 'update', object: 'order', id: 'o1', values: { notes: HIDDEN } }]);
    expect(await bob.saveEntry(late)).toMatchObject({ outcome: 'discarded', header: 0, currentImages: [{ id: 'l1' }] });
    expect(await bob.void(1)).toMatchObject([{ outcome: 'discarded', currentImages: [{ id: 'l1' }] }]);
  });

  test('C1: a record asked for that may not be seen shows itself as hidden, and no group around it', async () => {
    const { device, server } = world();
    const ann = device('ann'), bob = device('bob');
    await ann.saveEntry(entry(1, [header('call', 'c1', 0)], create('call', 'c1', { name: 'x' }), create('callSample', 's1', { call: 'c1', product: HIDDEN, quantity: 1 })));
    await ann.saveEntry(entry(2, [header('call', 'c2', 0)], create('call', 'c2', { name: HIDDEN, notes: HIDDEN })));
    expect((await bob.record('callSample', 's1')).images).toMatchObject([{ id: 's1', state: 'hidden', values: null }]);
    expect((await bob.record('call', 'c2')).images).toMatchObject([{ id: 'c2', state: 'hidden', values: null }]);
    // By the Record ID, the id at birth would be news.
    const { values } = (await server.online.get('call', 'c2'))!;
    expect((await bob.record('call', values.serverId as string)).images).toEqual([]);
    expect((await ann.record('call', values.serverId as string)).images).toMatchObject([{ id: 'c2', state: 'live' }]);
  });
});
