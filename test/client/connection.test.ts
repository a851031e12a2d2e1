import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { SyncFault } from '../../src/shared/fault.ts';
import { EAGER_PARTS } from '../../src/testing/simulation/eager-parts.ts';
import type { Parts } from '../../src/client/parts.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }) } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

/** Parts of which the conversation cannot be loaded until it is put there. */
function withoutConversation(): { readonly parts: Parts; tries: number; isThere: boolean } {
  const files = {
    tries: 0,
    isThere: false,
    parts: {
      ...EAGER_PARTS,
      async conversation() {
        files.tries++;
        if (!files.isThere) throw new SyncFault('PART_UNAVAILABLE', 'a file of the client could not be loaded');
        return EAGER_PARTS.conversation();
      },
    },
  };
  return files;
}

describe('a client whose conversation cannot be loaded', () => {
  test('A5, A11: reads and saves all the same, and the status says what is missing', async () => {
    world = createWorld(schema);
    const { parts } = withoutConversation();
    const { engine, requests } = await world.device('ann', { parts });
    const { id } = await engine.create('account', { name: 'St. Mary' });
    expect(await engine.query({ object: 'account' })).toMatchObject([{ id, values: { name: 'St. Mary' }, syncState: 'waiting' }]);
    expect(await engine.status()).toMatchObject({ state: 'pending', pending: 1, lastFault: { code: 'PART_UNAVAILABLE' } });
    expect(requests).toEqual([]);
  });

  test('says so to whoever needs the server, and nothing has changed', async () => {
    world = createWorld(schema);
    const { parts } = withoutConversation();
    const { engine } = await world.device('ann', { parts });
    for (const call of [engine.exchange(), engine.download(), engine.fetch('account', 'st-mary')]) {
      await expect(call).rejects.toMatchObject({ code: 'PART_UNAVAILABLE' });
    }
  });

  test('A13: tries again by itself, and then sends what waits', async () => {
    world = createWorld(schema);
    const files = withoutConversation();
    const { engine } = await world.device('ann', { parts: files.parts });
    const { id, entry } = await engine.create('account', { name: 'St. Mary' });
    files.isThere = true;
    await world.clock.advance(30_000);
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
    expect((await world.server.online.get('account', id))?.values.name).toBe('St. Mary');
    expect((await engine.status()).lastFault).toBeNull();
  });

  test.each([
    ['somebody asks for it', (engine: { wake(): Promise<void> }) => engine.wake()],
    ['the device is back online', (engine: { setLifecycle(lifecycle: { readonly isOnline: boolean }): Promise<void> }) => engine.setLifecycle({ isOnline: true })],
  ])('A16: tries again when %s', async (_when, act) => {
    world = createWorld(schema);
    const files = withoutConversation();
    const { engine } = await world.device('ann', { parts: files.parts });
    const { entry } = await engine.create('account', { name: 'St. Mary' });
    files.isThere = true;
    await act(engine);
    expect(await engine.outcome(entry!)).toEqual({ kind: 'saved' });
  });

  test('tries no more once it is closed', async () => {
    world = createWorld(schema);
    const files = withoutConversation();
    const { engine } = await world.device('ann', { parts: files.parts });
    await engine.close();
    const { tries } = files;
    await world.clock.advance(120_000);
    expect(files.tries).toBe(tries);
  });

  test('A16: asked again and again while it cannot be loaded, waits with one timer, and with none once it is closed', async () => {
    world = createWorld(schema);
    const files = withoutConversation();
    const { engine } = await world.device('ann', { parts: files.parts });
    for (let times = 0; times < 5; times++) await Promise.all([engine.wake(), engine.setLifecycle({ isOnline: true }), engine.wake()]);
    await world.clock.advance(0);
    expect(world.clock.timers.filter((ms) => ms === 30_000)).toHaveLength(1);
    await engine.close();
    expect(world.clock.timers).toEqual([]);
  });

  test('C11: closed while somebody waits for an outcome, says so', async () => {
    world = createWorld(schema);
    const { engine } = await world.device('ann', { lifecycle: { isOnline: false, isForeground: true } });
    const { entry } = await engine.create('account', { name: 'St. Mary' });
    const outcome = engine.outcome(entry!);
    await engine.status();
    await engine.get('account', 'x');
    const heard = expect(Promise.race([outcome, world.clock.advance(60_000).then(() => 'nothing')])).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await engine.close();
    await heard;
  });
});
