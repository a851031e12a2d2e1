import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/shared/bytes.ts';
import { indexedDb } from '../../src/storage/indexeddb.ts';
import type { Commit, Storage } from '../../src/storage/storage-adapter.ts';
import { createFaultyFactory, type FaultyFactory } from './faulty-factory.ts';

const OWNER = { tenant: 't', user: 'u' };

function put(key: string, durability: Commit['durability'] = 'strict'): Commit {
  return { durability, putRecords: [{ object: 'note', id: key, bytes: utf8(key) }], putState: [{ key, bytes: utf8(key) }] };
}

let apps = 0;

/**
 * What only IndexedDB does, on the platform's or on a fake one: handles that come and go, and several kinds of failure.
 *
 * @param closeWithEvent - closes a handle as browsers do when they clear an origin's data.
 */
export function describeIndexedDbBehaviour(name: string, createFactory: () => IDBFactory, closeWithEvent: (database: IDBDatabase) => void): void {
  describe(name, () => {
    let platform: FaultyFactory;
    let adapter: ReturnType<typeof indexedDb>;
    let rawFactory: IDBFactory;
    let app: string;

    beforeEach(() => {
      rawFactory = createFactory();
      platform = createFaultyFactory(rawFactory);
      app = `behaviour-${apps++}`;
      adapter = indexedDb({ name: app, factory: platform.factory });
    });
    afterEach(() => platform.dispose());

    async function keys(storage?: Storage): Promise<string[]> {
      return (await (storage ?? (await adapter.open(OWNER))).scanState({ prefix: '', limit: 99 })).map((row) => row.key);
    }

    test('asks for the durability that the commit asks for', async () => {
      const storage = await adapter.open(OWNER);
      await storage.commit(put('1', 'strict'));
      await storage.commit(put('2', 'relaxed'));
      expect(platform.durabilities).toEqual(['strict', 'relaxed']);
    });

    test('reports a full disk that shows at the write as STORAGE_FULL, with the cause', async () => {
      const storage = await adapter.open(OWNER);
      const noRoom = new DOMException('no room', 'QuotaExceededError');
      platform.abortWrite(1, noRoom, { atRequest: true });
      await expect(storage.commit(put('1'))).rejects.toMatchObject({ code: 'STORAGE_FULL', cause: noRoom });
      expect(await keys(storage)).toEqual([]);
    });

    test('reports an unknown failure as STORAGE_FAILED, with the cause, and does not try again', async () => {
      const storage = await adapter.open(OWNER);
      const unknown = new DOMException('Internal error', 'UnknownError');
      platform.abortWrite(1, unknown);
      await expect(storage.commit(put('1'))).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: unknown });
      expect(platform.durabilities).toHaveLength(1);
      expect(await keys(storage)).toEqual([]);
    });

    test('repeats a commit once on a new handle when WebKit has lost its database server', async () => {
      const storage = await adapter.open(OWNER);
      await storage.commit(put('1'));
      platform.abortWrite(1, new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError'));
      expect(await storage.commit(put('2'))).toBe('done');
      expect(await keys(storage)).toEqual(['1', '2']);
    });

    test('repeats a commit whose transaction was cut short because the browser closed the handle', async () => {
      const storage = await adapter.open(OWNER);
      platform.abortWrite(1, null, { onAbort: closeWithEvent });
      expect(await storage.commit(put('1'))).toBe('done');
      expect(platform.durabilities).toHaveLength(2);
      expect(await keys(storage)).toEqual(['1']);
    });

    test('writes nothing of a commit of which the platform does not take one write', async () => {
      const storage = await adapter.open(OWNER);
      const refused = new DOMException('cannot be cloned', 'DataCloneError');
      platform.refuseWrite(refused);
      await expect(storage.commit(put('1'))).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: refused });
      expect(await keys(storage)).toEqual([]);
      expect(await storage.readRecords([{ object: 'note', id: '1' }])).toEqual([undefined]);
    });

    test('gives up after one repeat', async () => {
      const storage = await adapter.open(OWNER);
      platform.loseHandles();
      const unknown = new DOMException('Internal error', 'UnknownError');
      platform.abortWrite(1, unknown);
      await expect(storage.commit(put('1'))).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: unknown });
    });

    test('does not take a failure to begin a transaction for a lost handle unless it is one', async () => {
      const storage = await adapter.open(OWNER);
      const noStores = new DOMException('One of the specified object stores was not found', 'NotFoundError');
      platform.refuseTransaction(noStores);
      await expect(storage.readRecords([{ object: 'note', id: '1' }])).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: noStores });
    });

    test('goes on when the browser has closed the handle and said so', async () => {
      const storage = await adapter.open(OWNER);
      await storage.commit(put('1'));
      platform.loseHandles(closeWithEvent);
      expect(await storage.commit(put('2'))).toBe('done');
      expect(await keys(storage)).toEqual(['1', '2']);
    });

    test('opens one new handle for all calls that meet a dead one', async () => {
      const storage = await adapter.open(OWNER);
      platform.loseHandles();
      const opensBefore = platform.opens;
      const answers = await Promise.all([
        storage.commit(put('1')),
        storage.commit(put('2')),
        storage.scanState({ prefix: '', limit: 9 }),
        storage.commit(put('3')),
      ]);
      expect(answers).toEqual(['done', 'done', [{ key: '1', bytes: utf8('1') }, { key: '2', bytes: utf8('2') }], 'done']);
      expect(platform.opens - opensBefore).toBe(1);
    });

    test('lets another tab delete the store, and says so rather than begin an empty one', async () => {
      const storage = await adapter.open(OWNER);
      await storage.commit(put('1'));
      await platform.dispose();
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(storage.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', details: { reason: 'deleted' } });
        await expect(storage.scanState({ prefix: '', limit: 1 })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
      }
      // Only opening, which a host asks for, makes a new one.
      expect(await keys()).toEqual([]);
    });

    test('lets another tab upgrade the store, and then refuses to open what is newer than itself', async () => {
      const storage = await adapter.open(OWNER);
      await storage.commit(put('1'));
      const newer = await open(`fieldtide ${JSON.stringify([app, 't', 'u'])}`, 3);
      await expect(storage.commit(put('2'))).rejects.toMatchObject({ code: 'STORAGE_CORRUPT', cause: { name: 'VersionError' } });
      newer.close();
    });

    test('waits for a tab that still has the store open in an older version', async () => {
      const name = `fieldtide ${JSON.stringify([`${app}-old`, 't', 'u'])}`;
      const deleting = await open(name, 1);
      const removed = new Promise((resolve) => rawFactory.deleteDatabase(name).addEventListener('success', resolve));
      const opening = indexedDb({ name: `${app}-old`, factory: platform.factory }).open(OWNER);
      deleting.close();
      await removed;
      expect(await (await opening).commit(put('1'))).toBe('done');
    });

    test('reports that the platform does not let it open the store', async () => {
      const denied = new DOMException('access denied', 'SecurityError');
      const factory = { open: () => { throw denied; } } as unknown as IDBFactory;
      await expect(indexedDb({ name: 'x', factory }).open(OWNER)).rejects.toMatchObject({ code: 'STORAGE_FAILED', cause: denied });
    });

    test('tries to open again after a failure to open', async () => {
      let refusals = 1;
      const factory = new Proxy(platform.factory, {
        get: (target, property) => (property === 'open' && refusals-- > 0 ? () => { throw new DOMException('not now', 'UnknownError'); } : (Reflect.get(target, property) as unknown)),
      });
      const flaky = indexedDb({ name: app, factory });
      await expect(flaky.open(OWNER)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      expect(await keys(await flaky.open(OWNER))).toEqual([]);
    });

    test('estimates the room where the platform can', async () => {
      const storageManager = { estimate: () => Promise.resolve({ usage: 7, quota: 100 }), persisted: () => Promise.resolve(true) };
      const storage = await indexedDb({ name: app, factory: platform.factory, storageManager }).open(OWNER);
      expect(await storage.estimate!()).toEqual({ usedBytes: 7, quotaBytes: 100, isPersisted: true });
    });

    test('has no estimate where the platform has none', async () => {
      const storageManager = { persisted: () => Promise.resolve(true) } as unknown as StorageManager;
      const storage = await indexedDb({ name: app, factory: platform.factory, storageManager }).open(OWNER);
      expect(storage.estimate).toBeUndefined();
    });

    test('crosses to a worker by name, but not with a factory of its own', () => {
      expect(indexedDb({ name: 'crm' }).descriptor).toEqual({ kind: 'indexeddb', name: 'crm' });
      expect(adapter.descriptor).toBeUndefined();
    });

    function open(databaseName: string, version: number): Promise<IDBDatabase> {
      return new Promise((resolve, reject) => {
        const request = platform.factory.open(databaseName, version);
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => reject(request.error!));
      });
    }
  });
}
