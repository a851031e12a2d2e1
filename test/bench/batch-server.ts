import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { CONTENT_TYPE, PATHS, type FeedAnswer, type FeedCursor, type SnapshotAnswer } from '../../src/protocol/messages.ts';
import { wireLayout } from '../../src/protocol/wire-layout.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import { createSeededRandom } from '../support/seeded-random.ts';
import { ORDER_LAYOUT, orderId, orderRows, schema } from './order-pages.ts';

/** How much the server has, and how it hands it out. */
export interface BatchServerOptions {
  readonly records: number;
  /** Records on a page of a download, and of the feed. */
  readonly pageRecords: number;
  /** Records of the batch that comes through the feed once it is published, all of them on the device already. */
  readonly changed: number;
}

/** Files of the page, by path. */
export type ServeFile = (path: string) => { readonly type: string; readonly body: string | Uint8Array } | null;

/**
 * A server with so many records, and a batch for the feed. Pages are made before it starts, so that what is timed is the device; all else is
 * answered by a real server without records. Paths below `/sync/` are the protocol's.
 */
export function createBatchServer(options: BatchServerOptions, serveFile: ServeFile): { readonly http: Server; publish(): void } {
  const real = createSyncServer({ schema, store: memory(), authenticate: () => ({ user: 'ann' }) });
  const transport = inProcess({ handle: real.fetch, token: async () => 'ann' });
  const downloads = downloadPages(options), batch = feedPages(options);
  let isPublished = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://server.invalid/');
    if (!pathname.startsWith('/sync/')) {
      const file = serveFile(pathname);
      return void (file === null ? response.writeHead(404).end() : response.writeHead(200, { 'content-type': file.type }).end(file.body));
    }
    const path = pathname.slice('/sync/'.length);
    const from = readPosition(searchParams.get('cursor'));
    const isBatch = path === PATHS.feed && isPublished && from !== null && from < batch.length;
    const isDownload = path === PATHS.snapshot;
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const headers = Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' && name !== 'host' && name !== 'connection' ? [[name, value]] : [])));
    // A real answer, of which the page is taken out: its head, with everything that echoes the request.
    const asked = isBatch || isDownload ? PATHS.snapshot : from === null ? `${path}${new URL(request.url!, 'http://x/').search}` : PATHS.feed;
    const own = await transport.send({ method: request.method as 'GET' | 'POST', path: asked, headers, ...(chunks.length > 0 && { body: Buffer.concat(chunks) }) });
    const body = isDownload ? download(own.body!, searchParams.get('id')) : isBatch ? feed(own.body!, searchParams.get('cursor')!, from) : own.body;
    response.writeHead(own.status, { ...own.headers, ...(body !== null && body.length > 0 && { 'content-type': CONTENT_TYPE }) });
    response.end(body ?? undefined);
  }

  function download(own: Uint8Array, after: string | null): Uint8Array {
    const place = after === null ? 0 : Math.floor(Number(after.slice(1)) / options.pageRecords) + 1;
    const page = decodeEnvelope(own) as SnapshotAnswer;
    const isLast = place === downloads.length - 1;
    return encodeEnvelope({ ...page, layouts: [wireLayout(ORDER_LAYOUT)], items: downloads[place]!, next: isLast ? null : { object: 'order', id: orderId((place + 1) * options.pageRecords - 1) } });
  }

  function feed(own: Uint8Array, asked: string, position: number): Uint8Array {
    const { protocol, store, attempt, server } = decodeEnvelope(own) as SnapshotAnswer;
    const [name, epoch] = asked.split('.') as [string, string];
    const at = (place: number): FeedCursor => ({ feed: name, epoch: Number(epoch), position: place });
    const items = batch[position]!, count = Math.min(options.pageRecords, options.changed - position * options.pageRecords);
    return encodeEnvelope({
      protocol,
      store,
      attempt,
      server: { ...server, head: batch.length },
      layouts: [wireLayout(ORDER_LAYOUT)],
      from: at(position),
      next: at(position + 1),
      more: position + 1 < batch.length,
      gap: null,
      transactions: [{ position: position + 1, store: 'another-device', number: position + 1, items: Array.from({ length: count }, (_, index) => index) }],
      groups: [],
      part: null,
      outside: [],
      items,
    } satisfies FeedAnswer);
  }

  return {
    http: createServer((request, response) => void answer(request, response).catch((thrown: unknown) => response.destroy(thrown as Error))),
    publish: () => void (isPublished = true),
  };
}

function readPosition(cursor: string | null): number | null {
  return cursor === null ? null : Number(cursor.split('.')[2]);
}

function downloadPages({ records, pageRecords }: BatchServerOptions): Uint8Array[] {
  const rowOf = orderRows();
  return pagesOf(Array.from({ length: records }, (_, place) => place), pageRecords).map((places) => encodeImages(places.map((place): Image => ({ layout: 0, id: orderId(place), version: [1, 1], state: 'live', row: rowOf(place, 1) }))));
}

/** Records in no order, each once. */
function feedPages({ records, changed, pageRecords }: BatchServerOptions): Uint8Array[] {
  const rowOf = orderRows(), random = createSeededRandom(12);
  const places = Array.from({ length: records }, (_, place) => place);
  for (let left = 0; left < changed; left++) {
    const other = left + Math.floor(random.next() * (records - left));
    [places[left], places[other]] = [places[other]!, places[left]!];
  }
  return pagesOf(places.slice(0, changed), pageRecords).map((page) => encodeImages(page.map((place): Image => ({ layout: 0, id: orderId(place), version: [1, 2], state: 'live', row: rowOf(place, 2) }))));
}

function pagesOf(places: readonly number[], pageRecords: number): (readonly number[])[] {
  return Array.from({ length: Math.ceil(places.length / pageRecords) }, (_, page) => places.slice(page * pageRecords, (page + 1) * pageRecords));
}
