import { unwrap, wrap, type IDBPDatabase } from 'idb';
import { SyncFault } from '../shared/fault.ts';
import { createObjectStores, type StoreDatabase, type StoreSchema } from './indexeddb-rows.ts';

// Version 1 had every row in an entry of its own.
const VERSION = 2;

/**
 * One handle of a database, opened anew when the platform takes it away: WebKit drops the handles of tabs in the background, and another
 * tab that wants to upgrade or delete the database asks for them.
 */
export class IndexedDbConnection {
  readonly #factory: IDBFactory;
  readonly #name: string;
  #opening: Promise<StoreDatabase> | null = null;
  #current: StoreDatabase | null = null;
  #hasBeenOpen = false;

  constructor(factory: IDBFactory, name: string) {
    this.#factory = factory;
    this.#name = name;
  }

  /** The open handle, or a new one. */
  open(): Promise<StoreDatabase> {
    this.#opening ??= this.#openDatabase().catch((thrown: unknown) => {
      this.#opening = null;
      throw thrown;
    });
    return this.#opening;
  }

  /** Says whether a handle is still the one in use: if not, whatever failed on it failed because of that. */
  isCurrent(database: StoreDatabase): boolean {
    return this.#current === database;
  }

  /** Lets go of a handle that is of no more use. */
  drop(database: StoreDatabase): void {
    if (this.#current !== database) return;
    this.#current = null;
    this.#opening = null;
    database.close();
  }

  close(): void {
    if (this.#current !== null) this.drop(this.#current);
  }

  async #openDatabase(): Promise<StoreDatabase> {
    const request = this.#factory.open(this.#name, VERSION);
    let isDeleted = false;
    request.addEventListener('upgradeneeded', () => {
      // A store that was there and is gone took its queue along. An empty one in its place would look like all is well.
      isDeleted = this.#hasBeenOpen;
      if (isDeleted) request.transaction!.abort();
      else createObjectStores(request.result);
    });
    // `blocked` is not listened for: the other handles have been asked to close, and the open goes on as soon as they have.
    let database: StoreDatabase;
    try {
      database = (await wrap(request)) as unknown as IDBPDatabase<StoreSchema>;
    } catch (cause) {
      throw isDeleted ? new SyncFault('STORAGE_CORRUPT', 'the store was deleted while it was open', { details: { reason: 'deleted' }, cause }) : cause;
    }
    this.#hasBeenOpen = true;
    this.#current = database;
    const handle = unwrap(database);
    handle.addEventListener('close', () => this.drop(database));
    handle.addEventListener('versionchange', () => this.drop(database));
    return database;
  }
}

/** Says whether an error means that the handle is gone, rather than that the call went wrong. */
export function isDeadHandle(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  // "The database connection is closing" in every browser; WebKit (Safari 14 to 26) says "Connection to Indexed Database server lost".
  return thrown.name === 'InvalidStateError' || (thrown.name === 'UnknownError' && /connection/i.test(thrown.message));
}
