import type { Remote } from 'comlink';
import { SyncFault } from '../shared/fault.ts';
import type { Commit, Storage, StorageAdapter } from '../storage/storage-adapter.ts';
import type { TransportAdapter, TransportRequest, TransportResponse } from '../transport/transport-adapter.ts';
import type { EngineParts } from './engine-start.ts';
import type { HostPorts } from './host-ports.ts';

/** Makes the parts of an engine out of what the host left on its own thread. Runs in the worker. */
export function createRemoteParts(ports: Remote<HostPorts>): Required<EngineParts> {
  return {
    token: (request) => ports.token(request),
    guard: (object, question) => ports.guard(object, question),
    storage: createRemoteStorage(ports),
    transport: createRemoteTransport(ports),
  };
}

function createRemoteTransport(ports: Remote<HostPorts>): TransportAdapter {
  let calls = 0;
  return {
    send({ signal, ...request }) {
      const call = ++calls;
      if (signal?.aborted === true) return Promise.reject(aborted(request, signal));
      const onAbort = () => void ports.abort(call);
      signal?.addEventListener('abort', onAbort, { once: true });
      return sendPlain(ports, call, request).finally(() => signal?.removeEventListener('abort', onAbort));
    },
    close: () => void ports.closeTransport(),
  };
}

function sendPlain(ports: Remote<HostPorts>, call: number, { body, ...request }: TransportRequest): Promise<TransportResponse> {
  return ports.send(call, body === undefined ? request : { ...request, body: ownBytes(body) });
}

function aborted({ method, path }: TransportRequest, signal: AbortSignal): SyncFault {
  return new SyncFault('TRANSPORT_ABORTED', `${method} ${path.split('?', 1)[0]!} was aborted`, { cause: signal.reason });
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

/** Cloning a view clones all of the buffer behind it, which may be a whole message or the memory of the core. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}
