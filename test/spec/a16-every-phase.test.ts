import { afterEach, describe, expect, test } from 'vitest';
import { defineSchema, text } from '../../src/schema.ts';
import { memory } from '../../src/storage/memory.ts';
import { createWorld, type World } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { coalesce: 'never', fields: { name: text(), city: text() } } } });

let world: World<typeof schema>;
afterEach(() => world.close());

const PHASES = ['hello', 'upload', 'feed'].flatMap((path) =>
  (['before it arrives', 'before its answer arrives'] as const).flatMap((moment) => (['goes on', 'is cut off'] as const).map((way) => [path, moment, way] as const)),
);

describe('A16: an app that goes to the background', () => {
  test.each(PHASES)('during the %s request, %s, which %s: begins nothing more, and each save is online once when it is back or opened again', async (path, moment, way) => {
    world = createWorld(schema);
    const disk = memory();
    const device = await world.device('ann', { storage: disk, lifecycle: { isOnline: true, isForeground: false } });
    await device.engine.create('account', { name: 'first' }, 'a1');
    await device.engine.update('account', 'a1', { city: 'Ghent' });
    const gone = new Promise<void>((resolve) => {
      let isHere = true;
      let isSending = (): void => {};
      const upload = new Promise<void>((begun) => (isSending = begun));
      device.intercept(async (request, send) => {
        if (request.path === 'upload') isSending();
        if (!isHere || !request.path.startsWith(path)) return send(request);
        isHere = false;
        // The first upload and the first poll begin together: so that it is sure which requests are under way.
        if (path === 'feed') await upload;
        const early = moment === 'before it arrives' && way === 'is cut off' ? null : await send(request);
        await device.engine.setLifecycle({ isForeground: false });
        resolve();
        if (early === null || way === 'is cut off') throw new TypeError('the system ended the connection');
        return early;
      });
    });
    await device.engine.setLifecycle({ isForeground: true });
    await gone;
    const begun = device.requests.length;
    await world.clock.advance(3_600_000);
    expect(device.requests.slice(begun).map((request) => request.path)).toEqual([]);

    await device.engine.close();
    const again = await world.device('ann', { storage: disk });
    expect(await again.engine.exchange()).toMatchObject({ pending: 0, syncErrors: 0 });
    expect(await world.server.online.get('account', 'a1')).toMatchObject({ values: { name: 'first', city: 'Ghent' }, version: [expect.any(Number), 2] });
    expect((await again.engine.get('account', 'a1'))?.values).toMatchObject({ name: 'first', city: 'Ghent' });
  });
});
