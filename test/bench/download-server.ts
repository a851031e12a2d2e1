import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { encodeImages, type Image } from '../../src/protocol/items.ts';
import { layoutsOf } from '../../src/protocol/layout.ts';
import { encodeRow } from '../../src/protocol/row.ts';
import { wireLayout } from '../../src/protocol/wire-layout.ts';
import { dateTime, decimal, defineSchema, integer, picklist, reference, text } from '../../src/schema.ts';
import { createSyncServer } from '../../src/server/index.ts';
import { memory } from '../../src/server/store/memory.ts';
import { inProcess } from '../../src/transport/in-process.ts';
import type { TransportAdapter } from '../../src/transport/transport-adapter.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

/** What is downloaded. */
export const schema = defineSchema({
  version: 1,
  objects: {
    visit: { fields: { account: reference('visit'), name: text(), status: picklist('open', 'done'), amount: decimal(), count: integer(), startsAt: dateTime(), city: text(), comment: text() } },
  },
});

const LAYOUT = layoutsOf(schema).get('visit')!;
const PAGE = 500;

/**
 * A server that has so many records and keeps none: each page of a download is made when it is asked for, so that the memory of the process is
 * the client's. All else a real server answers, which has no records.
 */
export function downloadServer(records: number): TransportAdapter {
  const server = createSyncServer({ schema, store: memory(), authenticate: () => ({ user: 'ann' }) });
  const transport = inProcess({ handle: server.fetch, token: async () => 'ann' });
  const random = createSeededRandom(4);
  const words = Array.from({ length: 97 }, () => random.next().toString(36).slice(2));
  const rowOf = (index: number): Uint8Array =>
    encodeRow(LAYOUT, { account: idOf(index >> 3), name: words[index % 97], status: 'open', amount: `${index}.5`, count: index, startsAt: new Date(1.7e12 + index * 1_000).toISOString(), city: words[index % 89], comment: `${words[index % 83]} ${words[index % 79]} ${words[index % 73]}` });
  return {
    async send(request) {
      const { pathname, searchParams } = new URL(request.path, 'http://server.invalid/');
      const isDownload = pathname === '/snapshot';
      const response = await transport.send(isDownload ? { ...request, path: 'snapshot' } : request);
      if (!isDownload) return response;
      const from = searchParams.has('id') ? Number(searchParams.get('id')!.slice(1)) + 1 : 0, to = Math.min(records, from + PAGE);
      const images = Array.from({ length: to - from }, (_, place): Image => ({ layout: 0, id: idOf(from + place), version: [1, 1], state: 'live', row: rowOf(from + place) }));
      const page = decodeEnvelope(response.body!) as object;
      return { ...response, body: encodeEnvelope({ ...page, layouts: [wireLayout(LAYOUT)], items: encodeImages(images), next: to === records ? null : { object: 'visit', id: idOf(to - 1) } }) };
    },
  };
}

function idOf(index: number): string {
  return `v${String(index).padStart(9, '0')}`;
}
