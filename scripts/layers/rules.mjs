// The layers as data. A path that ends in '/' means everything below it; '*' stands for a part of one file name;
// '!' takes away again. The first rule that matches a file is the one that counts.

const SHARED_AND_PROTOCOL = ['src/shared/', 'src/protocol/'];
const SERVER_BASE = [...SHARED_AND_PROTOCOL, 'src/core/'];
const STORE_CONTRACT = ['src/server/store/server-store.ts', 'src/server/store/fact.ts'];
const SERVER_PLAIN = ['src/server/*.ts', '!src/server/index.ts', '!src/server/sync-server.ts'];
const CLIENT = ['src/client/', ...SHARED_AND_PROTOCOL, 'src/core/', 'src/storage/storage-adapter.ts', 'src/transport/transport-adapter.ts', 'src/transport/answer.ts', 'src/transport/echo.ts'];
const WORKER = ['src/worker/', ...CLIENT, 'src/storage/', 'src/transport/', 'src/schema.ts'];

/**
 * Which files a file may import from, itself and its own folder included when listed.
 * @type {readonly { files: string, mayImport: readonly string[] }[]}
 */
export const IMPORT_RULES = [
  { files: 'assembly/layout.ts', mayImport: [] },
  { files: 'src/shared/', mayImport: ['src/shared/'] },
  { files: 'src/protocol/', mayImport: SHARED_AND_PROTOCOL },
  { files: 'src/core/', mayImport: ['src/core/', ...SHARED_AND_PROTOCOL, 'assembly/layout.ts'] },
  { files: 'src/storage/', mayImport: ['src/storage/', ...SHARED_AND_PROTOCOL, 'src/core/core.ts', 'src/core/row-block.ts', 'src/core/row-block-layout.ts'] },
  { files: 'src/transport/', mayImport: ['src/transport/', ...SHARED_AND_PROTOCOL] },
  { files: 'src/client/', mayImport: CLIENT },
  { files: 'src/worker/', mayImport: WORKER },

  // Inside the server: http → sync-server → save, feed, download → the store's interface.
  { files: 'src/server/index.ts', mayImport: [...SERVER_BASE, 'src/server/'] },
  { files: 'src/server/http/', mayImport: [...SERVER_BASE, 'src/server/http/', ...SERVER_PLAIN, 'src/server/sync-server.ts'] },
  {
    files: 'src/server/sync-server.ts',
    mayImport: [...SERVER_BASE, 'src/server/', '!src/server/http/', '!src/server/index.ts', '!src/server/store/', ...STORE_CONTRACT],
  },
  { files: 'src/server/store/', mayImport: [...SERVER_BASE, 'src/server/store/', ...SERVER_PLAIN] },
  { files: 'src/server/access/', mayImport: [...SHARED_AND_PROTOCOL, 'src/server/access/', 'src/server/principal.ts', 'src/server/server-schema.ts'] },
  {
    files: 'src/server/*.ts',
    mayImport: [...SERVER_BASE, ...SERVER_PLAIN, ...STORE_CONTRACT, 'src/server/access/'],
  },
  {
    files: 'src/server/',
    mayImport: [...SERVER_BASE, 'src/server/', '!src/server/index.ts', '!src/server/sync-server.ts', '!src/server/http/', '!src/server/store/', ...STORE_CONTRACT],
  },

  { files: 'src/testing/', mayImport: ['src/', 'bindings/'] },
  { files: 'src/schema.ts', mayImport: SHARED_AND_PROTOCOL },
  { files: 'src/index.ts', mayImport: ['src/', '!src/server/', '!src/testing/'] },
  { files: 'bindings/', mayImport: ['bindings/', 'src/index.ts', 'src/schema.ts', 'src/shared/', 'src/client/', 'src/worker/', 'src/storage/', 'src/transport/'] },
];

/**
 * Where a package may be imported; every other package is refused in src/ and bindings/, and `node:` stands for all builtins.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const PACKAGE_RULES = {
  '@assemblyscript/loader': ['src/core/load-core.ts'],
  'msgpackr': [...SERVER_BASE, 'src/transport/', 'src/server/', 'src/testing/'],
  'comlink': ['src/worker/', 'bindings/', 'src/testing/'],
  'idb': ['src/storage/indexeddb*.ts'],
  '@electric-sql/pglite': ['src/server/store/pglite*.ts'],
  'pg': ['src/server/store/postgres*.ts', 'src/server/hints/postgres-*.ts'],
  'fast-check': ['src/testing/'],
  'node:': ['src/server/http/node.ts', 'src/server/store/pglite*.ts', 'src/worker/node-*.ts', 'bindings/node/', 'src/testing/'],
};

/**
 * Globals that make code untestable, and what to use instead. `name()` and `new name()` mean without arguments.
 * @type {Readonly<Record<string, string>>}
 */
export const FORBIDDEN_GLOBALS = {
  ...spread(['Date.now', 'new Date()', 'Date()', 'performance'], 'take the time from the clock that was passed in'),
  ...spread(['Math.random', 'crypto'], 'take randomness from the source that was passed in'),
  ...spread(
    ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame', 'requestIdleCallback', 'AbortSignal.timeout'],
    'use the timers of the clock that was passed in',
  ),
  ...spread(['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource'], 'use the transport or the fetch function that was passed in'),
  ...spread(['indexedDB', 'localStorage', 'sessionStorage', 'caches'], 'use the storage that was passed in'),
  ...spread(['Worker', 'SharedWorker', 'BroadcastChannel'], 'workers and tabs live in src/worker'),
  ...spread(
    ['navigator', 'location', 'self', 'window', 'document', 'globalThis', 'process', 'Buffer'],
    'ask the platform that was passed in (src/shared/platform.ts)',
  ),
};

/**
 * The few files that hand globals to the rest, and which of them each may touch.
 * @type {readonly { files: string, globals: readonly string[] }[]}
 */
export const GLOBALS_ALLOWED = [
  { files: 'src/shared/platform.ts', globals: Object.keys(FORBIDDEN_GLOBALS) },
  {
    files: 'src/worker/',
    globals: ['Worker', 'SharedWorker', 'BroadcastChannel', 'navigator', 'location', 'self', 'globalThis', 'indexedDB', 'fetch'],
  },
  { files: 'src/storage/indexeddb.ts', globals: ['indexedDB'] },
  { files: 'src/server/http/node.ts', globals: ['process', 'Buffer'] },
  { files: 'src/server/store/pglite*.ts', globals: ['process', 'Buffer'] },
];

/**
 * @param {readonly string[]} names
 * @param {string} advice
 */
function spread(names, advice) {
  return Object.fromEntries(names.map((name) => [name, advice]));
}
