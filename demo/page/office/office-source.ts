import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { RecordQuery, RecordSource, ShownRecord } from '../records/record-source.ts';
import type { ObjectName } from '../../schema.ts';
import type { Values } from '../crm/object-face.ts';
import type { OfficeApi } from './office-api.ts';

/** The server's own records: read over the back-office API, and again whenever the server says that something changed. */
export interface OfficeSource extends RecordSource {
  refresh(): void;
}

export function createOfficeSource(api: OfficeApi): OfficeSource {
  const watches = new Set<() => void>();

  function watch(read: () => Promise<void>): Unsubscribe {
    let isReading = false;
    let isStale = false;
    const run = (): void => {
      isStale = true;
      if (isReading) return;
      [isReading, isStale] = [true, false];
      read().catch(() => {}).finally(() => {
        isReading = false;
        if (isStale && watches.has(run)) run();
      });
    };
    watches.add(run);
    run();
    return () => watches.delete(run);
  }

  const query = async (asked: RecordQuery): Promise<readonly ShownRecord[]> =>
    (await api.query(asked)).map(({ id, ...values }) => toShown(asked.object, id, values));

  return {
    query,
    watchQuery(asked, listener) {
      const stop = watch(async () => {
        const records = await query(asked);
        if (!isStopped) listener(records);
      });
      let isStopped = false;
      return () => {
        isStopped = true;
        stop();
      };
    },
    openRecord(object, id, listener) {
      let isStopped = false;
      const read = async (): Promise<void> => {
        const [record] = await query({ object, where: { id }, limit: 1 });
        if (!isStopped) listener({ record: record ?? null, newer: null });
      };
      const stop = watch(read);
      return {
        update: (values) => api.update(object, id, values),
        remove: () => api.remove(object, id),
        showNewest: read,
        close() {
          isStopped = true;
          stop();
        },
      };
    },
    create: (object, values) => api.create(object, values),
    device: null,
    refresh: () => {
      for (const run of watches) run();
    },
  };
}

function toShown(object: ObjectName, id: string, values: Values): ShownRecord {
  return { object, id, values, mark: null };
}
