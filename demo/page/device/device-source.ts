import type { Schema } from '../../../src/schema.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { SyncClient, SyncObject } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import type { Values } from '../crm/object-face.ts';
import type { RecordSource, ShownRecord, SyncMark } from '../records/record-source.ts';

/** The records of a device, through whichever client runs now: watches go over to the next client after a restart. */
export interface DeviceSource extends RecordSource {
  connect(client: SyncClient): void;
}

type ClientObject = SyncObject<Schema, string>;
type ClientRecord = Readonly<Record<string, unknown>> & { readonly id: string };

export function createDeviceSource(): DeviceSource {
  let client: SyncClient | null = null;
  const watches = new Set<{ readonly start: () => void }>();

  const objectOf = (object: ObjectName): ClientObject => {
    if (client === null) throw new Error('the device is not running');
    return client.objects[object]!;
  };

  function watch(subscribe: () => Unsubscribe): Unsubscribe {
    let stop: Unsubscribe = () => {};
    const entry = { start: () => {
      stop();
      stop = subscribe();
    } };
    watches.add(entry);
    if (client !== null) entry.start();
    return () => {
      watches.delete(entry);
      stop();
    };
  }

  return {
    connect(next) {
      client = next;
      for (const { start } of watches) start();
    },
    query: async ({ object, ...query }) => (await objectOf(object).query(query).get()).map((row) => toShown(object, row as ClientRecord)),
    watchQuery: ({ object, ...query }, listener) =>
      watch(() => objectOf(object).query(query).subscribe((rows) => listener(rows.map((row) => toShown(object, row as ClientRecord))))),
    watchRecord: (object, id, listener) =>
      watch(() => objectOf(object).watch(id, (row) => listener(row === null ? null : toShown(object, row as ClientRecord)))),
    create: (object, values) => objectOf(object).create(values),
    update: async (object, id, values) => void (await objectOf(object).update(id, values)),
    remove: async (object, id) => void (await objectOf(object).remove(id)),
  };
}

function toShown(object: ObjectName, { id, syncState, ...values }: ClientRecord): ShownRecord {
  return { object, id, values: values as Values, mark: syncState as SyncMark };
}
