import { describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { formatCursor } from '../../src/protocol/messages.ts';
import type { SyncResponse } from '../../src/server/sync-request.ts';
import { describeOnBothStores } from './both-stores.ts';
import { createDevice, createWorld, readFault, type TestChange } from './harness.ts';

const SECRET = 'secret-of-ann';
const account: TestChange = { create: 'account', id: 'a1', values: { name: SECRET } };
const setCity: TestChange = { update: 'account', id: 'a1', from: {}, to: { city: 'mine' } };

const textOf = ({ headers, body }: SyncResponse): string => JSON.stringify(headers) + (body === null ? '' : Buffer.from(body).toString('latin1') + JSON.stringify(decodeEnvelope(body)));

describeOnBothStores('isolation', (newWorld) => {
  test('C2: a store of somebody else is refused at every endpoint, and nothing changes', async () => {
    const { device, store, scope } = newWorld();
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
    ];
    for (const answer of answers) {
      expect(readFault(answer)).toMatchObject({ status: 403, code: 'AUTH_REFUSED', message: 'this store cannot be used here' });
      expect(textOf(answer)).not.toMatch(/ann-|a1|secret/);
    }
    const tenant = scope.tenant ?? 'default';
    expect(await store.read(tenant, (view) => view.getFeed('bob'))).toBeNull();
    expect((await store.read(tenant, (view) => view.getRecords([{ object: 'account', id: 'a1' }])))[0]!.version).toEqual([1, 1]);
    expect(await store.run(tenant, (transaction) => transaction.claimReceipt({ user: 'bob', store: 'ann-tablet', number: 1 }))).toBeNull();
  });

  test('a cursor of somebody else gives the own feed', async () => {
    const { device } = newWorld();
    await device('ann').save(1, account);
    const page = (await device('bob').poll((await device('ann').poll(null))!.next))!;
    expect(page).toMatchObject({ gap: true, transactions: [], images: [] });
  });

  test('another tenant has the same names, and sees nothing, at every endpoint', async () => {
    const { device, server } = newWorld();
    await device('ann').save(1, account);
    const { next } = (await device('ann').poll(null))!;
    const stranger = createDevice(server, 'elsewhere/ann', 'ann-tablet');
    expect((await stranger.hello()).server.head).toBe(0);
    expect(await stranger.poll(next)).toMatchObject({ gap: true, transactions: [], from: { position: 0 } });
    expect((await stranger.snapshot()).flatMap(({ images }) => images)).toEqual([]);
    expect((await stranger.record('account', 'a1')).images).toEqual([]);
    // The same number in the same store of another tenant is another receipt; the same id another record.
    expect(await stranger.save(2, setCity)).toMatchObject({ class: 'edit-vs-delete', onlineImage: null });
    expect(await stranger.save(1, { create: 'account', id: 'a1', values: { name: 'other' } })).toMatchObject({ outcome: 'saved', committedImages: [{ version: [1, 1], values: { name: 'other', number: 'A-000001' } }] });
    expect((await device('ann').record('account', 'a1')).images).toMatchObject([{ values: { name: SECRET } }]);
    expect(await server.online.list('account', { tenant: 'nowhere' })).toEqual([]);
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
