import { createSyncClient, type SyncClient } from '../../../bindings/node/index.ts';
import { decodeImage } from '../../../src/client/store/stored.ts';
import { ATTENTION } from '../../../src/core/core.ts';
import { layoutsOf } from '../../../src/protocol/layout.ts';
import { decodeRow } from '../../../src/protocol/row.ts';
import { memory } from '../../../src/storage/memory.ts';
import type { HeldRecord } from '../feed-contender.ts';
import type { FeedData } from '../feed-data.ts';
import { feedSchema, feedServer, placesOf, type FeedPlaces } from '../feed-server.ts';

/** A client that has downloaded all rows, has 5 % of what comes waiting for upload, and 2 % open. */
export interface ReadyClient {
  /** Reads the feed to its end. */
  merge(): Promise<void>;
  /** What is held of all records, with nothing of this user's own edits. */
  records(): AsyncIterable<HeldRecord>;
  close(): Promise<void>;
}

/** Opens a client over memory storage, with a server that has ready-made pages. */
export async function openClient(data: FeedData, pageItems: number): Promise<ReadyClient> {
  const places = placesOf(data), storage = memory();
  const client = createSyncClient({ schema: feedSchema, user: 'ann', storage, transport: feedServer(data, places, pageItems), pollIntervalMs: 3_600_000 });
  await client.download();
  await engage(client, data, places);
  return {
    merge: async () => {
      await client.exchange();
    },
    async *records() {
      const layouts = layoutsOf(feedSchema), stored = await storage.open({ tenant: '', user: 'ann' });
      for (const object of Object.keys(feedSchema.objects)) {
        for (const { id, bytes } of await stored.scanRecords({ object, limit: Infinity })) {
          const { row, version } = decodeImage(bytes, () => layouts.get(object)!);
          yield { id, version: version[1], values: decodeRow(layouts.get(object)!, row!) };
        }
      }
    },
    close: () => client.close(),
  };
}

async function engage(client: SyncClient<typeof feedSchema>, data: FeedData, places: FeedPlaces): Promise<void> {
  const known = new Set(Array.from(data.rows(), ({ id }) => id));
  for (const [id, flags] of data.attention()) {
    if (!known.has(id)) continue;
    const object = client.objects[places.objectOf(id)];
    if ((flags & ATTENTION.pending) !== 0) await object.update(id, { amount: '0.5' });
    else await object.open(id);
  }
}
