import { describe, expect, test, vi } from 'vitest';
import { createPart, createParts, preloadParts } from '../../src/client/parts.ts';
import { defineSchema, text } from '../../src/schema.ts';
import { createWorld } from '../support/world.ts';

const schema = defineSchema({ version: 1, objects: { account: { fields: { name: text({ required: true }) } } } });

describe('a part of the client', () => {
  test('is loaded at its first use, and once', async () => {
    const load = vi.fn(async () => 'the part');
    const part = createPart(load);
    expect(load).not.toHaveBeenCalled();

    expect(await Promise.all([part(), part()])).toEqual(['the part', 'the part']);
    expect(await part()).toBe('the part');

    expect(load).toHaveBeenCalledOnce();
  });

  test('that cannot be loaded is a fault, and is asked for again by the next call', async () => {
    const cause = new TypeError('Importing a module script failed.');
    const load = vi.fn(async () => 'the part').mockRejectedValueOnce(cause);
    const part = createPart(load);

    await expect(part()).rejects.toMatchObject({ name: 'SyncFault', code: 'PART_UNAVAILABLE', cause });

    expect(await part()).toBe('the part');
  });

  test.each([
    ['Chromium', 'Failed to fetch dynamically imported module: https://app.example/assets/part-1.js?v=2'],
    ['Firefox', 'error loading dynamically imported module: https://app.example/assets/part-1.js?v=2'],
  ])('is asked for by another name for the same file where %s remembers that it was not there', async (_browser, message) => {
    const failing = (suffix: string) => Promise.reject(new TypeError(`${message}${suffix}`));
    const load = vi.fn(() => failing(''));
    const loadFrom = vi.fn((_address: string): Promise<string> => Promise.resolve('the part')).mockImplementationOnce(() => failing('#1'));
    const part = createPart<string>(load, loadFrom);

    for (const _ of [1, 2]) await expect(part()).rejects.toMatchObject({ code: 'PART_UNAVAILABLE' });
    expect(await part()).toBe('the part');

    expect(load).toHaveBeenCalledOnce();
    expect(loadFrom.mock.calls).toEqual([['https://app.example/assets/part-1.js?v=2#1'], ['https://app.example/assets/part-1.js?v=2#2']]);
  });

  test('that is loaded ahead and cannot be is asked for again when it is needed', async () => {
    const load = vi.fn(createParts().snapshotDownload).mockRejectedValueOnce(new TypeError('offline'));
    const parts = { ...createParts(), snapshotDownload: createPart(load) };

    preloadParts(parts, ['snapshotDownload']);
    await vi.waitFor(() => expect(load).toHaveBeenCalledOnce());

    expect(await parts.snapshotDownload()).toHaveProperty('SnapshotDownload');
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('that a download needs and that is missing leaves everything as it is', async () => {
    const world = createWorld(schema);
    const load = vi.fn(createParts().snapshotDownload).mockRejectedValueOnce(new TypeError('503'));
    const { engine } = await world.device('ann', { parts: { ...createParts(), snapshotDownload: createPart(load) } });
    const { id } = await engine.create('account', { name: 'St. Mary' });

    await expect(engine.download()).rejects.toMatchObject({ code: 'PART_UNAVAILABLE' });

    expect(await engine.status()).toMatchObject({ lastFault: { code: 'PART_UNAVAILABLE' }, lastDownloadAt: null, progress: null });
    expect(await engine.get('account', id)).toMatchObject({ values: { name: 'St. Mary' }, syncState: 'synced' });
    expect(await engine.download()).toMatchObject({ records: 1 });
    expect(await engine.status()).toMatchObject({ lastFault: null });
    await world.close();
  });
});
