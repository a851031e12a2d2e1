import { afterEach, describe, expect, test } from 'vitest';
import { planUpload } from '../../src/client/network/upload-plan.ts';
import { clientRules } from '../../src/client/rules.ts';
import { memory } from '../../src/storage/memory.ts';
import { faultyStorage } from '../../src/testing/faulty-storage.ts';
import { ordersSchema as schema } from '../support/orders.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World<typeof schema>;
afterEach(() => world.close());

const OFFLINE = { isOnline: false, isForeground: true };

/** A device with two accounts that have Record IDs of the server. */
async function start() {
  world = createWorld(schema);
  const device = await world.device('ann');
  for (const id of ['a1', 'a2']) await device.engine.create('account', { name: id }, id);
  await device.engine.exchange();
  const serverId = async (id: string): Promise<string> => (await device.engine.get('account', id))!.values.serverId as string;
  return { ...device, serverId: await serverId('a1'), otherId: await serverId('a2') };
}

describe('C1: the server’s Record ID in place of the id at birth', () => {
  test('C1: every call of a record takes it, answers with the id at birth, and queues that', async () => {
    const { engine, serverId, otherId, events } = await start();
    expect(serverId).not.toBe('a1');
    expect((await engine.get('account', serverId))?.id).toBe('a1');
    expect((await engine.fetch('account', serverId))?.id).toBe('a1');
    expect(await engine.update('account', serverId, { city: 'Ghent' })).toMatchObject({ id: 'a1' });
    expect(await engine.save([{ op: 'update', object: 'account', id: otherId, values: { city: 'Bruges' } }])).toMatchObject({ records: [{ id: 'a2' }] });
    const heard: unknown[] = [];
    await engine.watchRecord('account', serverId, (record) => heard.push(record?.values.city));
    await engine.exchange();
    await engine.setLifecycle({ isOnline: false });
    await engine.update('account', 'a1', { city: 'Ypres' });
    await engine.status();
    expect(await engine.remove('account', otherId)).toMatchObject({ id: 'a2' });
    expect(await engine.restore('account', otherId)).toMatchObject({ id: 'a2' });
    expect(await engine.draft({ kind: 'open', object: 'account', id: otherId })).toMatchObject({ recordId: 'a2' });
    expect(heard[0]).toBe('Ghent');
    expect(new Set(events.flatMap((event) => (event.type === 'change:queued' ? [event.id] : [])))).toEqual(new Set(['a1', 'a2']));
  });

  test('C1: a reference takes it, in creates, updates, transactions and drafts; what is kept and sent is the id at birth', async () => {
    const { engine, serverId, otherId } = await start();
    await engine.create('visit', { account: serverId }, 'v1');
    await engine.create('memo', { subject: 'x' }, 'm1');
    await engine.update('memo', 'm1', { account: serverId });
    await engine.save([{ op: 'create', object: 'order', id: 'o1', values: { account: otherId } }]);
    const draft = await engine.draft({ kind: 'open', object: 'memo', id: null }) as { readonly id: string; readonly recordId: string };
    await engine.draft({ kind: 'change', draft: draft.id, op: 'update', object: 'memo', values: { account: otherId } });
    await engine.draft({ kind: 'save', draft: draft.id });
    expect((await engine.get('visit', 'v1'))?.values.account).toBe('a1');
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.list('visit')).toMatchObject([{ values: { account: 'a1' } }]);
    expect(await world.server.online.list('order')).toMatchObject([{ values: { account: 'a2' } }]);
    expect((await world.server.online.get('memo', 'm1'))?.values.account).toBe('a1');
    expect((await world.server.online.get('memo', draft.recordId))?.values.account).toBe('a2');
  });

  test('C1: a query takes it, for the record itself and for references', async () => {
    const { engine, serverId, otherId } = await start();
    await engine.create('visit', { account: 'a1' }, 'v1');
    await engine.create('visit', { account: 'a2' }, 'v2');
    const ids = async (object: string, where: Record<string, never>) => (await engine.query({ object, where })).map(({ id }) => id);
    expect(await ids('account', { id: serverId } as never)).toEqual(['a1']);
    expect(await ids('visit', { account: serverId } as never)).toEqual(['v1']);
    expect(await ids('visit', { account: { in: [serverId, otherId] } } as never)).toEqual(['v1', 'v2']);
    expect(await ids('visit', { account: { not: serverId } } as never)).toEqual(['v2']);
    await engine.exchange();
    const heard: string[][] = [];
    await engine.watchQuery({ object: 'visit', where: { account: otherId } }, (records) => heard.push(records.map(({ id }) => id)));
    await engine.remove('visit', 'v2');
    await engine.status();
    await engine.query({ object: 'visit' });
    expect(heard).toEqual([['v2'], []]);
  });

  test('C1: an id at birth wins over a Record ID that is the same', async () => {
    const { engine, serverId } = await start();
    // A host that makes its own ids may hit on one that the server has given to another record.
    await engine.create('account', { name: 'namesake' }, serverId);
    expect((await engine.get('account', serverId))?.values.name).toBe('namesake');
    await engine.create('visit', { account: serverId }, 'v1');
    expect((await engine.get('visit', 'v1'))?.values.account).toBe(serverId);
    await engine.update('account', serverId, { city: 'Ypres' });
    expect((await engine.get('account', 'a1'))?.values.city).toBeNull();
    await engine.remove('account', serverId);
    await expect(engine.update('account', serverId, { city: 'Ghent' })).rejects.toMatchObject({ code: 'RECORD_MISSING' });
  });
});

