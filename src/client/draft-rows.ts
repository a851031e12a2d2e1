import { decodeEnvelope, encodeEnvelope } from '../protocol/envelope.ts';
import type { Layout } from '../protocol/layout.ts';
import { mapRow } from '../protocol/row.ts';
import type { RecordVersion } from '../protocol/version.ts';
import { bytesEqual } from '../shared/bytes.ts';
import { draftRowKey, readDraftRowKey } from './draft-keys.ts';
import type { LocalStore } from './local-store.ts';
import { splitKey, type Key } from './record-key.ts';
import type { Step } from './step.ts';
import { STATE } from './stored.ts';

/** A record in a draft: what the user saw, and what the user has made of it so far. */
export interface HeldRecord {
  readonly key: Key;
  readonly layout: Layout;
  /** When the draft was opened on this record; `null` for all others in it. */
  readonly openedAt: number | null;
  /** Its place in the order in which the user changed records; 0 while it is only shown. */
  readonly place: number;
  /** The version that the user saw. */
  readonly base: RecordVersion;
  /** `null` for a record that the draft creates. */
  readonly seen: Uint8Array | null;
  /** `null` for one that it deletes. */
  readonly row: Uint8Array | null;
}

interface StoredRecord extends Omit<HeldRecord, 'key' | 'layout'> {
  readonly layout: string;
}

/** What a draft does to a record. */
export function opOf({ seen, row }: HeldRecord): 'create' | 'update' | 'remove' | null {
  if (seen === null) return row === null ? null : 'create';
  if (row === null) return 'remove';
  return bytesEqual(seen, row) ? null : 'update';
}

export function putDraftRow(step: Step, draft: string, { key, layout, ...rest }: HeldRecord): void {
  step.layouts.set(layout.hash, layout);
  step.putState.push({ key: draftRowKey(draft, key), bytes: encodeEnvelope({ ...rest, layout: layout.hash } satisfies StoredRecord) });
}

/** Reads drafts, of one id or all: their records by key, in the layouts of this build. */
export async function readDrafts(store: LocalStore, draft?: string): Promise<Map<string, Map<Key, HeldRecord>>> {
  const drafts = new Map<string, Map<Key, HeldRecord>>();
  for await (const row of store.scanState(draft === undefined ? STATE.draft : draftRowKey(draft, ''))) {
    const name = readDraftRowKey(row.key)!;
    const { layout, openedAt, place, base, seen, row: edited } = decodeEnvelope(row.bytes) as StoredRecord;
    const here = store.layout(splitKey(name.key).object);
    const carried = (values: Uint8Array | null): Uint8Array | null => values && mapRow(store.layoutOf(layout), here, Uint8Array.from(values));
    const records = drafts.get(name.draft) ?? new Map<Key, HeldRecord>();
    records.set(name.key, { key: name.key, layout: here, openedAt, place, base, seen: carried(seen), row: carried(edited) });
    drafts.set(name.draft, records);
  }
  return drafts;
}
