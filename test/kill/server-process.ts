// The server that is killed: `server-process <folder> <seed folder> <port>`. Ends by itself, cleanly, on SIGTERM.
import { createServer } from 'node:http';
import { openBackend } from './backend.ts';
import { COUNTERS } from './schema.ts';

/** How often the back office changes a counter. */
const OFFICE_INTERVAL_MS = 15;

const [folder = '', seedFolder = '', port = ''] = process.argv.slice(2);
const { server, store } = openBackend(folder, seedFolder);
await store.ready;
const isFirstStart = (await server.online.get('counter', COUNTERS[0]!)) === null;
if (isFirstStart) await server.online.save(COUNTERS.map((id) => ({ op: 'create', object: 'counter', id, values: { token: 'first' } })));
const httpServer = createServer(server.nodeListener);
httpServer.listen(Number(port), 'localhost', () => process.stdout.write('{"kind":"ready"}\n'));

let isEnding = false;
process.once('SIGTERM', () => (isEnding = true));

for (let saves = 0; !isEnding; saves++) {
  const id = COUNTERS[saves % COUNTERS.length]!;
  await server.online.save([{ op: 'update', object: 'counter', id, values: { token: `office ${process.pid} ${saves}` } }]);
  await new Promise((resolve) => setTimeout(resolve, OFFICE_INTERVAL_MS));
}
httpServer.close();
httpServer.closeAllConnections();
await server.close();
await store.close();
