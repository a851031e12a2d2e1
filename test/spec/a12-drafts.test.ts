import { afterEach, describe, expect, test } from 'vitest';
import type { SyncEngine } from '../../src/client/engine.ts';
import type { RuntimeReport } from '../../src/client/runtime.ts';
import { createTypedClient, type SyncClient } from '../../src/client/sync-client.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };
const clientOf = (engine: SyncEngine): SyncClient<typeof schema> =>
  createTypedClient({ schema, engine, runtime: { report: new Promise<RuntimeReport>(() => {}), subscribe: () => () => {} } });

async function start(storage = memory(), isOnline = false) {
  const device = await world.device('ann', { storage, ...(isOnline ? {} : { lifecycle: OFFLINE }) });
  return { ...device, client: clientOf(device.engine) };
}

describe('A12: a draft', () => {
  test('A12: gathers a header and its lines: nothing is queued or shown before it is saved, and then it is one entry', async () => {
    world = createWorld(schema);
    const { client } = await start();
    const draft = await client.objects.order.draft();
    await draft.set({ note: 'for Monday' });
    for (const product of ['gauze', 'plaster', 'tape']) await draft.add('line', { order: draft.recordId, product });
    expect(await client.status.get()).toMatchObject({ pending: 0, drafts: 1 });
    expect(await client.objects.order.query().get()).toEqual([]);
    expect(await draft.get()).toMatchObject({ id: draft.recordId, note: 'for Monday' });
    expect((await draft.read()).map(({ object, op }) => [object, op])).toEqual([['order', 'create'], ['line', 'create'], ['line', 'create'], ['line', 'create']]);
    const { entries } = await draft.save();
    expect(entries).toHaveLength(1);
    expect(await client.status.get()).toMatchObject({ pending: 1, drafts: 0 });
    await client.setLifecycle({ isOnline: true });
    expect(await client.outcome(entries[0]!)).toEqual({ kind: 'saved' });
    expect(await world.server.online.list('line')).toHaveLength(3);
    await expect(draft.read()).rejects.toMatchObject({ code: 'DRAFT_UNKNOWN' });
  });

  test.each(['crash-before', 'crash-after'] as const)('A12: comes back after a %s, as far as it was durable, and is not sent', async (fate) => {
    world = createWorld(schema);
    const disk = memory();
    let next: 'done' | typeof fate = 'done';
    const { client } = await start(faultyStorage(disk, { decide: () => next }));
    const draft = await client.objects.order.draft();
    await draft.set({ note: 'one' });
    next = fate;
    await expect(draft.set({ note: 'two' })).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    const again = await start(disk, true);
    expect(again.events).toContainEqual({ type: 'draft:found', draft: draft.id });
    expect(await again.client.drafts.list()).toMatchObject([{ id: draft.id, object: 'order', recordId: draft.recordId, changes: 1 }]);
    const heard: number[] = [];
    again.client.drafts.subscribe((drafts) => heard.push(drafts.length));
    const found = await again.client.drafts.open(draft.id);
    expect(await found.get()).toMatchObject({ note: fate === 'crash-after' ? 'two' : 'one' });
    await again.client.exchange();
    expect(again.requests.filter(({ path }) => path === 'upload')).toEqual([]);
    await found.save();
    await again.client.exchange();
    expect(await world.server.online.list('order')).toHaveLength(1);
    expect(heard).toEqual([1, 0]);
  });

  test.each(['crash-before', 'crash-after'] as const)('A12: a %s of its save leaves the draft or the entry, never both and never neither', async (fate) => {
    world = createWorld(schema);
    const disk = memory();
    let next: 'done' | typeof fate = 'done';
    const { client } = await start(faultyStorage(disk, { decide: () => next }));
    const draft = await client.objects.order.draft();
    await draft.add('line', { order: draft.recordId, product: 'gauze' });
    next = fate;
    await expect(draft.save()).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    const again = await start(disk);
    expect(await again.client.status.get()).toMatchObject(fate === 'crash-after' ? { pending: 1, drafts: 0 } : { pending: 0, drafts: 1 });
  });

  test('A12: what other devices do to its records waits until it is closed, and then shows', async () => {
    world = createWorld(schema);
    const tablet = await start(memory(), true), phone = await start(memory(), true);
    await tablet.client.transaction([{ op: 'create', object: 'order', values: { id: 'o1', note: 'a' } }, { op: 'create', object: 'line', values: { id: 'l1', order: 'o1', product: 'gauze', quantity: 1 } }]);
    await tablet.client.exchange();
    await phone.client.exchange();
    const draft = await phone.client.objects.order.draft('o1');
    await tablet.client.objects.line.update('l1', { quantity: 7 });
    await tablet.client.exchange();
    await phone.client.exchange();
    expect(phone.events).toContainEqual({ type: 'feed:kept-aside', object: 'line', id: 'l1', reason: 'in-use' });
    expect(await phone.client.objects.line.get('l1')).toMatchObject({ quantity: 1 });
    expect(await draft.read()).toMatchObject([{ id: 'o1', op: null }, { id: 'l1', values: { quantity: 1 } }]);
    expect(await draft.discard()).toEqual({ entries: [] });
    expect(await phone.client.objects.line.get('l1')).toMatchObject({ quantity: 7 });
  });

  test('A12: a download does not touch its records either', async () => {
    world = createWorld(schema);
    const tablet = await start(memory(), true), phone = await start(memory(), true);
    for (const id of ['a1', 'a2']) await tablet.client.objects.account.create({ id, name: 'x' });
    await tablet.client.exchange();
    await phone.client.exchange();
    const edited = await phone.client.objects.account.draft('a1'), shown = await phone.client.objects.account.draft('a2');
    await edited.set({ city: 'Ghent' });
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { phone: '1' } }, { op: 'remove', object: 'account', id: 'a2' }]);
    await phone.client.download();
    expect(await phone.client.objects.account.get('a1')).toMatchObject({ phone: null });
    expect(await phone.client.objects.account.get('a2')).toMatchObject({ name: 'x' });
    const { entries } = await edited.save();
    await shown.discard();
    expect(await phone.client.outcome(entries[0]!)).toEqual({ kind: 'saved' });
    expect(await phone.client.objects.account.get('a1')).toMatchObject({ city: 'Ghent', phone: '1' });
    expect(await phone.client.objects.account.get('a2')).toBeNull();
  });

  test('A12, A20: what it showed when it was opened counts as seen: a save over what changed since conflicts', async () => {
    world = createWorld(schema);
    const tablet = await start(memory(), true), phone = await start(memory(), true);
    await tablet.client.objects.account.create({ id: 'a1', name: 'St. Mary', city: 'Ghent' });
    await tablet.client.exchange();
    await phone.client.exchange();
    const draft = await phone.client.objects.account.draft('a1');
    await tablet.client.objects.account.update('a1', { city: 'Bruges' });
    await tablet.client.exchange();
    await phone.client.exchange();
    await draft.set({ city: 'Antwerp' });
    const { entries } = await draft.save();
    expect(await phone.client.outcome(entries[0]!)).toMatchObject({ kind: 'refused' });
    expect(await phone.client.syncErrors.list()).toMatchObject([{ class: 'conflict', fields: [{ field: 'city', previous: 'Ghent', mine: 'Antwerp', online: 'Bruges' }] }]);
  });

  test('A12: of unrelated records is an entry per record; what refers to a new record comes after it', async () => {
    world = createWorld(schema);
    const { client, engine } = await start();
    const draft = await client.objects.memo.draft();
    const account = await draft.add('account', { name: 'St. Mary' });
    await draft.set({ subject: 'new', account: account.id });
    const order = await draft.add('order', { account: account.id });
    await draft.add('line', { order: order.id, product: 'gauze' });
    const { entries } = await draft.save();
    expect(entries).toHaveLength(3);
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.list('memo')).toMatchObject([{ values: { account: account.id } }]);
    expect(await world.server.online.list('line')).toHaveLength(1);
  });

  test('A12: that lacks something is not saved and stays; its creates need their required fields only then', async () => {
    world = createWorld(schema);
    const { client } = await start();
    const draft = await client.objects.order.draft();
    const { id } = await draft.add('line', { order: draft.recordId });
    await expect(draft.add('line', { order: draft.recordId, quantity: 0 })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(draft.save()).rejects.toMatchObject({ code: 'FIELD_REQUIRED', details: { object: 'line', field: 'product' } });
    expect(await client.status.get()).toMatchObject({ drafts: 1, pending: 0 });
    await draft.change('line', id, { product: 'gauze' });
    expect((await draft.save()).entries).toHaveLength(1);
  });

  test('A12: a second one for the same group joins the first', async () => {
    world = createWorld(schema);
    const { client } = await start();
    await client.transaction([{ op: 'create', object: 'order', values: { id: 'o1' } }, { op: 'create', object: 'line', values: { id: 'l1', order: 'o1', product: 'gauze' } }]);
    const first = await client.objects.order.draft('o1');
    await first.change('line', 'l1', { quantity: 5 });
    const second = await client.objects.line.draft('l1');
    expect(second.id).toBe(first.id);
    expect(await client.drafts.list()).toHaveLength(1);
    const other = await client.objects.memo.draft();
    await expect(other.change('line', 'l1', { quantity: 6 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect((await second.save()).entries).toHaveLength(1);
    expect(await client.objects.line.get('l1')).toMatchObject({ quantity: 5 });
  });

  test('A12: that deletes a header deletes what hangs on it, and forgets what it had added', async () => {
    world = createWorld(schema);
    const { client } = await start();
    await client.transaction([{ op: 'create', object: 'order', values: { id: 'o1' } }, { op: 'create', object: 'line', values: { id: 'l1', order: 'o1', product: 'gauze' } }]);
    const draft = await client.objects.order.draft('o1');
    await draft.add('line', { id: 'l2', order: 'o1', product: 'tape' });
    await draft.remove('order', 'o1');
    expect(await draft.get()).toBeNull();
    expect((await draft.read()).map(({ id, op }) => [id, op])).toEqual([['o1', 'remove'], ['l1', 'remove']]);
    await draft.save();
    expect(await client.objects.line.query().get()).toEqual([]);
  });

  test('A12, C11: discarded, its content is in the journal', async () => {
    world = createWorld(schema);
    const { client } = await start();
    const { id } = await client.objects.account.create({ name: 'St. Mary' });
    const draft = await client.objects.account.draft(id);
    await draft.set({ city: 'Ghent' });
    const { entries } = await draft.discard();
    expect(await client.journal.get(entries[0]!)).toMatchObject([{ reason: 'undone', members: [{ object: 'account', id, op: 'update', previous: { city: null }, mine: { city: 'Ghent' } }] }]);
    expect(await client.outcome(entries[0]!)).toEqual({ kind: 'undone' });
    expect(await client.drafts.list()).toEqual([]);
    expect(await client.objects.account.get(id)).toMatchObject({ city: null });
  });

  test('A12: closed by a submit elsewhere on this device, it cannot be saved, and is kept', async () => {
    world = createWorld(schema);
    const { client } = await start();
    await client.objects.order.create({ id: 'o1' });
    const draft = await client.objects.order.draft('o1');
    await draft.set({ note: 'late' });
    await client.objects.order.update('o1', { state: 'submitted' });
    await expect(draft.save()).rejects.toMatchObject({ code: 'RECORD_LOCKED' });
    expect(await draft.get()).toMatchObject({ note: 'late', state: null });
    await draft.discard();
    await expect(client.objects.order.draft('o1')).rejects.toMatchObject({ code: 'RECORD_LOCKED' });
  });
});
