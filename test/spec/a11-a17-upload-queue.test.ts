import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../src/protocol/envelope.ts';
import { parseUploadRequest } from '../../src/protocol/parse.ts';
import { parseLayouts } from '../../src/protocol/wire-layout.ts';
import { createTwinCore } from '../../src/core/twin.ts';
import { decodeRow, maskPositions, splitRow, decodeValue } from '../../src/protocol/row.ts';
import { defineSchema, integer, reference, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';
import type { TransportRequest } from '../../src/transport/transport-adapter.ts';

const schema = defineSchema({
  version: 1,
  objects: {
    account: { coalesce: 'never', fields: { name: text({ required: true }), city: text(), phone: text(), staff: integer({ min: 0 }) } },
    call: { fields: { account: reference('account'), subject: text() } },
  },
});

let world: World<typeof schema>;
afterEach(() => world.close());

const uploadsOf = ({ requests }: TestDevice): TransportRequest[] => requests.filter(({ path }) => path === 'upload');

/** What an upload says, in words. */
function readUpload(request: TransportRequest): { number: number; object: string; id: string; op: string; previous: unknown; next: unknown }[] {
  const { layouts, entries, items } = parseUploadRequest(decodeEnvelope(request.body!));
  const read = parseLayouts(layouts);
  const table = createTwinCore().readChanges(items, read);
  if (!table.ok) throw new Error(table.status);
  const named = (at: number, which: 'previous' | 'next'): unknown => {
    const layout = read[table.layout(at)]!, mask = table.mask(at), values = table[which](at);
    if (values === null) return null;
    if (mask === null) return decodeRow(layout, values);
    const parts = splitRow(values);
    return Object.fromEntries(maskPositions(mask).map((position, index) => [layout.fields[position]!.name, decodeValue(layout.fields[position]!.type, parts[index]!)]));
  };
  return entries.map(({ number }, at) => ({ number, object: read[table.layout(at)]!.object, id: table.id(at), op: table.op(at), previous: named(at, 'previous'), next: named(at, 'next') }));
}

describe('saving', () => {
  test('A11: a full disk refuses the save and leaves nothing behind', async () => {
    world = createWorld(schema);
    let isFull = false;
    const device = await world.device('ann', { storage: faultyStorage(memory(), { decide: () => (isFull ? 'full' : 'done') }), lifecycle: { isOnline: false, isForeground: true } });
    const { id } = await device.engine.create('account', { name: 'St. Mary', city: 'Ghent' });
    isFull = true;
    await expect(device.engine.update('account', id, { city: 'Bruges' })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    await expect(device.engine.create('account', { name: 'new' })).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect((await device.engine.get('account', id))?.values.city).toBe('Ghent');
    expect(await device.engine.query({ object: 'account' })).toHaveLength(1);
    expect(await device.engine.status()).toMatchObject({ pending: 1 });
    isFull = false;
    await device.engine.setLifecycle({ isOnline: true });
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.list('account')).toHaveLength(1);
  });

  test.each(['crash-before', 'crash-after'] as const)('A11: a %s of the save leaves record and entry both, or neither', async (fate) => {
    world = createWorld(schema);
    const disk = memory();
    let next: 'done' | typeof fate = 'done';
    const device = await world.device('ann', { storage: faultyStorage(disk, { decide: () => next }), lifecycle: { isOnline: false, isForeground: true } });
    next = fate;
    await expect(device.engine.create('account', { name: 'St. Mary' }, 'a1')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
    const again = await world.device('ann', { storage: disk });
    const landed = fate === 'crash-after';
    expect(await again.engine.get('account', 'a1')).toEqual(landed ? expect.objectContaining({ id: 'a1' }) : null);
    await again.engine.exchange();
    expect(await world.server.online.list('account')).toHaveLength(landed ? 1 : 0);
  });

  test('A11: what cannot be kept, is unknown, or is the server’s is refused with a fault that names it', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann');
    await expect(engine.create('account', { name: 'x', city: 'a\ud800' })).rejects.toMatchObject({ code: 'VALUE_INVALID', details: { field: 'account.city' } });
    await expect(engine.create('account', { name: 'x', staff: 1.5 })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(engine.create('account', { name: 'x', staff: -1 })).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await expect(engine.create('account', { city: 'x' })).rejects.toMatchObject({ code: 'FIELD_REQUIRED' });
    await expect(engine.create('account', { name: 'x', nope: 1 })).rejects.toMatchObject({ code: 'FIELD_UNKNOWN' });
    await expect(engine.create('nope', {})).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' });
    await expect(engine.update('account', 'nobody', { city: 'x' })).rejects.toMatchObject({ code: 'RECORD_MISSING' });
    await expect(engine.create('account', { name: 'x' }, '')).rejects.toMatchObject({ code: 'ID_INVALID' });
    const { id } = await engine.create('account', { name: 'x' });
    await expect(engine.create('account', { name: 'y' }, id)).rejects.toMatchObject({ code: 'RECORD_EXISTS' });
    expect((await engine.status()).pending + (await world.server.online.list('account')).length).toBeGreaterThan(0);
  });

  test('A11: a save that changes nothing queues nothing', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const { id } = await engine.create('account', { name: 'x', city: 'Ghent' });
    expect((await engine.update('account', id, { city: 'Ghent', phone: '' })).entry).toBeNull();
    expect(await engine.status()).toMatchObject({ pending: 1 });
  });

  test('A20: an upload holds exactly the changed fields, each with what the user saw and what the user wrote', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    const { id } = await device.engine.create('account', { name: 'x', city: 'Ghent', phone: '1' });
    await device.engine.exchange();
    await device.engine.update('account', id, { city: 'Bruges', phone: '1' });
    await device.engine.exchange();
    const [create, update] = uploadsOf(device).flatMap(readUpload);
    expect(create).toMatchObject({ op: 'create', previous: null, next: { name: 'x', city: 'Ghent', phone: '1', staff: null } });
    expect(update).toMatchObject({ op: 'update', previous: { city: 'Ghent' }, next: { city: 'Bruges' } });
  });
});