test.each([1, 2, 3, 4, 5, 6])('C1: born offline with children and grandchildren, uploaded in random cuts with crashes anywhere, nothing is lost or doubled (seed %i)', async (seed) => {
  world = createWorld(schema);
  const random = createSeededRandom(seed);
  const disk = memory();
  let isShaky = false;
  const shaky = () => faultyStorage(disk, { decide: () => (isShaky && random.next() < 0.15 ? (random.next() < 0.5 ? 'crash-before' : 'crash-after') : 'done') });
  // Requests of random sizes.
  const rules = { ...clientRules, planUpload: (input: Parameters<typeof planUpload>[0]) => planUpload({ ...input, limits: { ...input.limits, entries: 1 + Math.floor(random.next() * 3) } }) };
  const first = await world.device('ann', { storage: disk, lifecycle: OFFLINE, rules });
  for (let one = 1; one <= 4; one++) {
    await first.engine.create('account', { name: `account ${one}` }, `a${one}`);
    await first.engine.save([{ op: 'create', object: 'order', id: `o${one}`, values: { account: `a${one}` } }]);
    await first.engine.create('line', { order: `o${one}`, product: 'gauze' }, `l${one}`);
    await first.engine.create('batch', { line: `l${one}`, lot: '1' }, `b${one}`);
    await first.engine.update('batch', `b${one}`, { lot: String(one) });
    await first.engine.update('account', `a${one}`, { city: `city ${one}` });
  }
  await first.engine.close();
  isShaky = true;
  for (let life = 0; life < 200; life++) {
    try {
      const { engine, intercept } = await world.device('ann', { storage: shaky(), rules });
      intercept(async (request, send) => {
        const answer = await send(request);
        if (random.next() < 0.3) throw new Error('the answer is lost');
        return answer;
      });
      const { pending } = await engine.exchange();
      await engine.close();
      if (pending === 0) break;
    } catch {
      // The process ended; the next life goes on.
    }
  }
  isShaky = false;
  const last = await world.device('ann', { storage: disk });
  expect(await last.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
  for (const object of ['account', 'order', 'line', 'batch'] as const) expect(await world.server.online.list(object)).toHaveLength(4);
  expect((await world.server.online.list('batch')).map(({ values }) => [values.line, values.lot])).toEqual([1, 2, 3, 4].map((one) => [`l${one}`, String(one)]));
  expect((await world.server.online.list('account')).map(({ values }) => values.city)).toEqual([1, 2, 3, 4].map((one) => `city ${one}`));
});
