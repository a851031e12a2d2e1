import type { Schema } from '../../../src/schema.ts';
import type { Unsubscribe } from '../../../src/shared/emitter.ts';
import type { SyncClient } from '../../../src/client/sync-client.ts';
import type { SyncObject } from '../../../src/client/facade/typed-objects.ts';
import type { Draft } from '../../../src/client/facade/typed-drafts.ts';
import type { ObjectName } from '../../schema.ts';
import { copyToDraft } from './copy-to-new.ts';
import { openRecord } from './open-record.ts';
import type { Values } from '../crm/object-face.ts';
import type { DeviceRecords, RecordSource, ShownRecord, SyncMark } from '../records/record-source.ts';

/** The records of a device, through whichever client runs now: watches go over to the next client after a restart. */
export interface DeviceSource extends RecordSource {
  readonly device: DeviceRecords;
  connect(client: SyncClient): void;
}

type ClientObject = SyncObject<Schema, string>;
type ClientRecord = Readonly<Record<string, unknown>> & { readonly id: string };

export function createDeviceSource(): DeviceSource {
  let client: SyncClient | null = null;
  const watches = new Set<{ readonly start: () => void }>();

  const drafts = new Map<string, Draft<Schema, string>>();

  const running = (): SyncClient => {
    if (client === null) throw new Error('the device is not running');
    return client;
  };
  const objectOf = (object: ObjectName): ClientObject => running().objects[object]!;

  /** Drafts outlive the client that opened them. */
  async function draftOf(id: string): Promise<Draft<Schema, string>> {
    const known = drafts.get(id) ?? (await running().drafts.open(id));
    drafts.set(id, known);
    return known;
  }

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
      drafts.clear();
      for (const { start } of watches) start();
    },
    query: async ({ object, ...query }) => (await objectOf(object).query(query).get()).map((row) => toShown(object, row as ClientRecord)),
    watchQuery: ({ object, ...query }, listener) =>
      watch(() => objectOf(object).query(query).subscribe((rows) => listener(rows.map((row) => toShown(object, row as ClientRecord))))),
    openRecord: (object, id, listener) =>
      openRecord({ id, object: () => objectOf(object), watch, toShown: (record) => toShown(object, record), listener }),
    create: (object, values) => objectOf(object).create(values),
    device: {
      watchDrafts: (listener) => watch(() => running().drafts.subscribe(listener)),
      async openDraft(object, id) {
        const draft = await (id === null ? objectOf(object).draft() : objectOf(object).draft(id));
        drafts.set(draft.id, draft);
        return { id: draft.id, object: draft.object, recordId: draft.recordId, openedAt: draft.openedAt, changes: 0 };
      },
      async changeDraft(id, edit) {
        const draft = await draftOf(id);
        switch (edit.op) {
          case 'create': return draft.add(edit.object, edit.values);
          case 'update': return draft.change(edit.object, edit.id, edit.values);
          case 'remove': return draft.remove(edit.object, edit.id);
        }
      },
      readDraft: async (id) => (await draftOf(id)).read(),
      saveDraft: async (id) => (await (await draftOf(id)).save()).entries,
      async areSaved(entries) {
        const client = running();
        return (await Promise.all(entries.map((entry) => client.outcome(entry)))).every(({ kind }) => kind === 'saved');
      },
      discardDraft: async (id) => void (await (await draftOf(id)).discard()),
      copyToDraft: (object, header, lines) => copyToDraft(running(), object, header, lines),
      explain: (object, id) => running().explain(object, id),
      fix: async (syncError, members) => void (await running().syncErrors.fix(syncError, members)),
    },
  };
}

function toShown(object: ObjectName, { id, syncState, ...values }: ClientRecord): ShownRecord {
  return { object, id, values: values as Values, mark: syncState as SyncMark };
}
