import type { EngineCore } from './engine-core.ts';
import type { PeopleCalls } from './engine.ts';
import { readOnly } from './read-only.ts';
import { assertNothingUnsent, type Unsent } from './inbox/sign-out.ts';

/** Makes the calls by which people see what became of their changes, decide on it, and leave. */
export function createPeopleCalls(core: EngineCore, exchange: () => Promise<unknown>): PeopleCalls {
  /** Closes, unless there is unsent work and nobody said that it may stay behind. */
  async function leave(mayLeave: boolean): Promise<Unsent> {
    const unsent = await core.step(async () => {
      const { pending, syncErrors, drafts } = core.board.read();
      if (!mayLeave) assertNothingUnsent({ pending, syncErrors, drafts });
      // From here on nothing is saved any more, or it would be left behind unseen.
      core.refuseCalls();
      return { pending, syncErrors, drafts };
    });
    await core.close();
    return unsent;
  }

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
    async signOut({ unsent }) {
      if (unsent === 'upload') await exchange();
      return leave(unsent === 'keep');
    },
    async wipe({ exported }) {
      const { schema, storage, owner, readOnly: isReadOnly } = core.options;
      if (isReadOnly === true) throw readOnly();
      const { wipeStore } = await core.byHand();
      await leave(exported === true);
      await wipeStore(storage, owner, Object.keys(schema.objects), core.context.store.fence);
    },
  };
}
