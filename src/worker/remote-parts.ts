import type { Remote } from 'comlink';
import { createPart } from '../client/parts.ts';
import type { Commit, Storage, StorageAdapter } from '../storage/storage-adapter.ts';
import type { TransportAdapter } from '../transport/transport-adapter.ts';
import type { EngineParts } from './engine-start.ts';
import type { HostPorts } from './host-ports.ts';
import { ownBytes } from './own-bytes.ts';

/** Makes the parts of an engine out of what the host left on its own thread. Runs in the worker. */
export function createRemoteParts(ports: Remote<HostPorts>): Required<EngineParts> {
  return {
    token: (request) => ports.token(request),
    guard: (object, question) => ports.guard(object, question),
    storage: createRemoteStorage(ports),
    transport: openTransport(ports),
  };
}

// The device can be read and changed without it: a worker part.
function openTransport(ports: Remote<HostPorts>): TransportAdapter {
  const open = createPart(async () => {
    const { createRemoteTransport } = await import('./remote-transport.ts');
    return createRemoteTransport(ports);
  });
  return { send: async (request) => (await open()).send(request), close: () => void ports.closeTransport() };
}

function createRemoteStorage(ports: Remote<HostPorts>): StorageAdapter {
  let stores = 0;
  return {
    async open(owner) {
      const store = ++stores;
      const { canEstimate } = await ports.openStore(store, owner);
      const storage: Storage = {
        readRecords: (keys) => ports.readRecords(store, keys),
        scanRecords: (range) => ports.scanRecords(store, range),
        scanState: (range) => ports.scanState(store, range),
        commit: (commit) => ports.commit(store, ownCommit(commit)),
        close: () => ports.closeStore(store),
      };
      return canEstimate ? { ...storage, estimate: () => ports.estimate(store) } : storage;
    },
  };
}

function ownCommit({ putRecords = [], putState = [], ...commit }: Commit): Commit {
  return { ...commit, putRecords: putRecords.map(ownRow), putState: putState.map(ownRow) };
}

function ownRow<Row extends { readonly bytes: Uint8Array }>(row: Row): Row {
  return { ...row, bytes: ownBytes(row.bytes) };
}
