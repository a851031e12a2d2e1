/** An IndexedDB factory, real or fake, that can be told to fail the way platforms do. Each fault strikes once. */
export interface FaultyFactory {
  readonly factory: IDBFactory;
  /** Aborts the `nth` writing transaction from now on. */
  abortWrite(nth: number, error: DOMException | null, options?: AbortOptions): void;
  /** Makes the second write of the next writing transaction throw. */
  refuseWrite(error: DOMException): void;
  /** Closes all handles behind the adapter's back: silently, or in another way that the platform has. */
  loseHandles(close?: (database: IDBDatabase) => void): void;
  /** Makes the next transaction, reading or writing, fail to begin. */
  refuseTransaction(error: DOMException): void;
  /** How often a database was opened. */
  readonly opens: number;
  /** Durability of each writing transaction so far. */
  readonly durabilities: readonly string[];
  /** Deletes every database that was opened. */
  dispose(): Promise<void>;
}

export interface AbortOptions {
  /** Abort right after the first write was asked for, instead of when the last has succeeded. */
  readonly atRequest?: boolean;
  /** What else happens to the handle. */
  readonly onAbort?: (database: IDBDatabase) => void;
}

export function createFaultyFactory(inner: IDBFactory): FaultyFactory {
  const names = new Set<string>();
  const databases = new Set<IDBDatabase>();
  const durabilities: string[] = [];
  let opens = 0;
  let plannedAbort: { left: number; readonly error: DOMException | null; readonly options: AbortOptions } | null = null;
  let writeRefusal: DOMException | null = null;
  let refusal: DOMException | null = null;

  function watch(database: IDBDatabase): void {
    databases.add(database);
    const begin = database.transaction.bind(database);
    database.transaction = (stores, mode, options) => {
      if (refusal !== null) {
        const error = refusal;
        refusal = null;
        throw error;
      }
      const transaction = begin(stores, mode, options);
      if (mode === 'readwrite') onWrite(transaction, options?.durability ?? 'default');
      return transaction;
    };
  }

  function onWrite(transaction: IDBTransaction, durability: string): void {
    durabilities.push(durability);
    if (writeRefusal !== null) {
      const error = writeRefusal;
      writeRefusal = null;
      let writes = 0;
      interceptWrites(transaction, () => {
        if (++writes === 2) throw error;
      });
    }
    if (plannedAbort === null || --plannedAbort.left > 0) return;
    const { error, options: { atRequest = false, onAbort = () => {} } } = plannedAbort;
    plannedAbort = null;
    // Which error an aborted transaction shows is up to the platform and cannot be set from outside.
    if (error !== null) Object.defineProperty(transaction, 'error', { value: error });
    const abort = () => {
      transaction.abort();
      onAbort(transaction.db);
    };
    if (atRequest) afterFirstWrite(transaction, abort);
    else afterLastSuccess(transaction, abort);
  }

  return {
    factory: new Proxy(inner, {
      get(target, property) {
        if (property === 'open') {
          return (name: string, version?: number) => {
            names.add(name);
            opens++;
            const request = target.open(name, version);
            request.addEventListener('success', () => watch(request.result));
            return request;
          };
        }
        const value = Reflect.get(target, property) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    }),
    abortWrite: (nth, error, options = {}) => void (plannedAbort = { left: nth, error, options }),
    refuseWrite: (error) => void (writeRefusal = error),
    refuseTransaction: (error) => void (refusal = error),
    loseHandles(close = (database) => database.close()) {
      for (const database of databases) close(database);
      databases.clear();
    },
    get opens() {
      return opens;
    },
    durabilities,
    async dispose() {
      for (const database of databases) database.close();
      for (const name of names) {
        await new Promise((resolve, reject) => {
          const request = inner.deleteDatabase(name);
          request.addEventListener('success', resolve);
          request.addEventListener('error', () => reject(request.error!));
        });
      }
    },
  };
}

type Writer = (...args: unknown[]) => IDBRequest;

/** Calls when every put and delete of a transaction has succeeded. */
function afterLastSuccess(transaction: IDBTransaction, act: () => void): void {
  let pending = 0;
  interceptWrites(transaction, (request) => {
    pending++;
    request.addEventListener('success', () => {
      if (--pending === 0) act();
    });
  });
}

/** Calls right after the first put or delete was asked for. */
function afterFirstWrite(transaction: IDBTransaction, act: () => void): void {
  let isFirst = true;
  interceptWrites(transaction, () => {
    if (isFirst) queueMicrotask(act);
    isFirst = false;
  });
}

function interceptWrites(transaction: IDBTransaction, onRequest: (request: IDBRequest) => void): void {
  for (const name of transaction.objectStoreNames) {
    const store = transaction.objectStore(name); // the same object each time it is asked for
    for (const method of ['put', 'delete'] as const) {
      const write = (store[method] as Writer).bind(store);
      store[method] = (...args: unknown[]) => {
        const request = write(...args);
        onRequest(request);
        return request;
      };
    }
  }
}
