import type { RecordAnswer } from '../../protocol/messages.ts';
import type { DeviceRegistry } from '../device-registry.ts';
import { createImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import { keyText, type RecordKey, type StoredRecord, type StoreView } from '../store/server-store.ts';

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
 * Reads one record with its transaction group: the masters above it, and all that hangs below the topmost of them. The record itself
 * comes first, and is shown as deleted or hidden where it is that; others only where it and they can be seen.
 */
export async function readRecord(parts: ServerParts, devices: DeviceRegistry, { principal, store, key }: RecordQuery): Promise<ReadRecord> {
  return parts.store.read(principal.tenant, async (view) => {
    const { epoch, head } = await devices.open(view, principal, store);
    const images = createImageList();
    const record = await findRecord(parts, view, key);
    const own = record === null ? null : await parts.visibility.image(view, principal, record);
    // Where it is hidden, neither its group nor, of one that was named by its Record ID, its id at birth is the reader's to know.
    const isKnown = own !== null && (own.state !== 'hidden' || own.id === key.id);
    if (own !== null && isKnown) images.add(own);
    for (const member of own === null || own.state === 'hidden' ? [] : (await collectGroup(parts, view, record!)).slice(1)) {
      const image = await parts.visibility.image(view, principal, member);
      if (image.state === 'live') images.add(image);
    }
    return { epoch, head, page: { groups: [], ...images.take() } };
  });
}

/** Finds a record by its id at birth, or by the Record ID that the server gave it. */
async function findRecord({ schema }: ServerParts, view: StoreView, key: RecordKey): Promise<StoredRecord | null> {
  const [record] = await view.getRecords([key]);
  if (record !== undefined) return record;
  return schema.objects.get(key.object)!.recordIdField === null ? null : view.findByRecordId(key.object, key.id);
}

async function collectGroup(parts: ServerParts, view: StoreView, record: StoredRecord): Promise<StoredRecord[]> {
  const found = new Map([[keyText(record), record]]);
  const root = await climb(parts, view, record, found);
  const descended = new Set<string>();
  for (let level = [root]; level.length > 0; ) {
    const below: StoredRecord[] = [];
    for (const master of level) {
      if (descended.has(keyText(master))) continue;
      descended.add(keyText(master));
      for (const { name } of parts.schema.objects.get(master.object)!.children.filter(({ isGroup }) => isGroup)) {
        below.push(...(await view.listChildren(name, master.id)));
      }
    }
    for (const child of below) if (!found.has(keyText(child))) found.set(keyText(child), child);
    level = below;
  }
  return [...found.values()];
}

async function climb({ schema }: ServerParts, view: StoreView, record: StoredRecord, found: Map<string, StoredRecord>): Promise<StoredRecord> {
  for (let root = record; ; ) {
    const { parent } = schema.objects.get(root.object)!;
    if (parent === null || !parent.isGroup || root.parentId === null) return root;
    const [master] = await view.getRecords([{ object: parent.target, id: root.parentId }]);
    if (master === undefined || found.has(keyText(master))) return root;
    found.set(keyText(master), master);
    root = master;
  }
}
