import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts';
import type { Layout } from '../../protocol/layout.ts';
import { joinRow, mapRow, splitRow } from '../../protocol/row.ts';
import type { Schema } from '../../protocol/schema.ts';
import type { RecordVersion } from '../../protocol/version.ts';
import { bytesEqual } from '../../shared/bytes.ts';
import { draftRowKey, readDraftRowKey } from './draft-keys.ts';
import type { LocalStore } from '../store/local-store.ts';
import { keyOf, splitKey, type Key } from '../store/record-key.ts';
import { fieldsIn, memberOn, valueIn, type HeldImage, type Member } from '../store/rows.ts';
import type { Settlement } from '../answers/settle.ts';
import type { Step } from '../store/step.ts';
import { STATE } from '../store/stored.ts';

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
    const records = drafts.get(name.draft) ?? new Map<Key, HeldRecord>();
    records.set(name.key, decodeRecord(store, name.key, row.bytes));
    drafts.set(name.draft, records);
  }
  return drafts;
}

function decodeRecord(store: LocalStore, key: Key, bytes: Uint8Array): HeldRecord {
  const { layout, openedAt, place, base, seen, row } = decodeEnvelope(bytes) as StoredRecord;
  const here = store.layout(splitKey(key).object);
  const carried = (values: Uint8Array | null): Uint8Array | null => values && mapRow(store.layoutOf(layout), here, Uint8Array.from(values));
  return { key, layout: here, openedAt, place, base, seen: carried(seen), row: carried(row) };
}

/** What the server has saved of a record, and the record as that save left it. */
export interface SavedMember {
  readonly sent: Member;
  readonly onto: HeldImage;
}

/**
 * Rules A27, C5: a draft that shows what an own save has sent now shows what the server made of that, and begins from it. Fields that wait
 * in a later save as well go on from that one; what the user has written in the draft stays. In the step that takes the answer in; answers
 * which drafts changed.
 */
export async function rebaseDrafts(store: LocalStore, schema: Schema, settlement: Settlement, saved: readonly SavedMember[]): Promise<Set<string>> {
  const changed = new Set<string>();
  for (const { sent, onto } of saved) {
    const key = keyOf(sent.object, sent.id);
    const draft = store.drafts.byRecord.get(key);
    const bytes = draft === undefined ? null : await store.readState(draftRowKey(draft, key));
    if (draft === undefined || bytes === null || onto.row === null) continue;
    const record = decodeRecord(store, key, bytes);
    const waiting = new Set(settlement.entriesOf(key).flatMap(({ members }) => members.filter((member) => keyOf(member.object, member.id) === key).flatMap(fieldsIn)));
    const rebased = rebaseRecord(schema, record, memberOn(record.layout, sent), mapRow(onto.layout, record.layout, onto.row), waiting);
    if (rebased === record) continue;
    putDraftRow(settlement.step, draft, rebased);
    changed.add(draft);
  }
  return changed;
}

function rebaseRecord(schema: Schema, record: HeldRecord, sent: Member, onto: Uint8Array, waiting: ReadonlySet<string>): HeldRecord {
  if (record.seen === null) return record;
  const { fields } = schema.objects[sent.object]!;
  const seen = splitRow(record.seen), row = record.row && splitRow(record.row), now = splitRow(onto);
  let isChanged = false;
  record.layout.fields.forEach(({ name }, position) => {
    const before = seen[position]!, next = now[position]!;
    const sentValue = waiting.has(name) ? undefined : valueIn(sent, 'next', position);
    const follows = fields[name]!.owner !== 'device' || (sentValue !== undefined && bytesEqual(before, sentValue));
    if (!follows || bytesEqual(before, next)) return;
    if (row !== null && bytesEqual(row[position]!, before)) row[position] = next;
    seen[position] = next;
    isChanged = true;
  });
  return isChanged ? { ...record, seen: joinRow(seen), row: row && joinRow(row) } : record;
}
