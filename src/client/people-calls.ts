import { forwardCalls } from '../shared/forward-calls.ts';
import type { EngineCore } from './engine-core.ts';
import type { PeopleCalls } from './engine.ts';
import type { ByHandCalls } from './inbox/by-hand-calls.ts';

/** Calls of a part that is there offline. */
const BY_HAND_CALLS = ['listSyncErrors', 'watchSyncErrors', 'undo', 'resolve', 'resolveAll', 'exportEntries', 'explain', 'readJournal', 'acknowledgeNotice', 'signOut', 'wipe'] as const;

/** Makes the calls by which people see what became of their changes, decide on it, and leave. */
export function createPeopleCalls(core: EngineCore, exchange: () => Promise<unknown>): PeopleCalls {
  return {
    ...forwardCalls<ByHandCalls, keyof ByHandCalls>(BY_HAND_CALLS, async (call) => {
      const { createByHandCalls } = await core.byHand();
      return call(createByHandCalls(core, exchange));
    }),
    async listNotices() {
      await core.assertOpen();
      return core.board.readNotices();
    },
    async watchNotices(listener) {
      await core.assertOpen();
      return core.board.watchNotices(listener);
    },
  };
}