describe('the upload queue', () => {
  test('A14: five saves are five entries with outcomes of their own', async () => {
    world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.city === 'bad' ? refuse('city', 'no-such-city') : undefined) } } });
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const saves = [];
    for (const city of ['a', 'b', 'bad', 'd', 'e']) saves.push(await engine.create('account', { name: city, city }));
    await engine.setLifecycle({ isOnline: true });
    await engine.exchange();
    const outcomes = await Promise.all(saves.map(({ entry }) => engine.outcome(entry!)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['saved', 'saved', 'refused', 'saved', 'saved']);
    expect((await engine.listSyncErrors())[0]).toMatchObject({ class: 'validation', fields: expect.arrayContaining([expect.objectContaining({ field: 'city', mine: 'bad' })]) as unknown });
  });

  test('A16: what is saved offline stays, through a restart, and goes up when the network is back', async () => {
    world = createWorld(schema);
    const disk = memory();
    const before = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: true } });
    await before.engine.create('account', { name: 'x' }, 'a1');
    await before.engine.close();
    const after = await world.device('ann', { storage: disk, lifecycle: { isOnline: false, isForeground: true } });
    expect(await after.engine.status()).toMatchObject({ pending: 1, isOnline: false });
    await after.engine.setLifecycle({ isOnline: true });
    await after.engine.exchange();
    expect(await world.server.online.get('account', 'a1')).not.toBeNull();
  });

  test('A16: nothing is sent from the background', async () => {
    world = createWorld(schema);
    const device = await world.device('ann', { lifecycle: { isOnline: true, isForeground: false } });
    await device.engine.create('account', { name: 'x' });
    await world.clock.advance(600_000);
    expect(device.requests).toHaveLength(0);
    await device.engine.setLifecycle({ isForeground: true });
    expect(await device.engine.exchange()).toMatchObject({ pending: 0 });
  });

  test('A17: 500 offline saves go up in the order of saves', async () => {
    world = createWorld(schema);
    const device = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const order: string[] = [];
    const random = createSeededRandom(5);
    for (let index = 0; index < 500; index++) {
      const isNew = index < 20 || random.next() < 0.3;
      if (isNew) await device.engine.create('account', { name: `n${index}` }, `a${index}`);
      else await device.engine.update('account', `a${Math.floor(random.next() * 20)}`, { city: `c${index}` });
      order.push(isNew ? `n${index}` : `c${index}`);
    }
    await device.engine.setLifecycle({ isOnline: true });
    expect(await device.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    const sent = uploadsOf(device).flatMap(readUpload).map(({ op, next }) => (op === 'create' ? (next as { name: string }).name : (next as { city: string }).city));
    expect(sent).toEqual(order);
    for (const upload of uploadsOf(device)) {
      const keys = readUpload(upload).map(({ object, id }) => `${object}/${id}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test('A17, C2: with a quarter of all answers lost, what is online equals a run without loss', async () => {
    const play = async (lossRate: number): Promise<unknown> => {
      world = createWorld(schema);
      const device = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
      const random = createSeededRandom(11);
      device.intercept(async (request, send) => {
        const response = await send(request);
        if (request.path === 'upload' && random.next() < lossRate) throw new TypeError('lost');
        return response;
      });
      for (let index = 0; index < 120; index++) {
        if (index < 10) await device.engine.create('account', { name: `n${index}` }, `a${index}`);
        else await device.engine.update('account', `a${(index * 7) % 10}`, { city: `c${index}` });
      }
      await device.engine.setLifecycle({ isOnline: true });
      for (let round = 0; round < 200 && (await device.engine.status()).pending > 0; round++) await world.clock.advance(300_000);
      expect(await device.engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
      const records = await world.server.online.list('account');
      await world.close();
      return records;
    };
    expect(await play(0.25)).toEqual(await play(0));
    world = createWorld(schema);
  });

  test('C4: an entry whose answer was lost is sent again byte for byte, also after later edits and a restart', async () => {
    world = createWorld(schema);
    const disk = memory();
    const first = await world.device('ann', { storage: disk });
    first.intercept(async (request, send) => {
      if (request.path === 'upload') throw new TypeError('lost');
      return send(request);
    });
    await first.engine.create('account', { name: 'x', city: 'Ghent' }, 'a1');
    await first.engine.exchange();
    await first.engine.update('account', 'a1', { city: 'Bruges' });
    await first.engine.exchange();
    await first.engine.close();
    const second = await world.device('ann', { storage: disk });
    await second.engine.exchange();
    const [lost, repeated, later] = [...uploadsOf(first), ...uploadsOf(second)].filter((_, index, all) => index === 0 || index >= all.length - 2).map((request) => readUpload(request));
    expect(repeated).toEqual(lost);
    expect(later).toMatchObject([{ op: 'update', previous: { city: 'Ghent' }, next: { city: 'Bruges' } }]);
    expect(later![0]!.number).not.toBe(lost![0]!.number);
  });

  test('C9, A17: a refused entry holds its record and what refers to its create, nothing else', async () => {
    world = createWorld(schema, { objects: { account: { validate: ({ next }) => (next.name === 'bad' ? refuse('name', 'bad') : undefined) } } });
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    await engine.create('account', { name: 'bad' }, 'bad');
    const edit = await engine.update('account', 'bad', { city: 'x' });
    const call = await engine.create('call', { account: 'bad', subject: 'about it' }, 'c1');
    const other = await engine.create('account', { name: 'good' }, 'good');
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 2, syncErrors: 1, state: 'error' });
    expect(await engine.outcome(other.entry!)).toEqual({ kind: 'saved' });
    const [error] = await engine.listSyncErrors();
    expect(error!.dependants.map(({ entry }) => entry)).toEqual([edit.entry, call.entry]);
    expect((await engine.undo(error!.id)).entries).toEqual([error!.id, edit.entry, call.entry]);
    expect(await engine.get('account', 'bad')).toBeNull();
    expect(await engine.get('call', 'c1')).toBeNull();
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0, state: 'pending', hasFeedGap: true });
  });

  test('A17: an entry whose hook fails is tried later, alone; after 20 times in over an hour it becomes a sync error', async () => {
    let isBroken = true;
    world = createWorld(schema, {
      objects: {
        account: {
          validate: ({ next }) => {
            if (isBroken && next.name === 'bug') throw new Error('a bug of the host');
          },
        },
      },
    });
    const { engine } = await world.device('ann');
    const poison = await engine.create('account', { name: 'bug' }, 'bug');
    const other = await engine.create('account', { name: 'fine' }, 'fine');
    expect(await engine.outcome(other.entry!)).toEqual({ kind: 'saved' });
    expect(await engine.status()).toMatchObject({ pending: 1, syncErrors: 0 });
    for (let hour = 0; hour < 30 && (await engine.status()).syncErrors === 0; hour++) await world.clock.advance(3_600_000);
    expect(await engine.outcome(poison.entry!)).toEqual({ kind: 'refused', syncError: poison.entry });
    expect((await engine.listSyncErrors())[0]).toMatchObject({ class: 'server-error', recordId: 'bug' });
    isBroken = false;
  });

  test('A17: back-off grows after failures, obeys the server, and ends with a success', async () => {
    world = createWorld(schema);
    const device = await world.device('ann');
    await device.engine.exchange();
    let isDown = true;
    device.intercept((request, send) => (isDown ? Promise.reject(new TypeError('down')) : send(request)));
    await device.engine.create('account', { name: 'x' });
    await world.clock.advance(3_600_000);
    const tries = uploadsOf(device).length;
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(80);
    expect(await device.engine.status()).toMatchObject({ pending: 1, lastFault: { code: expect.any(String) as string } });
    isDown = false;
    await world.clock.advance(300_000);
    expect(await device.engine.status()).toMatchObject({ pending: 0, lastFault: null });
  });

  test('C2: a copied store takes a new identity; entries of unknown fate become sync errors, the rest goes on', async () => {
    world = createWorld(schema);
    const disk = memory();
    const original = await world.device('ann', { storage: disk });
    await original.engine.create('account', { name: 'x' }, 'a1');
    await original.engine.exchange();
    // Number 2 is used on the original, and again, with other content, by a copy that never heard of it.
    const copy = memory();
    await copyStore(disk, copy);
    await original.engine.create('account', { name: 'of the original' }, 'a2');
    await original.engine.exchange();
    const copied = await world.device('ann', { storage: copy });
    await copied.engine.create('account', { name: 'of the copy' }, 'a3');
    await copied.engine.exchange();
    expect((await copied.engine.listSyncErrors())[0]).toMatchObject({ class: 'fate-unknown', recordId: 'a3' });
    const next = await copied.engine.create('account', { name: 'later' }, 'a4');
    await copied.engine.exchange();
    expect(await copied.engine.outcome(next.entry!)).toEqual({ kind: 'saved' });
  });
});

async function copyStore(from: ReturnType<typeof memory>, to: ReturnType<typeof memory>): Promise<void> {
  const owner = { tenant: '', user: 'ann' };
  const [source, target] = [await from.open(owner), await to.open(owner)];
  const state = await source.scanState({ prefix: '', limit: 10_000 });
  const records = await source.scanRecords({ object: 'account', limit: 10_000 });
  await target.commit({ putState: state, putRecords: records, durability: 'strict' });
  await Promise.all([source.close(), target.close()]);
}
