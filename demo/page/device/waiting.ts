import type { ClientEvent } from '../../../src/client/facade/client-events.ts';
import type { SyncReason } from '../../../src/client/inbox/explain.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { ObjectName } from '../../schema.ts';
import { isLine } from '../crm/groups.ts';
import type { Values } from '../crm/object-face.ts';

/** A record of which a newer version is kept aside. */
export interface WaitingRecord {
  readonly object: ObjectName;
  readonly id: string;
  /** What it is online, as far as this device knows. */
  readonly values: Values | null;
  readonly reasons: readonly SyncReason[];
}

/** What the feed brought and the device does not show yet: the records that were told of since the page was opened. */
export interface Waiting {
  readonly records: readonly WaitingRecord[];
  connect(client: SyncClient): void;
  hear(event: ClientEvent): void;
  /** Asks again why they wait. */
  refresh(): void;
}

export function createWaiting(onChange: () => void): Waiting {
  const heard = new Map<string, { readonly object: ObjectName; readonly id: string }>();
  let client: SyncClient | null = null;
  let records: readonly WaitingRecord[] = [];
  let isAsking = false;
  let isStale = false;

  async function ask(running: SyncClient): Promise<void> {
    const all = await Promise.all([...heard.values()].map(async ({ object, id }): Promise<WaitingRecord> => {
      const reasons = (await running.explain(object, id)).filter(({ code }) => code === 'newer-version-waits');
      const newer = reasons.length === 0 ? null : await running.objects[object]!.newer(id);
      return { object, id, reasons, values: newer?.record as Values | null | undefined ?? null };
    }));
    const waiting = all.filter(({ reasons }) => reasons.length > 0);
    for (const { object, id, reasons } of all) if (reasons.length === 0) heard.delete(`${object} ${id}`);
    // A group waits as a whole: its header speaks for its lines.
    const headers = waiting.filter(({ object }) => !isLine(object));
    records = headers.length > 0 ? headers : waiting;
    onChange();
  }

  function refresh(): void {
    isStale = true;
    if (isAsking || client === null || heard.size === 0) return;
    [isAsking, isStale] = [true, false];
    ask(client).catch(() => {}).finally(() => { // asked again at the next change
      isAsking = false;
      if (isStale) refresh();
    });
  }

  return {
    get records() {
      return records;
    },
    connect(next) {
      client = next;
      refresh();
    },
    hear(event) {
      if (event.type !== 'feed:kept-aside') return;
      heard.set(`${event.object} ${event.id}`, { object: event.object as ObjectName, id: event.id });
      refresh();
    },
    refresh,
  };
}
