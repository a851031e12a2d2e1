import type { EngineCore } from './engine-core.ts';
import type { PeopleCalls } from './engine.ts';
import { readOnly } from './read-only.ts';

/** Makes the calls by which people see what became of their changes, decide on it, and leave. */
export function createPeopleCalls(core: EngineCore, exchange: () => Promise<unknown>): PeopleCalls {
  async function listNotices() {
    await core.assertOpen();
    return core.board.readNotices();
  }

  return {
    listSyncErrors: async () => (await core.openInbox()).list(),
    watchSyncErrors: async (listener) => (await core.openInbox()).watch(listener),
    undo: async (syncError) => (await core.openInbox()).undo(syncError),
    async resolve(syncError, action, fix) {
      const { resolve } = await core.byHand();
      return resolve(await core.openInbox(), syncError, action, fix);
    },
    async resolveAll(syncErrors, action) {
      const { resolveAll } = await core.byHand();
      return resolveAll(await core.openInbox(), syncErrors, action);
    },
    async exportEntries(entries) {
      const { exportEntries } = await core.byHand();
      return core.step((context) => exportEntries(context, entries));
    },
    async explain(object, id) {
      const { explainRecord } = await core.byHand();
      return core.step((context) => explainRecord(context, { ...core.connection.state, ...core.lifecycle, deferredMs: core.connection.deferredMs }, object, id));
    },
    async readJournal(entry) {
      const { readJournal } = await core.byHand();
      return core.step(({ store }) => readJournal(store, entry));
    },
    listNotices,
    async watchNotices(listener) {
      await core.assertOpen();
      return core.board.watchNotices(listener);
    },
    async acknowledgeNotice(notice) {
      const { acknowledgeNotice } = await core.byHand();
      return core.step((context) => acknowledgeNotice(context, notice));
    },
    async signOut(options) {
      const { signOut } = await core.byHand();
      return signOut(core, options, exchange);
    },
    async wipe(options) {
      if (core.options.readOnly === true) throw readOnly();
      const { wipe } = await core.byHand();
      await wipe(core, options);
    },
  };
}
