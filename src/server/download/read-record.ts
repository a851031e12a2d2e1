import type { RecordAnswer } from '../../protocol/messages.ts';
import type { DeviceRegistry } from '../device-registry.ts';
import { listItems, readImages } from '../feed/page-items.ts';
import { Surroundings } from '../feed/surroundings.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { RecordKey, StoredRecord, StoreView } from '../store/server-store.ts';

/** A question for one record. */
export interface RecordQuery {
  readonly principal: Principal;
  /** The device's store. */
  readonly store: string;
  readonly key: RecordKey;
}

/** What was read, before the head of the answer. */
export interface ReadRecord {
  readonly epoch: number;
  readonly head: number;
  readonly page: Omit<RecordAnswer, 'protocol' | 'store' | 'attempt' | 'server'>;
}

/**
 * Reads one record with its masters and the rest of its transaction group. The record itself comes first, and is shown as deleted or
 * hidden where it is that.
 */
export async function readRecord(parts: ServerParts, devices: DeviceRegistry, { principal, store, key }: RecordQuery): Promise<ReadRecord> {
  return parts.store.read(principal.tenant, async (view) => {
    const { epoch, head } = await devices.open(view, principal, store);
    const around = new Surroundings(parts, view, principal);
    const record = await findRecord(parts, view, principal, key);
    if (record !== null) await around.reach([record]);
    const own = record === null ? null : around.glimpse(record);
    // Where it is hidden, neither its group nor, of one that was named by its Record ID, its id at birth is the reader's to know.
    const isKnown = own !== null && (own.state !== 'hidden' || own.id === key.id);
    const chosen = isKnown ? [...around.around([own]).values()] : [];
    const images = await readImages(parts, view, principal, chosen);
    const { indexOf: _unused, ...page } = listItems(parts, principal, (glimpse) => around.leaderOf(glimpse), chosen, images);
    return { epoch, head, page };
  });
}

/** Finds a record by its id at birth, or by the Record ID that the server gave it, if the reader may read that. */
async function findRecord({ schema, visibility }: ServerParts, view: StoreView, principal: Principal, key: RecordKey): Promise<StoredRecord | null> {
  const [record] = await view.getRecords([key]);
  if (record !== undefined) return record;
  const type = schema.objects.get(key.object)!;
  const mayName = type.recordIdField !== null && visibility.fieldsOf(principal, type).mayRead(type.recordIdField);
  return mayName ? view.findByRecordId(key.object, key.id) : null;
}
