import type { SnapshotAnswer, SnapshotKey } from '../../protocol/messages.ts';
import type { DeviceRegistry } from '../device-registry.ts';
import { createImageList } from '../image-list.ts';
import type { Principal } from '../principal.ts';
import type { ServerParts } from '../server-parts.ts';
import type { StoreView } from '../store/server-store.ts';
import type { ReaderImage } from '../visibility.ts';

/** A page of everything a user may see that is in scope (rule A32). */
export interface SnapshotPage {
  readonly principal: Principal;
  /** The device's store. */
  readonly store: string;
  /** The last key of the page before; `null` begins. */
  readonly after: SnapshotKey | null;
  readonly limit: number;
}

/** What was read, before the head of the answer. */
export interface ReadSnapshot {
  readonly epoch: number;
  readonly head: number;
  readonly page: Omit<SnapshotAnswer, 'protocol' | 'store' | 'attempt' | 'server'>;
}

/**
 * Reads a page in key order: objects in the schema's order, then ids. The feed position comes from the same snapshot, before the rows:
 * what is saved while the pages are read is on the feed after the first page's cursor.
 */
export async function readSnapshot(parts: ServerParts, devices: DeviceRegistry, { principal, store, after, limit }: SnapshotPage): Promise<ReadSnapshot> {
  return parts.store.read(principal.tenant, async (view) => {
    const { feed, epoch, head } = await devices.open(view, principal, store);
    const found: ReaderImage[] = [];
    let bytes = 0, isLast = true;
    for await (const image of visibleAfter(parts, view, principal, after, limit)) {
      if (found.length === limit || bytes > parts.limits.bodyBytes) {
        isLast = false;
        break;
      }
      found.push(image);
      bytes += image.row?.length ?? 0;
    }
    const images = createImageList();
    for (const image of found) images.add(image);
    const last = found.at(-1);
    const next = isLast || last === undefined ? null : { object: last.object, id: last.id };
    return { epoch, head, page: { cursor: { feed, epoch, position: head }, next, ...images.take() } };
  });
}

async function* visibleAfter({ schema, visibility }: ServerParts, view: StoreView, principal: Principal, after: SnapshotKey | null, chunk: number): AsyncGenerator<ReaderImage> {
  const names = [...schema.objects.keys()];
  const first = after === null ? 0 : names.indexOf(after.object);
  for (const name of names.slice(first)) {
    let afterId = name === after?.object ? after.id : null;
    for (;;) {
      const records = await view.scanRecords(name, afterId, chunk + 1);
      for (const record of records) {
        const image = await visibility.scopedImage(view, principal, record);
        if (image.state === 'live' && !image.isOutside) yield image;
      }
      if (records.length <= chunk) break;
      afterId = records.at(-1)!.id;
    }
  }
}
