import type { Remote } from 'comlink';
import { SyncFault } from '../shared/fault.ts';
import type { TransportAdapter, TransportRequest } from '../transport/transport-adapter.ts';
import type { HostPorts } from './host-ports.ts';
import { ownBytes } from './own-bytes.ts';

/** Makes the transport out of the one that the host left on its own thread. */
export function createRemoteTransport(ports: Remote<HostPorts>): TransportAdapter {
  let calls = 0;
  return {
    send({ signal, body, ...request }) {
      const call = ++calls;
      if (signal?.aborted === true) return Promise.reject(aborted(request, signal));
      const onAbort = () => void ports.abort(call);
      signal?.addEventListener('abort', onAbort, { once: true });
      return ports.send(call, body === undefined ? request : { ...request, body: ownBytes(body) }).finally(() => signal?.removeEventListener('abort', onAbort));
    },
  };
}

function aborted({ method, path }: Pick<TransportRequest, 'method' | 'path'>, signal: AbortSignal): SyncFault {
  return new SyncFault('TRANSPORT_ABORTED', `${method} ${path.split('?', 1)[0]!} was aborted`, { cause: signal.reason });
}
