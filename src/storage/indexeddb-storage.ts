import { isFault, SyncFault, type FaultCode } from '../shared/fault.ts';
import { platformIndexedDb, platformStorageManager } from '../shared/platform.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { copyCommit } from './copy-commit.ts';
import { IndexedDbConnection, isDeadHandle } from './indexeddb-connection.ts';
import { commitRows, readRecordRows, scanRecordRows, scanStateRows, type StoreDatabase } from './indexeddb-rows.ts';
import type { IndexedDbOptions } from './indexeddb.ts';
import type { Commit, Storage, StorageEstimate, StoreOwner } from './storage-adapter.ts';

/** Opens the store of an owner: what `indexedDb` of indexeddb.ts does once there is one to open. */
export async function openIndexedDb({ name, factory, storageManager }: IndexedDbOptions, owner: StoreOwner): Promise<Storage> {
  const connection = new IndexedDbConnection(factory ?? platformFactory(), databaseName(name, owner));
  await translated('open the store', connection.open());
  return new IndexedDbStorage(connection, storageManager ?? platformStorageManager());
}

function platformFactory(): IDBFactory {
  return platformIndexedDb() ?? fail('this platform has no IndexedDB');
}

// As JSON, so that no two owners share a name, whatever characters theirs hold.
function databaseName(name: string, { tenant, user }: StoreOwner): string {
  return `fieldtide ${JSON.stringify([name, tenant, user])}`;
}

class IndexedDbStorage implements Storage {
  readonly #connection: IndexedDbConnection;
  readonly #underWay = new CallsUnderWay();
  #isClosed = false;
  declare readonly estimate?: () => Promise<StorageEstimate>;

  constructor(connection: IndexedDbConnection, storageManager: IndexedDbOptions['storageManager']) {
    this.#connection = connection;
    // Safari 15 and 16 have a storage manager that cannot estimate.
    if (typeof storageManager?.estimate === 'function') this.estimate = () => estimateRoom(storageManager);
  }

  readRecords(keys: Parameters<Storage['readRecords']>[0]): ReturnType<Storage['readRecords']> {
    return this.#run('read records', (database) => readRecordRows(database, keys));
  }

  scanRecords(range: Parameters<Storage['scanRecords']>[0]): ReturnType<Storage['scanRecords']> {
    return this.#run(`scan records of ${range.object}`, (database) => scanRecordRows(database, range));
  }

  scanState(range: Parameters<Storage['scanState']>[0]): ReturnType<Storage['scanState']> {
    return this.#run(`scan state under ${range.prefix}`, (database) => scanStateRows(database, range));
  }

  async commit(given: Commit): Promise<'done' | 'stale'> {
    const commit = copyCommit(given);
    return this.#run('commit', (database) => commitRows(database, commit));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#underWay.settle();
    this.#connection.close();
  }

  #run<T>(what: string, work: Work<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new SyncFault('STORAGE_CLOSED', `cannot ${what}: the storage is closed`));
    return this.#underWay.track(translated(what, this.#runOnLiveHandle(work)));
  }

  /** Runs on the open handle; if that turns out to be dead, which ended its transactions unwritten, once more on a new one. */
  async #runOnLiveHandle<T>(work: Work<T>): Promise<T> {
    const database = await this.#connection.open();
    try {
      return await work(database);
    } catch (cause) {
      if (this.#connection.isCurrent(database) && !isDeadHandle(cause)) throw cause;
      this.#connection.drop(database);
    }
    return work(await this.#connection.open());
  }
}

type Work<T> = (database: StoreDatabase) => Promise<T>;

async function translated<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (isFault(cause)) throw cause;
    const [code, reason] = (cause instanceof Error && KNOWN_ERRORS[cause.name]) || (['STORAGE_FAILED', 'IndexedDB failed'] as const);
    throw new SyncFault(code, `cannot ${what}: ${reason}`, { cause });
  }
}

const KNOWN_ERRORS: Readonly<Record<string, readonly [code: FaultCode, reason: string]>> = {
  QuotaExceededError: ['STORAGE_FULL', 'there is no room'],
  VersionError: ['STORAGE_CORRUPT', 'a newer build has changed the store'],
};

async function estimateRoom(storageManager: NonNullable<IndexedDbOptions['storageManager']>): Promise<StorageEstimate> {
  const [{ usage = 0, quota = 0 }, isPersisted] = await translated('estimate the room', Promise.all([storageManager.estimate(), storageManager.persisted()]));
  return { usedBytes: usage, quotaBytes: quota, isPersisted };
}

function fail(message: string): never {
  throw new SyncFault('STORAGE_FAILED', message);
}
