import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

describe('two clients on one store', () => {
  test('C10: the one that opened it last runs queue and poller; the other stops, says so, and can no longer save', async () => {
    world = createWorld(schema);
    const storage = memory();
    const first = await world.device('ann', { storage });
    await first.engine.exchange();
    const second = await world.device('ann', { storage });
    await expect(first.engine.create('account', { name: 'lost?' })).rejects.toMatchObject({ code: 'CLIENT_TAKEN_OVER' });
    expect(await first.engine.status()).toMatchObject({ lastFault: { code: 'CLIENT_TAKEN_OVER' } });
    const asked = first.requests.length;
    await second.engine.outcome((await second.engine.create('account', { name: 'St. Mary' })).entry!);
    await world.clock.advance(120_000);
    expect(first.requests).toHaveLength(asked);
    expect(second.requests.filter(({ path }) => path.startsWith('feed')).length).toBeGreaterThan(1);
  });

  test('C10, C2: what the first had on its way is sent again by the second under its number, and saved once', async () => {
    world = createWorld(schema);
    const storage = memory();
    const first = await world.device('ann', { storage });
    await first.engine.exchange();
    let reached = (): void => {};
    const isThere = new Promise<void>((resolve) => (reached = resolve));
    let answer = (): void => {};
    const isAnswered = new Promise<void>((resolve) => (answer = resolve));
    first.intercept(async (request, send) => {
      const response = await send(request);
      if (request.path === 'upload') {
        reached();
        await isAnswered;
      }
      return response;
    });
    const { id, entry } = await first.engine.create('account', { name: 'St. Mary' });
    await isThere;
    const second = await world.device('ann', { storage });
    answer();
    expect(await second.engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', id))?.version).toEqual([1, 1]);
    expect(await second.engine.status()).toMatchObject({ pending: 0, syncErrors: 0 });
  });
});
