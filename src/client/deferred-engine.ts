import type { SyncEngine } from './engine.ts';

/** Makes an engine of one that is still being made: every call waits for it, in the order of the calls. */
export function createDeferredEngine(starting: Promise<SyncEngine>): SyncEngine {
  const ready = starting.then((engine) => engine.ready);
  // Nobody need look at `ready`: a start that failed shows in every call.
  ready.catch(() => {});
  const then = <T>(call: (engine: SyncEngine) => Promise<T>): Promise<T> => starting.then(call);
  return {
    ready,
    create: (object, values, id) => then((engine) => engine.create(object, values, id)),
    update: (object, id, values, seen) => then((engine) => engine.update(object, id, values, seen)),
    remove: (object, id) => then((engine) => engine.remove(object, id)),
    save: (changes) => then((engine) => engine.save(changes)),
    draft: (request) => then((engine) => engine.draft(request)),
    watchDrafts: (listener) => then((engine) => engine.watchDrafts(listener)),
    restore: (object, id) => then((engine) => engine.restore(object, id)),
    get: (object, id) => then((engine) => engine.get(object, id)),
    query: (query) => then((engine) => engine.query(query)),
    watchQuery: (query, listener) => then((engine) => engine.watchQuery(query, listener)),
    watchRecord: (object, id, listener) => then((engine) => engine.watchRecord(object, id, listener)),
    outcome: (entry) => then((engine) => engine.outcome(entry)),
    status: () => then((engine) => engine.status()),
    watchStatus: (listener) => then((engine) => engine.watchStatus(listener)),
    listSyncErrors: () => then((engine) => engine.listSyncErrors()),
    watchSyncErrors: (listener) => then((engine) => engine.watchSyncErrors(listener)),
    undo: (syncError) => then((engine) => engine.undo(syncError)),
    resolve: (syncError, action, fix) => then((engine) => engine.resolve(syncError, action, fix)),
    resolveAll: (syncErrors, action) => then((engine) => engine.resolveAll(syncErrors, action)),
    exportEntries: (entries) => then((engine) => engine.exportEntries(entries)),
    explain: (object, id) => then((engine) => engine.explain(object, id)),
    signOut: (options) => then((engine) => engine.signOut(options)),
    wipe: (options) => then((engine) => engine.wipe(options)),
    readJournal: (entry) => then((engine) => engine.readJournal(entry)),
    listNotices: () => then((engine) => engine.listNotices()),
    watchNotices: (listener) => then((engine) => engine.watchNotices(listener)),
    acknowledgeNotice: (notice) => then((engine) => engine.acknowledgeNotice(notice)),
    watchEvents: (listener) => then((engine) => engine.watchEvents(listener)),
    download: () => then((engine) => engine.download()),
    fetch: (object, id) => then((engine) => engine.fetch(object, id)),
    wake: () => then((engine) => engine.wake()),
    exchange: () => then((engine) => engine.exchange()),
    setLifecycle: (lifecycle) => then((engine) => engine.setLifecycle(lifecycle)),
    // What could not be started needs no closing.
    close: () => starting.then((engine) => engine.close(), () => {}),
  };
}
