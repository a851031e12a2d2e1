import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rowBlock } from '../../src/core/row-block.ts';
import { utf8 } from '../../src/shared/bytes.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import type { Storage } from '../../src/storage/storage-adapter.ts';
import { createFaultyFactory, type FaultyFactory } from './faulty-factory.ts';

const OWNER = { tenant: 't', user: 'u' };
let apps = 0;

type Entry = readonly [key: unknown, value: unknown];

/** How rows move from entries of their own into patches and blocks, and what lies in the database meanwhile. */
export function describeIndexedDbFolding(name: string, createFactory: () => IDBFactory): void {
  describe(name, () => {
    let platform: FaultyFactory;
    let app: string;

    beforeEach(() => {
      platform = createFaultyFactory(createFactory());
      app = `folding-${apps++}`;
    });
    afterEach(() => platform.dispose());

    const databaseName = () => `fieldtide ${JSON.stringify([app, 't', 'u'])}`;
    const open = () => indexedDb({ name: app, factory: platform.factory }).open(OWNER);

    function request<T>(asked: IDBRequest<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        asked.addEventListener('success', () => resolve(asked.result));
        asked.addEventListener('error', () => reject(asked.error!));
      });
    }

    /** Everything in an object store. */
    async function entries(store: string): Promise<Entry[]> {
      const database = await request(platform.factory.open(databaseName()));
      const read = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([request(read.getAllKeys()), request(read.getAll() as IDBRequest<unknown[]>)]);
      database.close();
      return keys.map((key, index) => [key, values[index]]);
    }

    const counts = async () => Object.fromEntries(await Promise.all(['records', 'patches', 'blocks'].map(async (store) => [store, (await entries(store)).length] as const)));

    /** A database as version 1 of the adapter made it. */
    async function createOldStore(rows: ReadonlyMap<string, string>): Promise<void> {
      const opening = platform.factory.open(databaseName(), 1);
      opening.addEventListener('upgradeneeded', () => ['records', 'state'].forEach((store) => void opening.result.createObjectStore(store)));
      const database = await request(opening);
      const transaction = database.transaction('records', 'readwrite');
      for (const [id, text] of rows) transaction.objectStore('records').put(utf8(text).slice().buffer, ['note', id]);
      await new Promise((resolve) => transaction.addEventListener('complete', resolve));
      database.close();
    }

    const nameOf = (place: number) => `id-${String(place).padStart(5, '0')}`;
    const rowsOf = (places: Iterable<number>, text: string) => new Map(Array.from(places, (place) => [nameOf(place), `${text} ${place} `.padEnd(250, '.')]));
    const upTo = (count: number, step = 1, first = 0) => Array.from({ length: count }, (_, index) => first + index * step);
    const asPacked = (rows: ReadonlyMap<string, string>) => ({ object: 'note', block: rowBlock([...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([id, text]) => ({ id, bytes: utf8(text) }))) });
    const putPacked = (storage: Storage, rows: ReadonlyMap<string, string>) => storage.commit({ durability: 'relaxed', putPacked: [asPacked(rows)] });

    async function save(storage: Storage, rows: ReadonlyMap<string, string>): Promise<void> {
      for (const [id, text] of rows) await storage.commit({ durability: 'strict', putRecords: [{ object: 'note', id, bytes: utf8(text) }] });
    }

    async function contents(storage: Storage): Promise<Map<string, string>> {
      const rows = await storage.scanRecords({ object: 'note', limit: Infinity });
      return new Map(rows.map(({ id, bytes }) => [id, new TextDecoder().decode(bytes)]));
    }

    /** Waits for what a store does behind its commits. */
    const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

    test('opens a store of version 1, and leaves its rows where they are until it writes', async () => {
      const rows = rowsOf(upTo(1_500), 'old');
      await createOldStore(rows);
      const storage = await open();
      expect(await contents(storage)).toEqual(rows);
      expect(await storage.packed!.scan({ object: 'note', limitBytes: 1 })).toHaveLength(1);
      await storage.close();
      expect(await counts()).toEqual({ records: 1_500, patches: 0, blocks: 0 });
    });

    test('folds the rows of a store of version 1 in behind its first saves', async () => {
      await createOldStore(rowsOf(upTo(1_500), 'old'));
      const storage = await open();
      await save(storage, rowsOf(upTo(80, 18), 'new'));
      await eventually(async () => expect((await counts()).records).toBeLessThan(80));
      expect((await counts()).blocks).toBeGreaterThan(5);
      expect(await contents(storage)).toEqual(new Map([...rowsOf(upTo(1_500), 'old'), ...rowsOf(upTo(80, 18), 'new')]));
    });

    test('writes many rows over a store of version 1, and leaves the others where they are', async () => {
      await createOldStore(rowsOf(upTo(1_500), 'old'));
      const storage = await open();
      await putPacked(storage, rowsOf(upTo(300, 5), 'new'));
      const all = new Map([...rowsOf(upTo(1_500), 'old'), ...rowsOf(upTo(300, 5), 'new')]);
      expect(await contents(storage)).toEqual(all);
      await eventually(async () => expect((await counts()).records).toBe(0));
      expect(await contents(storage)).toEqual(all);
    });

    test('writes a save beside the blocks and touches none of them', async () => {
      const storage = await open();
      await putPacked(storage, rowsOf(upTo(2_000), 'first'));
      const before = await entries('blocks');
      await save(storage, rowsOf([77], 'saved'));
      await storage.commit({ durability: 'strict', removeRecords: [{ object: 'note', id: nameOf(3) }, { object: 'note', id: 'never-there' }, { object: 'line', id: 'a' }] });
      expect(await entries('blocks')).toEqual(before);
      expect((await entries('records')).map(([key, value]) => [key, value === null])).toEqual([[['note', nameOf(3)], true], [['note', nameOf(77)], false]]);
      expect(await storage.readRecords([3, 77, 78].map((place) => ({ object: 'note', id: nameOf(place) })))).toEqual([undefined, utf8(rowsOf([77], 'saved').get(nameOf(77))!), utf8(rowsOf([78], 'first').get(nameOf(78))!)]);
    });

    test('writes the first page of a download as a few blocks, and nothing else', async () => {
      const storage = await open();
      await putPacked(storage, rowsOf(upTo(2_000), 'first'));
      const { records, patches, blocks } = await counts();
      expect([records, patches]).toEqual([0, 0]);
      expect(blocks).toBeLessThanOrEqual(14);
    });

    test('patches a few rows of many blocks, and merges the patches in when they have become many', async () => {
      const storage = await open();
      const model = rowsOf(upTo(6_000), 'first');
      await putPacked(storage, model);
      const before = await entries('blocks');
      let mostPatches = 0;
      for (let page = 0; page < 12; page++) {
        const changed = rowsOf(upTo(300, 20, page), `page ${page}`);
        await putPacked(storage, changed);
        for (const [id, text] of changed) model.set(id, text);
        const { patches } = await counts();
        mostPatches = Math.max(mostPatches, patches!);
        if (page === 0) expect(await entries('blocks')).toEqual(before);
      }
      expect(mostPatches).toBeGreaterThan(8);
      // All that was changed would fill twenty.
      await eventually(async () => expect((await counts()).patches).toBeLessThan(14));
      expect(await contents(storage)).toEqual(model);
    });

    test('loses and blocks no save when there is no room for folding, and folds later', async () => {
      const storage = await open();
      await putPacked(storage, rowsOf(upTo(3_000), 'first'));
      const saved = rowsOf(upTo(768, 3), 'saved');
      await save(storage, new Map([...saved].slice(0, 511)));
      const writesBefore = platform.durabilities.length;
      platform.abortWrite(2, new DOMException('no room', 'QuotaExceededError')); // the one behind the next save
      await save(storage, new Map([...saved].slice(511, 512)));
      await eventually(() => expect(platform.durabilities.slice(writesBefore)).toEqual(['strict', 'relaxed']));
      expect((await counts()).records).toBe(512);
      await save(storage, new Map([...saved].slice(512)));
      await eventually(async () => expect((await counts()).records).toBe(0));
      expect(await contents(storage)).toEqual(new Map([...rowsOf(upTo(3_000), 'first'), ...saved]));
    });
  });
}
