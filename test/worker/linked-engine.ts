import { expose, proxy, wrap } from 'comlink';
import { createEngineHost, type EngineHost, type StartEngine } from '../../src/worker/engine-host.ts';
import type { EngineParts, EnginePlan } from '../../src/worker/engine-start.ts';
import { installFaultTransfer } from '../../src/worker/fault-transfer.ts';
import { createHostPorts } from '../../src/worker/host-ports.ts';
import { createRemoteEngine, type RemoteEngine } from '../../src/worker/remote-engine.ts';
import { startFakeEngine } from './fake-engine.ts';

/** An engine behind a real MessageChannel in one thread: everything of a worker but the other thread. */
export function linkEngine(plan: EnginePlan, parts: EngineParts, startEngine: StartEngine = startFakeEngine): RemoteEngine {
  installFaultTransfer();
  const { port1, port2 } = new MessageChannel();
  expose(createEngineHost(startEngine), port2);
  const host = wrap<EngineHost>(port1);
  return createRemoteEngine({
    host,
    ready: host.start(plan, 'life', proxy(createHostPorts(parts))),
    onEnd() {
      port1.close();
      port2.close();
    },
  });
}
