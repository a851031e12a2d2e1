import { describe, expect, test } from 'vitest';
import { defineSchema, integer, text } from '../../src/schema.ts';
import { refuse } from '../../src/server/index.ts';
import { createTestNetwork } from '../../src/testing/index.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text(), owner: text(), staff: integer() } } } });

describe('a test network', () => {
  test('carries a save to the other device of the user, in virtual time', async () => {
    const net = createTestNetwork({ schema });
    const [tablet, phone] = await net.devices('ann', 2);
    const { id } = await tablet!.client.objects.account.create({ name: 'St. Mary' });
    expect(await phone!.client.objects.account.get(id)).toBeNull();
    await net.advance({ minutes: 1 });
    expect(await phone!.client.objects.account.get(id)).toMatchObject({ name: 'St. Mary' });
    expect((await net.online.get('account', id))?.values.name).toBe('St. Mary');
    await net.expectConverged();
  });

  test('converges whatever the network does', async () => {
    const net = createTestNetwork({ schema, seed: 7 });
    const [tablet, phone] = await net.devices('ann', 2);
    const other = await net.device('ben');
    net.faults({ lostRequests: 0.2, lostAnswers: 0.25, repeatedRequests: 0.3, delays: 0.1, staleAnswers: 0.1, gatewayErrors: 0.1, captivePortals: 0.1, truncatedAnswers: 0.1, serverCrashes: 0.1 });
    const { id } = await tablet!.client.objects.account.create({ name: 'St. Mary' });
    for (let day = 0; day < 3; day++) {
      await tablet!.client.objects.account.update(id, { staff: day });
      await other.client.objects.account.create({ name: `Branch ${day}` });
      await net.advance({ hours: 1 });
      tablet!.crash();
      await tablet!.restart();
    }
    expect(net.requests).toBeGreaterThan(100);
    await net.expectConverged();
    expect(await phone!.client.objects.account.query().get()).toHaveLength(4);
  });

  test('runs the host’s own hooks, and leaves records with a sync error to a person', async () => {
    const net = createTestNetwork({ schema, server: { objects: { account: { validate: ({ next }) => (next.staff === 13 ? refuse('staff', 'unlucky') : undefined) } } } });
    const device = await net.device('ann');
    const saved = await device.client.objects.account.create({ name: 'St. Mary', staff: 13 });
    expect(await net.until(device.client.outcome(saved.entry))).toMatchObject({ kind: 'refused' });
    await net.expectConverged();
    const [error] = await device.client.syncErrors.list();
    await device.client.syncErrors.undo(error!.id);
    expect(await device.client.objects.account.get(saved.id)).toBeNull();
    await net.expectConverged();
  });

  test('shows each user only what the host’s rules let them see', async () => {
    const net = createTestNetwork({ schema, server: { canSee: ({ user }, { values }) => values.owner === user } });
    const ann = await net.device('ann'), ben = await net.device('ben');
    await net.online.save([{ op: 'create', object: 'account', values: { name: 'A', owner: 'ann' } }, { op: 'create', object: 'account', values: { name: 'B', owner: 'ben' } }]);
    await net.expectConverged();
    expect((await ann.client.objects.account.query().get()).map(({ name }) => name)).toEqual(['A']);
    expect((await ben.client.objects.account.query().get()).map(({ name }) => name)).toEqual(['B']);
  });

  test('says which device does not come to rest, and why', async () => {
    const net = createTestNetwork({ schema, server: { authenticate: () => null } });
    const device = await net.device('ann');
    await device.client.objects.account.create({ name: 'St. Mary' });
    await expect(net.expectConverged()).rejects.toThrow('ann.1: 1 pending');
  });

  test('keeps what was durable over a crash, and loses what was not there over a wipe', async () => {
    const net = createTestNetwork({ schema });
    const device = await net.device('ann');
    device.setConnected(false);
    const { id } = await device.client.objects.account.create({ name: 'St. Mary' });
    device.crash();
    await device.restart();
    expect(await device.client.objects.account.get(id)).toMatchObject({ name: 'St. Mary', syncState: 'waiting' });
    device.wipe();
    expect(await device.client.objects.account.get(id)).toBeNull();
    await net.expectConverged();
    await net.close();
  });

  test('is the same run for the same seed', async () => {
    const run = async (seed: number) => {
      const net = createTestNetwork({ schema, seed });
      const device = await net.device('ann');
      net.faults({ lostAnswers: 0.5 });
      const events: string[] = [];
      device.client.events.subscribe((event) => events.push(JSON.stringify(event)));
      for (let save = 0; save < 5; save++) {
        await device.client.objects.account.create({ name: `Branch ${save}` });
        await net.advance({ minutes: 2 });
      }
      return [net.requests, events.join()];
    };
    expect(await run(5)).toEqual(await run(5));
    expect((await run(5))[1]).not.toEqual((await run(6))[1]);
  });
});
