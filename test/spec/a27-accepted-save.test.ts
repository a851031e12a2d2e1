import { afterEach, describe, expect, test } from 'vitest';
import { createWorld, type World } from '../support/world.ts';
import { groupSchema } from './group-schema.ts';

let world: World<typeof groupSchema>;
afterEach(() => world.close());

describe('A27: an accepted save of a group', () => {
  test('tells of each of its records which fields the server changed', async () => {
    world = createWorld(groupSchema, {
      objects: {
        call: { beforeSave: ({ next }) => ({ notes: `${String(next?.notes)}!` }) },
        callSample: { beforeSave: ({ next }) => (next?.product === 'tape' ? { quantity: 10 } : undefined) },
      },
    });
    const device = await world.device('ann');
    const { entry } = await device.engine.save([
      { op: 'create', object: 'call', id: 'c1', values: { name: 'St. Mary', notes: 'first' } },
      { op: 'create', object: 'callSample', id: 's1', values: { call: 'c1', product: 'gauze', quantity: 1 } },
      { op: 'create', object: 'callSample', id: 's2', values: { call: 'c1', product: 'tape', quantity: 2 } },
    ]);
    await device.engine.exchange();
    const accepted = device.events.filter((event) => event.type === 'upload:accepted');
    expect(accepted).toEqual([
      { type: 'upload:accepted', entry, object: 'call', id: 'c1', changedByServer: ['notes', 'number', 'serverId'] },
      { type: 'upload:accepted', entry, object: 'callSample', id: 's1', changedByServer: [] },
      { type: 'upload:accepted', entry, object: 'callSample', id: 's2', changedByServer: ['quantity'] },
    ]);
    expect((await device.engine.get('callSample', 's2'))?.values.quantity).toBe(10);
  });

  test('leaves alone what the user has edited since, in every record of the group, and begins from what the server made of it', async () => {
    world = createWorld(groupSchema, { objects: { callSample: { beforeSave: ({ next }) => ({ product: String(next?.product).toUpperCase() }) } } });
    const device = await world.device('ann');
    const { engine } = device;
    let edit: Promise<unknown> | null = null;
    device.intercept(async (request, send) => {
      // While the save is under way the user goes on.
      if (request.path === 'upload') edit ??= engine.update('callSample', 's1', { product: 'salve' });
      await edit;
      return send(request);
    });
    await engine.save([{ op: 'create', object: 'call', id: 'c1', values: { name: 'St. Mary' } }, { op: 'create', object: 'callSample', id: 's1', values: { call: 'c1', product: 'gauze', quantity: 1 } }]);
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect((await engine.get('callSample', 's1'))?.values).toMatchObject({ product: 'SALVE', quantity: 1 });
    expect((await world.server.online.get('callSample', 's1'))?.values).toMatchObject({ product: 'SALVE' });
  });

  test.each(['create', 'update'] as const)('whose record a trigger deletes after the %s is gone here too, and the user is told', async (op) => {
    world = createWorld(groupSchema, {
      objects: {
        task: {
          async afterSave({ next, write, id }) {
            if (next?.title === 'spam') await write.remove('task', id);
          },
        },
      },
    });
    const { engine } = await world.device('ann');
    if (op === 'update') await engine.create('task', { title: 'a letter' }, 't1');
    await engine.exchange();
    const { entry } = op === 'update' ? await engine.update('task', 't1', { title: 'spam' }) : await engine.create('task', { title: 'spam' }, 't1');
    expect(await engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0, notices: 1 });
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect(await engine.get('task', 't1')).toBeNull();
    expect(await engine.listNotices()).toMatchObject([{ kind: 'removed', state: 'deleted', object: 'task', recordId: 't1', entries: [entry] }]);
  });
});
