import { EngineCore, type SyncEngineOptions } from './engine-core.ts';
import type { ServerCalls, SyncEngine } from './engine.ts';
import { createPeopleCalls } from './people-calls.ts';
import { createRecordCalls } from './record-calls.ts';

/** Opens an engine over a host's storage and transport; it works at once, calls wait until the store is open. */
export function createSyncEngine(options: SyncEngineOptions): SyncEngine {
  const core = new EngineCore(options);
  const server = createServerCalls(core);
  return { ready: core.ready, ...createRecordCalls(core), ...createPeopleCalls(core, server.exchange), ...server, close: () => core.close() };
}

/** Makes the calls about where the device stands with the server, and those that move it on. */
function createServerCalls(core: EngineCore): ServerCalls {
  return {
    async status() {
      await core.assertOpen();
      return core.board.read();
    },
    async watchStatus(listener) {
      await core.assertOpen();
      return core.board.watch(listener);
    },
    async watchEvents(listener) {
      core.board?.catchUp();
      return core.events.subscribe(listener);
    },
    async download() {
      await core.assertOpen();
      return (await core.connection.open()).download();
    },
    async wake() {
      await core.assertOpen();
      core.connection.wake();
      core.board.show();
    },
    async exchange() {
      await core.assertOpen();
      await (await core.connection.open()).exchange();
      await core.steps.idle();
      return core.board.read();
    },
    checkStorage: () => core.checkStorage(),
    async setLifecycle(lifecycle) {
      core.lifecycle = { ...core.lifecycle, ...lifecycle };
      await core.assertOpen();
      core.connection.setLifecycle(core.lifecycle);
      core.board.show();
    },
  };
}
