import { createSyncClient } from '../../../bindings/web/index.ts';
import type { Schema } from '../../../src/schema.ts';
import { indexedDb } from '../../../src/storage/indexeddb.ts';
import { schema } from '../../schema.ts';
import type { RunningClient } from './device.ts';
import { networkChannel, type Connection } from './network.ts';
import type { DeviceProfile } from './profiles.ts';

/** How often a device asks for news: more often than a product would, so that one can watch. */
const POLL_INTERVAL_MS = 2_500;

/** Opens a device's client: a worker and a database of its own, over a connection that the page can slow down and cut. */
export function openClient({ key, person }: DeviceProfile, first: Connection, onConnection: (connection: Connection) => void): RunningClient {
  const channel = new BroadcastChannel(networkChannel(key));
  const workers: Worker[] = [];
  let connection = first;

  // The same device in another tab: it has one connection.
  channel.addEventListener('message', ({ data }: MessageEvent<Connection>) => {
    connection = data;
    onConnection(data);
  });

  function makeWorker(): Worker {
    const worker = new Worker(`/assets/device-worker.js?network=${connection.mode}${connection.holdsBack ? '&holds-back' : ''}`, { type: 'module', name: key });
    workers.push(worker);
    return worker;
  }

  const client = createSyncClient<Schema>({
    // Without its types: the page shows whatever objects a schema has.
    schema,
    user: person.user,
    storage: indexedDb({ name: `fieldtide-demo-${schema.version}-${key}` }),
    transport: { url: '/sync', token: () => `demo:${person.user}` },
    pollIntervalMs: POLL_INTERVAL_MS,
    worker: makeWorker,
  });

  return {
    client,
    setConnection(next) {
      connection = next;
      channel.postMessage(next);
    },
    kill() {
      for (const worker of workers) worker.terminate();
      channel.close();
      // Ends the subscriptions on this side; there is nobody left on the other to say goodbye.
      client.close().catch(() => {});
    },
  };
}
