import { isFault, SyncFault, type FaultCode } from '../shared/fault.ts';
import { platformIndexedDb, platformStorageManager } from '../shared/platform.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { copyBytes } from '../shared/bytes.ts';
import { copyCommit, type CopiedCommit } from './copy-commit.ts';
import { IndexedDbConnection, isDeadHandle } from './indexeddb-connection.ts';
import type * as packings from './indexeddb-packing.ts';
import { readRecordRows, scanRecordRows } from './indexeddb-reads.ts';
import { commitRows, scanStateRows, writeSingly, type StoreDatabase } from './indexeddb-rows.ts';
import type { IndexedDbOptions } from './indexeddb.ts';
import type { Commit, PackedStorage, Storage, StorageEstimate, StoreOwner } from './storage-adapter.ts';

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

type Packing = typeof packings;

class IndexedDbStorage implements Storage {
  readonly packed: PackedStorage = {
    readAround: async ({ object, ids }) => {
      const asked = { object, ids: copyBytes(ids) };
      return this.#runPacking(`read records of ${object}`, (database, packing) => loaded(packing).readAround(database, asked));
    },
    scan: (range) => this.#runPacking(`scan records of ${range.object}`, (database, packing) => loaded(packing).scanBlocks(database, range)),
  };
  readonly #connection: IndexedDbConnection;
  readonly #underWay = new CallsUnderWay();
  /** How many rows of an object were written one by one since it was last seen to that they do not become too many. */
  readonly #written = new Map<string, number>();
  /** What rows in blocks need, once it is loaded: at the first commit, or read, that does. */
  #packing: Packing | null = null;
  #loading: Promise<Packing | null> | null = null;
  /** What every call waits for before it begins, so that none overtakes one that needs the packing. */
  #turn: Promise<Packing | null> = Promise.resolve(null);
  #isClosed = false;
  declare readonly estimate?: () => Promise<StorageEstimate>;

  constructor(connection: IndexedDbConnection, storageManager: IndexedDbOptions['storageManager']) {
    this.#connection = connection;
    // It will be needed, and not at a bad moment.
    void this.#load();
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
    const isMany = commit.durability === 'relaxed' && commit.putRecords.length + commit.removeRecords.length >= MANY_ROWS;
    const answer = await (commit.putPacked.length > 0
      ? this.#runPacking('commit', (database, packing) => commitRows(database, commit, loaded(packing).writeRecords))
      : // A save never waits for anything but its turn, and is one small write whatever the blocks are like.
        this.#run('commit', (database) => commitRows(database, commit, isMany && this.#packing !== null ? this.#packing.writeRecords : writeSingly)));
    void this.#fold(commit);
    return answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#underWay.settle();
    this.#connection.close();
  }

  #run<T>(what: string, work: Work<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new SyncFault('STORAGE_CLOSED', `cannot ${what}: the storage is closed`));
    return this.#underWay.track(translated(what, this.#runInTurn(work, this.#turn)));
  }

  /** Runs what needs the packing: loaded before the transaction begins, which cannot wait. */
  #runPacking<T>(what: string, work: Work<T>): Promise<T> {
    this.#turn = this.#load();
    return this.#run(what, work);
  }

  #load(): Promise<Packing | null> {
    this.#loading ??= import('./indexeddb-packing.ts').then(
      (packing) => (this.#packing = packing),
      () => (this.#loading = null),
    );
    return this.#loading;
  }

  async #runInTurn<T>(work: Work<T>, turn: Promise<Packing | null>): Promise<T> {
    const packing = await turn;
    return this.#runOnLiveHandle((database) => work(database, packing));
  }

  /** Runs on the open handle; if that turns out to be dead, which ended its transactions unwritten, once more on a new one. */
  async #runOnLiveHandle<T>(work: (database: StoreDatabase) => Promise<T>): Promise<T> {
    const database = await this.#connection.open();
    try {
      return await work(database);
    } catch (cause) {
      if (this.#connection.isCurrent(database) && !isDeadHandle(cause)) throw cause;
      this.#connection.drop(database);
    }
    return work(await this.#connection.open());
  }

  /** Sees to it now and then that what lies above the blocks does not become too much; nobody waits for it, and it may fail. */
  async #fold(commit: CopiedCommit): Promise<void> {
    const packing = await this.#load();
    for (const object of packing?.noteWritten(this.#written, commit) ?? []) {
      this.#run(`fold records of ${object}`, (database) => packing!.foldObject(database, object, () => !this.#isClosed)).catch(() => {});
    }
  }
}

// From so many on, rows are written by the block.
const MANY_ROWS = 256;

type Work<T> = (database: StoreDatabase, packing: Packing | null) => Promise<T>;

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

function loaded(packing: Packing | null): Packing {
  if (packing === null) throw new SyncFault('PART_UNAVAILABLE', 'a part of the code could not be loaded');
  return packing;
}

function fail(message: string): never {
  throw new SyncFault('STORAGE_FAILED', message);
}
