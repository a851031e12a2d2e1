// npm start: the demo's server, on an embedded database in .fieldtide, and its page.
import { createServer, type IncomingMessage } from 'node:http';
import { pglite } from '../src/server/store/pglite.ts';
import { schema } from './schema.ts';
import { createBackend } from './server/backend.ts';
import { createChangeStream } from './server/changes.ts';
import { createDemoClock } from './server/demo-clock.ts';
import { listenNear } from './server/listen.ts';
import { createOffice } from './server/office.ts';
import { createOfficeRoutes } from './server/office-routes.ts';
import { loadPageFiles } from './server/page-files.ts';
import { createProgressLine } from './server/progress-line.ts';
import { seedServer } from './server/seed.ts';

const folder = process.env.FIELDTIDE_DEMO_FOLDER ?? `.fieldtide/demo-${schema.version}`;
const firstPort = Number(process.env.PORT ?? 4310);
const accounts = Number(process.env.FIELDTIDE_DEMO_ACCOUNTS ?? 240);

const pageFiles = await loadPageFiles();
const changes = createChangeStream();
const clock = createDemoClock();
const database = pglite({ folder, seedFolder: '.fieldtide/seed', log: (message, cause) => console.error(`database: ${message}`, cause ?? '') });
const { server, store, receipts } = createBackend(database, clock, () => {
  office.forget();
  changes.announce();
});
const office = createOffice({ online: server.online, store, receipts, clock });
const answerOffice = createOfficeRoutes(office, changes);

console.log(`demo: opening the database in ${folder}`);
await database.ready;
const progress = createProgressLine();
await seedServer(server.online, { today: new Date(), accounts }, (done, all) =>
  progress.show(`demo: first start, ${done.toLocaleString('en')} of ${all.toLocaleString('en')} records are in`, done === all));

const httpServer = createServer((request, response) => {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  if (path.startsWith('/sync/')) return server.nodeListener(request, response);
  if (!isFromThisPage(request)) return void response.writeHead(403).end();
  if (path.startsWith('/office/')) return answerOffice(request, response);
  if (request.method === 'GET' && pageFiles.serve(path, response)) return;
  response.writeHead(404, { 'content-type': 'text/plain' }).end('There is nothing here.');
});
const port = await listenNear(httpServer, firstPort);
console.log(`Fieldtide demo: http://localhost:${port}  (Ctrl-C ends it)`);

// Ctrl-C in a terminal reaches this process twice: by itself, and passed on by npm start.
let isClosing = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void close());

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  changes.close();
  httpServer.close();
  httpServer.closeAllConnections();
  await server.close();
  await database.close();
  console.log('demo: closed');
  process.exit(0);
}

/** The back office has no sign-in here, so pages of other sites must not reach it. */
function isFromThisPage({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}
