import type { HeldRecord } from '../feed-contender.ts';
import type { FeedRecord, RecordValues } from '../feed-data.ts';
import { library } from '../library.ts';
import { openRxDatabase, rxRecord, type RxCollection, type RxRecord } from './rxdb.ts';

interface Checkpoint {
  readonly place: number;
}

interface Replication {
  awaitInitialReplication(): Promise<void>;
  awaitInSync(): Promise<unknown>;
  reSync(): void;
  readonly error$: { subscribe(listener: (error: Error) => void): void };
}

interface ReplicationOptions {
  readonly collection: RxCollection;
  readonly replicationIdentifier: string;
  readonly live: boolean;
  readonly pull: {
    readonly batchSize: number;
    handler(checkpoint: Checkpoint | undefined, batchSize: number): Promise<{ documents: readonly (RxRecord & { readonly _deleted: boolean })[]; checkpoint: Checkpoint }>;
  };
}

/** A replication that has the rows, and reads what is put on the feed after them. */
export interface ReadyReplication {
  /** Reads the feed to its end. */
  merge(): Promise<void>;
  records(): AsyncIterable<HeldRecord>;
  close(): Promise<unknown>;
}

/**
 * RxDB's replication into memory storage. It knows nothing of groups or of records in use, so the feed has only what is to be merged: all
 * images of those records, in order, older ones too.
 */
export async function openReplication(rows: Iterable<FeedRecord>, entries: readonly FeedRecord[], batchSize: number): Promise<ReadyReplication> {
  const { replicateRxCollection } = await library<{ replicateRxCollection(options: ReplicationOptions): Replication }>('rxdb/plugins/replication');
  const { orders, close } = await openRxDatabase();
  const feed = Array.from(rows, (record) => ({ ...rxRecord(record), _deleted: false }));
  let failure: Error | null = null;
  const replication = replicateRxCollection({
    collection: orders,
    replicationIdentifier: 'bench',
    live: true,
    pull: {
      batchSize,
      handler(checkpoint, most) {
        const from = checkpoint?.place ?? 0, documents = feed.slice(from, from + most);
        return Promise.resolve({ documents, checkpoint: { place: from + documents.length } });
      },
    },
  });
  replication.error$.subscribe((error) => (failure = error));
  const settle = async (): Promise<void> => {
    await replication.awaitInSync();
    if (failure !== null) throw failure;
  };
  await replication.awaitInitialReplication();
  await settle();
  for (const record of entries) feed.push({ ...rxRecord(record), _deleted: false });
  return {
    async merge() {
      replication.reSync();
      await settle();
    },
    async *records() {
      for (const doc of await orders.find().exec()) {
        const { id, version, ...values } = doc.toJSON();
        yield { id, version, values: values as unknown as RecordValues };
      }
    },
    close,
  };
}
