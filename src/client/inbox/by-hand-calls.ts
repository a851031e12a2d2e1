import type { EngineCore } from '../engine-core.ts';
import type { PeopleCalls } from '../engine.ts';
import { readJournal } from '../queue/read-journal.ts';
import { readOnly } from '../read-only.ts';
import { acknowledgeNotice } from './acknowledge-notice.ts';
import { explainRecord } from './explain-record.ts';
import { exportEntries } from './export-entries.ts';
import { resolve, resolveAll } from './resolutions.ts';
import { signOut, wipe } from './sign-out.ts';

/** The calls by which people decide on their changes, and leave. */
export type ByHandCalls = Omit<PeopleCalls, 'listNotices' | 'watchNotices'>;

/** Makes the calls of this part, over an engine whose store is open. `exchange` sends what can be sent. */
export function createByHandCalls(core: EngineCore, exchange: () => Promise<unknown>): ByHandCalls {
  return {
    listSyncErrors: async () => (await core.openInbox()).list(),
    watchSyncErrors: async (listener) => (await core.openInbox()).watch(listener),
    undo: async (syncError) => (await core.openInbox()).undo(syncError),
    resolve: async (syncError, action, fix) => resolve(await core.openInbox(), syncError, action, fix),
    resolveAll: async (syncErrors, action) => resolveAll(await core.openInbox(), syncErrors, action),
    exportEntries: (entries) => core.step((context) => exportEntries(context, entries)),
    explain: (object, id) => core.step((context) => explainRecord(context, { ...core.connection.state, ...core.lifecycle, deferredMs: core.connection.deferredMs }, object, id)),
    readJournal: (entry) => core.step(({ store }) => readJournal(store, entry)),
    acknowledgeNotice: (notice) => core.step((context) => acknowledgeNotice(context, notice)),
    signOut: (options) => signOut(core, options, exchange),
    async wipe(options) {
      if (core.options.readOnly === true) throw readOnly();
      await wipe(core, options);
    },
  };
}
