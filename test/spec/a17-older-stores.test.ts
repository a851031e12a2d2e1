import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { defineSchema, integer, parent, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { readAll, uploadsOf } from '../support/stores.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({
  version: 1,
  objects: { account: { fields: { name: text(), city: text(), staff: integer() } }, contact: { fields: { account: parent('account'), name: text() } } },
});
const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof schema>;
afterEach(() => world.close());

/** A store as release 1 left it: two accounts; a refused edit, a create whose answer was lost, an edit, a delete; an undone edit in the journal. */
async function oldStore(edit: (meta: Record<string, unknown>) => Record<string, unknown> = (meta) => meta) {
  const { state, records } = JSON.parse(readFileSync(new URL('./fixtures/store-format-1.json', import.meta.url), 'utf8')) as { state: [string, string][]; records: [string, string, string][] };
  const disk = memory();
  const store = await disk.open({ tenant: '', user: 'ann' });
  await store.commit({
    putState: state.map(([key, text64]) => {
      const bytes = Uint8Array.from(Buffer.from(text64, 'base64'));
      return { key, bytes: key === 'meta' ? encodeEnvelope(edit(decodeEnvelope(bytes) as Record<string, unknown>)) : bytes };
    }),
    putRecords: records.map(([object, id, text64]) => ({ object, id, bytes: Uint8Array.from(Buffer.from(text64, 'base64')) })),
    durability: 'strict',
  });
  await store.close();
  return disk;
}

describe('A17: a store of an older release', () => {
  test('opens with its records, its queue and its sync errors, and goes up in the order of saves', async () => {
    world = createWorld(schema);
    await world.server.online.save([
      { op: 'create', object: 'account', id: 'a1', values: { name: 'St. Mary', city: 'Ghent', staff: 3 } },
      { op: 'create', object: 'account', id: 'a2', values: { name: 'St. John', city: 'Bruges' } },
    ]);
    const { engine, ...device } = await world.device('ann', { storage: await oldStore(), lifecycle: OFFLINE });
    expect((await engine.query({ object: 'account' })).map(({ id, values }) => [id, values.city, values.staff])).toEqual([['a1', 'Antwerp', 13], ['a2', 'Leuven', null]]);
    expect(await engine.get('contact', 'c1')).toBeNull();
    expect(await engine.status()).toMatchObject({ pending: 3, syncErrors: 1 });
    expect(await engine.listSyncErrors()).toMatchObject([{ id: 4, class: 'validation', recordId: 'a1', actions: ['undo', 'fix', 'retry', 'export'], members: [{ recordId: 'a1' }] }]);
    expect(await engine.outcome(3)).toEqual({ kind: 'undone' });
    expect(await engine.readJournal(3)).toMatchObject([{ entry: 3, reason: 'undone', members: [{ mine: { name: 'given up', staff: 13 } }] }]);
    await engine.resolve(4, 'fix', { staff: 12 });
    await engine.setLifecycle({ isOnline: true });
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await world.server.online.get('account', 'a1'))?.values).toMatchObject({ city: 'Antwerp', staff: 12 });
    expect((await world.server.online.get('account', 'a2'))?.values).toMatchObject({ name: 'St. John', city: 'Leuven' });
    expect((await world.server.online.list('contact'))).toEqual([]);
    // The create went out before under number 5: it stays what it was.
    expect(uploadsOf({ engine, ...device }).flatMap(({ entries }) => entries).filter(({ number }) => number === 5)).toHaveLength(1);
  });

  test('is one of this release after its first save', async () => {
    world = createWorld(schema);
    const disk = await oldStore();
    const { engine } = await world.device('ann', { storage: disk, lifecycle: OFFLINE });
    await engine.create('account', { name: 'new' });
    const { state } = await readAll(disk, []);
    expect(decodeEnvelope(state.find(({ key }) => key === 'meta')!.bytes)).toMatchObject({ format: 2 });
  });
});

describe('A17: a store of a newer release', () => {
  test('is left as it is, and the fault says why', async () => {
    world = createWorld(schema);
    const disk = await oldStore((meta) => ({ ...meta, format: 3 }));
    const before = await readAll(disk, ['account', 'contact']);
    await expect(world.device('ann', { storage: disk })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', message: expect.stringContaining('format 3') as string });
    expect(await readAll(disk, ['account', 'contact'])).toEqual(before);
  });
});
