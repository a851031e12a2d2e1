import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import type { UploadRequest } from '../../src/protocol/messages.ts';
import { namesInMask } from '../../src/protocol/row.ts';
import { parseLayouts } from '../../src/protocol/wire-layout.ts';
import { defineSchema, text, type Schema } from '../../src/schema.ts';
import type { FieldRightsOf } from '../../src/server/index.ts';
import { createWorld, goOnline, put, type TestDevice, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

const SECRET = 'not for bob';
const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text(), city: text(), tier: text() } } } });

let world: Pick<World<Schema>, 'server' | 'close'>;
afterEach(() => world.close());

/** An account as ann made it, on a device of bob's, who may not read the city and only read the tier. */
async function createBob(rights: FieldRightsOf<typeof schema> = ({ user }) => (user === 'bob' ? { account: { city: 'hidden', tier: 'read' } } : {})): Promise<TestDevice> {
  const made = createWorld(schema, { fields: rights });
  world = made;
  await made.server.online.save([{ op: 'create', object: 'account', id: 'a1', values: { name: 'St. Mary', city: SECRET, tier: 'A' } }]);
  const bob = await made.device('bob');
  await bob.engine.download();
  return bob;
}

const online = async () => (await world.server.online.get('account', 'a1'))?.values;
const here = async ({ engine }: TestDevice) => (await engine.get('account', 'a1'))?.values;

describe('A20: a device of a user who may not read every field', () => {
  test('shows no value of it, sends nothing of it with other edits, and leaves it online as it is', async () => {
    const bob = await createBob();
    expect(await here(bob)).toEqual({ name: 'St. Mary', city: null, tier: 'A' });
    await bob.engine.update('account', 'a1', { name: 'St. Anne' });
    expect(await goOnline(bob)).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await here(bob)).toEqual({ name: 'St. Anne', city: null, tier: 'A' });
    expect(await online()).toEqual({ name: 'St. Anne', city: SECRET, tier: 'A' });
    const { body } = bob.requests.findLast(({ path }) => path === 'upload')!;
    const { layouts: wire, items } = decodeEnvelope(body!) as UploadRequest;
    const layouts = parseLayouts(wire);
    const changes = createTwinCore().readChanges(items, layouts);
    expect(changes.ok && namesInMask(layouts[0]!, changes.mask(0)!)).toEqual(['name']);
  });

  test('deletes the record', async () => {
    const bob = await createBob();
    await bob.engine.remove('account', 'a1');
    expect(await goOnline(bob)).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await online()).toBeUndefined();
  });

  test('has an edit of it refused as a matter of permission, and a fix that gives the field up carries on', async () => {
    const bob = await createBob();
    await bob.engine.update('account', 'a1', { name: 'St. Anne', city: 'mine' });
    expect(await goOnline(bob)).toMatchObject({ syncErrors: 1 });
    const [error] = await bob.engine.listSyncErrors();
    expect(error).toMatchObject({ class: 'permission', fields: [{ field: 'name', online: 'St. Mary', isCause: false }, { field: 'city', mine: 'mine', online: null, isCause: true }] });
    expect(await here(bob)).toMatchObject({ name: 'St. Anne', city: 'mine' });
    await bob.engine.resolve(error!.id, 'fix', { city: null });
    expect(await goOnline(bob)).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await here(bob)).toEqual({ name: 'St. Anne', city: null, tier: 'A' });
    expect(await online()).toEqual({ name: 'St. Anne', city: SECRET, tier: 'A' });
  });

  test('lets go of the value with the next row once the right is withdrawn, and has it again from a download once it is given', async () => {
    let mayRead = true;
    const bob = await createBob(() => (mayRead ? {} : { account: { city: 'hidden' } }));
    expect(await here(bob)).toMatchObject({ city: SECRET });
    mayRead = false;
    await bob.engine.update('account', 'a1', { name: 'St. Anne' });
    expect(await goOnline(bob)).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await here(bob)).toEqual({ name: 'St. Anne', city: null, tier: 'A' });
    mayRead = true;
    await bob.engine.download();
    expect(await here(bob)).toEqual({ name: 'St. Anne', city: SECRET, tier: 'A' });
  });

  test('that edited it while it was allowed keeps the edit as a sync error, and shows nothing of what is online', async () => {
    let mayRead = true;
    const bob = await createBob(() => (mayRead ? {} : { account: { city: 'hidden' } }));
    await bob.engine.setLifecycle({ isOnline: false });
    await bob.engine.update('account', 'a1', { city: 'mine' });
    mayRead = false;
    await world.server.online.save([{ op: 'update', object: 'account', id: 'a1', values: { city: 'theirs' } }]);
    expect(await goOnline(bob)).toMatchObject({ syncErrors: 1 });
    expect(await bob.engine.listSyncErrors()).toMatchObject([{ class: 'permission', fields: [{ field: 'city', previous: SECRET, mine: 'mine', online: null }] }]);
    expect(await online()).toMatchObject({ city: 'theirs' });
  });
});

describe('A23, A20: a call that was submitted elsewhere, with fields that the user may not write', () => {
  test('is copied by the device all the same', async () => {
    const made = createWorld(groupSchema, { fields: ({ user }) => (user === 'bob' ? { call: { notes: 'hidden', name: 'read' }, callSample: { product: 'read' } } : {}) });
    world = made;
    await made.server.online.save([{ op: 'create', object: 'call', id: 'c1', values: { name: 'visit', notes: SECRET } }, { op: 'create', object: 'callSample', id: 's1', values: { call: 'c1', product: 'gauze', quantity: 1 } }]);
    const [phone, tablet] = [await made.device('bob'), await made.device('bob')];
    await phone.engine.download();
    await phone.engine.setLifecycle({ isOnline: false });
    await tablet.engine.download();
    await tablet.engine.update('call', 'c1', { status: 'submitted' });
    await goOnline(tablet);
    await phone.engine.save([put('update', 'callSample', 's1', { quantity: 5 })]);
    expect(await goOnline(phone)).toMatchObject({ pending: 0, syncErrors: 0, notices: 1 });
    const copy = (await made.server.online.list('call')).find(({ values }) => values.copiedFrom === 'c1')!;
    expect(copy.values).toMatchObject({ name: 'visit', notes: SECRET });
    expect((await made.server.online.list('callSample')).find(({ values }) => values.call === copy.id)?.values).toMatchObject({ product: 'gauze', quantity: 5 });
    expect((await phone.engine.get('call', copy.id))?.values).toMatchObject({ name: 'visit', notes: null });
  });
});
