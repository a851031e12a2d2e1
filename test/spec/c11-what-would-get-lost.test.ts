import { afterEach, describe, expect, test } from 'vitest';
import { ordersSchema as schema } from '../support/orders.ts';
import { createWorld, type TestDevice, type World } from '../support/world.ts';

const OFFLINE = { isOnline: false, isForeground: true };

let world: World<typeof schema>;
afterEach(() => world.close());

async function goOnline({ engine }: TestDevice): Promise<void> {
  await engine.setLifecycle({ isOnline: true });
  await engine.exchange();
}

describe('B13: recreating a refused line', () => {
  test('B13, C11: leaves the rest of a later save that changes the line too', async () => {
    world = createWorld(schema);
    const phone = await world.device('ann');
    await phone.engine.save([
      { op: 'create', object: 'order', id: 'o1', values: { note: 'first' } },
      { op: 'create', object: 'line', id: 'l1', values: { order: 'o1', product: 'gauze', quantity: 1 } },
    ]);
    await phone.engine.exchange();
    await phone.engine.setLifecycle(OFFLINE);
    await world.server.online.save([{ op: 'remove', object: 'line', id: 'l1' }]);
    const edit = await phone.engine.update('line', 'l1', { quantity: 2 });
    const later = await phone.engine.save([{ op: 'update', object: 'order', id: 'o1', values: { note: 'second' } }, { op: 'update', object: 'line', id: 'l1', values: { quantity: 3 } }]);
    await goOnline(phone);
    expect(await phone.engine.listSyncErrors()).toMatchObject([{ id: edit.entry, class: 'edit-vs-delete' }]);
    await phone.engine.resolve(edit.entry!, 'recreate');
    await phone.engine.exchange();
    expect(await phone.engine.outcome(later.entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('order', 'o1'))?.values.note).toBe('second');
    expect((await world.server.online.list('line')).map(({ values }) => values.quantity)).toEqual([3]);
  });
});
